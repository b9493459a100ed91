//! The built-in MTProxy server of mtpannel. It keeps the same contract as telemt (docs/contract-telemt.md): it reads the
//! same `config.toml`, applies changes to it at once, and serves the same metrics at `/metrics`.
//!
//! The path of a connection: an optional PROXY header is read. A FakeTLS hello or an obfuscated init ([`wire`]) is
//! compared with the secrets of all users. A client with a valid secret is relayed to its data centre, and its bytes are
//! counted; everybody else is relayed to the masked site.

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
