//! Integration tests: real SQLite files, a real PostgreSQL, real HTTP.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic, and nobody else sees it")]

mod cli_admin;
mod cli_backup;
mod cli_basics;
mod cli_config;
mod cli_import;
mod cli_serve;
mod cli_support;
mod common;
mod sql_texts;
mod story;
