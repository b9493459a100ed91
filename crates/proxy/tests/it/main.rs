//! The whole server over real sockets on loopback.

mod access;
mod client;
mod masking;
mod peers;
mod serving;
mod storm;
