//! The open sessions of a user, and the addresses that they hold.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::recent::network;

/// How long an address that has gone is still a recent one (telemt 3.4.25: `user_max_unique_ips_window_secs`).
pub(super) const RECENT: Duration = Duration::from_secs(30);

/// The two ends of a client's connection: ours, and the client's.
pub(crate) type Ends = (SocketAddr, SocketAddr);

#[derive(Debug, Default)]
pub(super) struct Live {
    opened: u64,
    sessions: BTreeMap<u64, Open>,
    /// How many sessions hold each address. An IPv6 address counts as its /64: a device has many of them, and changes them.
    networks: HashMap<IpAddr, u64>,
    /// Addresses that have gone lately.
    gone: Vec<(IpAddr, Instant)>,
    /// Cancelled when the sessions open now must end; made for the first of them.
    cut: Option<CancellationToken>,
}

#[derive(Debug)]
struct Open {
    address: IpAddr,
    ends: Option<Ends>,
    cut: CancellationToken,
}

impl Live {
    pub(super) fn connections(&self) -> u64 {
        self.sessions.len() as u64
    }

    pub(super) fn addresses(&self) -> u64 {
        self.networks.len() as u64
    }

    pub(super) fn recent_addresses(&self) -> u64 {
        (self.networks.len() + self.gone.len()) as u64
    }

    pub(super) fn holds(&self, address: IpAddr) -> bool {
        self.networks.contains_key(&network(address))
    }

    /// Registers a session; gives its number, and what is cancelled when it must end.
    pub(super) fn open(&mut self, address: IpAddr) -> (u64, CancellationToken) {
        let cut = self.cut.get_or_insert_default().child_token();
        self.opened += 1;
        self.sessions.insert(self.opened, Open { address, ends: None, cut: cut.clone() });
        let network = network(address);
        *self.networks.entry(network).or_default() += 1;
        self.gone.retain(|(gone, _)| *gone != network);
        (self.opened, cut)
    }

    /// Tells between which ends a session runs.
    pub(super) fn set_ends(&mut self, number: u64, ends: Ends) {
        if let Some(open) = self.sessions.get_mut(&number) {
            open.ends = Some(ends);
        }
    }

    /// Forgets a session, if it is not forgotten yet.
    pub(super) fn close(&mut self, number: u64, now: Instant) {
        let Some(open) = self.sessions.remove(&number) else { return };
        let network = network(open.address);
        if let Some(count) = self.networks.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.networks.remove(&network);
                self.forget(now);
                self.gone.push((network, now));
            }
        }
        if self.networks.is_empty() {
            self.networks.shrink_to_fit();
        }
    }

    /// Forgets who has gone a while ago.
    pub(super) fn forget(&mut self, now: Instant) {
        self.gone.retain(|(_, since)| now.duration_since(*since) < RECENT);
        self.gone.shrink_to_fit();
    }

    /// What to cancel so that every session ends that is open now.
    pub(super) fn take_cut(&mut self) -> Option<CancellationToken> {
        self.cut.take()
    }

    /// Ends the sessions from addresses of which `ends` holds.
    pub(super) fn cut_from(&self, ends: impl Fn(IpAddr) -> bool) {
        self.sessions.values().filter(|open| ends(open.address)).for_each(|open| open.cut.cancel());
    }

    /// The sessions by the addresses that they hold.
    pub(super) fn by_network(&self) -> HashMap<IpAddr, Vec<(u64, Option<Ends>)>> {
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for (&number, open) in &self.sessions {
            all.entry(network(open.address)).or_default().push((number, open.ends));
        }
        all
    }

    /// Ends a session and gives its place away at once.
    pub(super) fn evict(&mut self, number: u64, now: Instant) {
        if let Some(open) = self.sessions.get(&number) {
            open.cut.cancel();
            self.close(number, now);
        }
    }
}
