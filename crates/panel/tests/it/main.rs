//! Integration tests: real SQLite files, a real PostgreSQL, real HTTP.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic, and nobody else sees it")]

mod admins;
mod audit_pruning;
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
mod database_trouble;
mod file;
mod hang_up;
mod history;
mod installer;
mod limits_stored;
mod lists;
mod login_race;
mod metering;
mod names;
mod openapi_file;
mod operations;
mod pooler;
mod sessions;
mod shutdown;
mod slow_clients;
mod sql_texts;
mod stats;
mod story;
mod sync_folder;
mod time;
mod users;
mod web;
