//! The whole server over real sockets on loopback.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod access;
mod centres;
mod client;
mod listeners;
mod masking;
mod openings;
mod peers;
mod rules;
mod serving;
mod socks;
mod storm;
