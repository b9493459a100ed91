//! The whole server over real sockets on loopback.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod access;
mod client;
mod listeners;
mod masking;
mod peers;
mod serving;
mod storm;
