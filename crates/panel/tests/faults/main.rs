//! What must hold whatever is killed: the real program over real databases, ended with `kill -9` at random points.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may panic, and nobody else sees it")]

mod accounting;
mod consistency;
mod crowd;
#[path = "../it/common/database.rs"]
mod database;
mod disk;
#[path = "../it/common/fake_proxy.rs"]
mod fake_proxy;
mod panel;

/// A number below `bound`.
fn random(bound: u64) -> u64 {
    u64::from_le_bytes(mtpannel::random::bytes()) % bound
}
