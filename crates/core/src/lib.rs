//! The rules of mtpannel, and the forms of the files and texts that it exchanges with the proxy.
//!
//! Nothing here performs I/O, reads a clock or draws a random number: `now` and fresh secrets are parameters. That is
//! what lets every decision be tested by properties and fuzzed in seconds (`docs/architecture.md`).

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod audit;
pub mod document;
pub mod exposition;
pub mod fault;
pub mod grant;
pub mod history;
pub mod include;
pub mod ledger;
pub mod link;
pub mod patch;
pub mod policy;
pub mod rename;
pub mod template;
pub mod usage;
pub mod user;
