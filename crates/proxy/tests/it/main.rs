//! The whole server over real sockets on loopback.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod access;
mod client;
mod cuts;
mod listeners;
mod loops;
mod masking;
mod peers;
mod records;
mod restart;
mod serving;
mod storm;
mod visitors;
