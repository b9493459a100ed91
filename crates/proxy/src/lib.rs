//! The built-in MTProxy server of mtpannel. It stands behind the same contract as telemt: it reads the same
//! `config.toml`, applies changes of it at once, and shows the same names at `/metrics`.
//!
//! How a connection goes: an optional PROXY header is read; a [`faketls`] hello or an [`obfuscated2`] init is checked
//! against all secrets; a right client is relayed to its data centre and counted, everyone else to the masked site.

mod access;
mod account;
mod answering;
mod clock_check;
pub mod config;
pub mod faketls;
mod files;
pub mod first_frames;
mod inbox;
pub mod key;
mod mask;
mod metrics;
mod network;
pub mod obfuscated2;
mod places;
mod ports;
pub mod proxy_protocol;
mod recent;
mod relay;
mod reload;
mod replay;
mod search;
mod seldom;
mod server;
mod session;
mod stats;
mod upstream;
mod warnings;

pub use reload::LoadError;
pub use server::{Error, Proxy, run};
