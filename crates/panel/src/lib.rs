//! The mtpannel service: REST API, accounting, and the writer of the proxy's `config.toml`.
//!
//! Dependencies point one way: `cli` → `http`, `task` → `service` → `store` → `mtpannel_core`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod app;
pub mod cli;
pub mod clock;
pub mod config_file;
mod folder;
pub mod http;
pub mod logging;
pub mod random;
pub mod serve;
pub mod service;
pub mod settings;
pub mod store;
pub mod task;
