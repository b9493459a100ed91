//! The proxy's `config.toml`: what it must say for the present users, and the task that writes it.

pub mod config_sync;
pub mod file;
pub mod load;
pub mod preview;
pub mod takeover;
