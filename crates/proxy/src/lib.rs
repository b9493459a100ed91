//! The built-in MTProxy server of mtpannel. It stands behind the same contract as telemt: it reads the same
//! `config.toml`, applies changes of it at once, and shows the same names at `/metrics`.
//!
//! How a connection goes: an optional PROXY header is read; a FakeTLS hello or an obfuscated init ([`wire`]) is checked
//! against all secrets; a valid client is relayed to its data centre and counted, everyone else to the masked site.

mod access;
mod accounts;
mod admission;
mod clock_check;
pub mod config;
mod inbox;
mod metrics;
mod network;
mod path;
mod ports;
mod reload;
mod server;
mod session;
mod shared;
mod socket;
mod stats;
mod throttled_log;
mod warnings;
pub mod wire;

pub use reload::LoadError;
pub use server::{Error, Proxy, run};
