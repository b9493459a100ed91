//! Tests of the whole server over real sockets on loopback.
#![allow(clippy::unwrap_used, reason = "tests may")]

mod access;
mod centres;
mod client;
mod cuts;
mod devices;
mod listeners;
mod loops;
mod masking;
mod openings;
mod peers;
mod records;
mod restart;
mod rules;
mod serving;
mod socks;
mod storm;
mod visitors;
