//! Integration tests: real SQLite files, a real PostgreSQL, real HTTP.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic, and nobody else sees it")]

mod admins;
mod authorization;
mod bad_input;
mod bad_query;
mod behind_proxy;
mod bulk;
mod cli_admin;
mod cli_backup;
mod cli_basics;
mod cli_config;
mod cli_import;
mod cli_log;
mod cli_serve;
mod cli_support;
mod common;
mod crowded;
mod early_answers;
mod file;
mod hang_up;
mod history;
mod installer;
mod lists;
mod login_race;
mod metering;
mod openapi_file;
mod operations;
mod raw_heads;
mod sessions;
mod shutdown;
mod slow_clients;
mod sql_texts;
mod stats;
mod story;
mod time;
mod users;
mod warnings;
mod web;
