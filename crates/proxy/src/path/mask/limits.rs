//! Limits of the bytes that visitors may move: one for each visit, and one for all visits from a network together.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::network::Network;
use crate::path::relay::Transform;

/// How many visitors of one network may move all their bytes within [`PERIOD`] at full speed. Further visitors are slowed
/// down and not cut off: a site may be slow, but a page that breaks off would show the proxy.
const AT_FULL_SPEED: u64 = 12;
/// How long it takes until a budget that was used up is full again.
const PERIOD: Duration = Duration::from_mins(5);
/// Networks that are remembered before those with full budgets are removed.
const NETWORKS: usize = 16_384;

/// The budget of each network.
#[derive(Debug)]
pub(super) struct Budgets {
    /// Bytes that a network may move within [`PERIOD`].
    bytes: u64,
    /// When the budget of each network will be full again.
    restored: Mutex<HashMap<Network, Instant>>,
}

impl Budgets {
    /// Budgets for visitors who may each move `relay_bytes` bytes in each direction.
    pub(super) fn new(relay_bytes: usize) -> Self {
        Self { bytes: AT_FULL_SPEED * relay_bytes.max(1) as u64, restored: Mutex::default() }
    }

    /// Takes bytes from the budget of a network, and returns how long to wait before more bytes are moved.
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

    /// Meters one direction of a visit, in which `left` more bytes may move.
    pub(super) fn meter(&self, address: IpAddr, left: usize) -> Metered<'_> {
        Metered { budgets: self, network: Network::of(address), left, wait: Duration::ZERO }
    }
}

/// One direction of a visit: bytes are passed on unchanged until the limit is reached.
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
        // In half of the time, half of the bytes come back.
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
