//! How much visitors may move: each of them so much, and those of one network together as much as a few at full speed.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::network::Network;
use crate::path::relay::Transform;

/// Visitors of a network that may each move all they may within [`PERIOD`], at full speed. Those after them are slowed down
/// and not cut off: a slow site shows nothing, a broken page would.
const AT_FULL_SPEED: u64 = 12;
/// How long it takes until what a network has used up is there again.
const PERIOD: Duration = Duration::from_mins(5);
/// Networks in the books before those that have used nothing lately are removed.
const NETWORKS: usize = 16_384;

/// What the networks have used.
#[derive(Debug)]
pub(super) struct Budgets {
    /// Bytes that a network may move within [`PERIOD`].
    bytes: u64,
    /// When all that a network has used will be there again.
    restored: Mutex<HashMap<Network, Instant>>,
}

impl Budgets {
    /// For visitors who may each move so many bytes in a direction.
    pub(super) fn new(relay_bytes: usize) -> Self {
        Self { bytes: AT_FULL_SPEED * relay_bytes.max(1) as u64, restored: Mutex::default() }
    }

    /// Takes bytes off a network's budget, and tells how long to wait before more are moved.
    fn spend(&self, network: Network, bytes: usize, now: Instant) -> Duration {
        let mut restored = self.restored.lock().unwrap_or_else(PoisonError::into_inner);
        if restored.len() >= NETWORKS {
            restored.retain(|_, at| *at > now);
        }
        let at = restored.entry(network).or_insert(now);
        #[expect(clippy::cast_precision_loss, reason = "a few bytes more or less do not matter")]
        let cost = PERIOD.mul_f64(bytes as f64 / self.bytes as f64);
        *at = (*at).max(now) + cost;
        at.saturating_duration_since(now + PERIOD)
    }

    /// For one direction of a visit, in which so many bytes may still move.
    pub(super) fn meter(&self, address: IpAddr, left: usize) -> Metered<'_> {
        Metered { budgets: self, network: Network::of(address), left, wait: Duration::ZERO }
    }
}

/// One direction of a visit: bytes pass as they are, as long as there may be more.
pub(super) struct Metered<'a> {
    budgets: &'a Budgets,
    network: Network,
    left: usize,
    wait: Duration,
}

impl Transform for Metered<'_> {
    fn room(&self) -> usize {
        self.left
    }

    fn wait(&mut self) -> Duration {
        std::mem::take(&mut self.wait)
    }

    fn apply(&mut self, _: &mut [u8], read: usize) -> io::Result<usize> {
        self.left -= read.min(self.left);
        self.wait = self.budgets.spend(self.network, read, Instant::now());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_slowed_down_when_its_budget_is_used_up_and_others_are_not() {
        let (budgets, start) = (Budgets::new(1_000), Instant::now());
        let [crowd, other] = ["192.0.2.1", "198.51.100.1"].map(|address| Network::of(address.parse().unwrap()));
        for _ in 0..12 {
            assert_eq!(budgets.spend(crowd, 1_000, start), Duration::ZERO);
        }
        assert_eq!(budgets.spend(crowd, 1_000, start), PERIOD / 12);
        assert_eq!(budgets.spend(other, 1_000, start), Duration::ZERO);
        // Half of the time brings half of the bytes back.
        let later = start + PERIOD / 12 + PERIOD / 2;
        assert_eq!(budgets.spend(crowd, 6_000, later), Duration::ZERO);
        assert!(budgets.spend(crowd, 1_000, later) > Duration::ZERO);
    }

    #[test]
    fn networks_that_use_nothing_are_forgotten() {
        let (budgets, start) = (Budgets::new(1_000), Instant::now());
        for number in 0..100_000_u32 {
            let network = Network::of(IpAddr::from((number << 8).to_be_bytes()));
            budgets.spend(network, 1, start + Duration::from_secs(number.into()));
        }
        assert!(budgets.restored.lock().unwrap().len() <= NETWORKS);
    }
}
