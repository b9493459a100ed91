//! The mtpannel service: REST API, traffic accounting, and the config sync that writes the proxy's `config.toml`.
//!
//! Dependencies point one way: `cli` → `http` → `service` → `node`, `task` → `runtime` → `store` → `mtpannel_core`
//! (`docs/architecture.md`).

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod app;
mod change;
pub mod cli;
pub mod clock;
mod folder;
pub mod http;
pub mod logging;
pub mod node;
pub mod random;
pub mod runtime;
pub mod serve;
pub mod service;
pub mod settings;
pub mod store;
pub mod task;
