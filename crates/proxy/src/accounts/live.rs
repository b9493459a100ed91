//! The open connections of a user, and the addresses that they come from. Addresses that were shown to be of one device
//! count as one.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::network::truncate_address;

/// How long an address without connections still counts as recent (as `user_max_unique_ips_window_secs` in telemt 3.4.25).
pub(super) const RECENT: Duration = Duration::from_secs(30);

/// Keys that are remembered for one address. A device has a few for each data centre, and several devices may share an
/// address.
const MOST_KEYS: usize = 16;

/// The two ends of a client's connection: the proxy's, then the client's.
pub(crate) type Ends = (SocketAddr, SocketAddr);

/// The open connections of a user.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// The number of the connection that was opened last.
    opened: u64,
    /// Open connections by their number.
    sessions: BTreeMap<u64, Open>,
    /// The addresses of open connections. An IPv6 address counts as its /64, because a device has many in it and changes
    /// them.
    networks: HashMap<IpAddr, Held>,
    /// Addresses without connections that still count as recent, and since when they have had none.
    gone: Vec<(IpAddr, Instant)>,
    /// Cancelled to cut all connections that are open now; `None` if none was opened since the last cut.
    cut: Option<CancellationToken>,
}

/// An address with open connections.
#[derive(Debug, Default)]
struct Held {
    /// Number of its connections.
    sessions: u64,
    /// The authorization keys that were used from there, each once, the latest last.
    keys: Vec<NonZeroU64>,
}

impl Held {
    /// Remembers a key; forgets the oldest one if there are too many.
    fn note(&mut self, key: NonZeroU64) {
        self.keys.retain(|&known| known != key);
        if self.keys.len() == MOST_KEYS {
            self.keys.remove(0);
        }
        self.keys.push(key);
    }

    fn shares_key(&self, keys: &[NonZeroU64]) -> bool {
        self.keys.iter().any(|key| keys.contains(key))
    }
}

/// An open connection.
#[derive(Debug)]
struct Open {
    address: IpAddr,
    ends: Option<Ends>,
    cut: CancellationToken,
}

/// Finds the address that stands for all addresses that are joined with the one at `index`.
fn find_root(parents: &[usize], mut index: usize) -> usize {
    while parents[index] != index {
        index = parents[index];
    }
    index
}

impl Live {
    pub(super) fn connections(&self) -> u64 {
        self.sessions.len() as u64
    }

    /// Number of addresses, where those that share keys, directly or through others, count as one.
    pub(super) fn addresses(&self) -> u64 {
        if self.networks.len() < 2 {
            return self.networks.len() as u64;
        }
        let (mut parents, mut users, mut joined) = (Vec::new(), HashMap::new(), 0);
        for (index, held) in self.networks.values().enumerate() {
            parents.push(index);
            for key in &held.keys {
                let [here, there] = [index, *users.entry(key).or_insert(index)].map(|at| find_root(&parents, at));
                if here != there {
                    parents[here] = there;
                    joined += 1;
                }
            }
        }
        self.networks.len() as u64 - joined
    }

    pub(super) fn recent_addresses(&self) -> u64 {
        self.addresses() + self.gone.len() as u64
    }

    /// Whether a connection from this address is open.
    pub(super) fn holds(&self, address: IpAddr) -> bool {
        self.networks.contains_key(&truncate_address(address))
    }

    /// Whether this key was used from an address with open connections.
    pub(super) fn knows(&self, key: NonZeroU64) -> bool {
        self.networks.values().any(|held| held.shares_key(&[key]))
    }

    /// Whether any key of the user's clients is known.
    pub(super) fn knows_keys(&self) -> bool {
        self.networks.values().any(|held| !held.keys.is_empty())
    }

    /// Sets the key of a connection's client.
    pub(super) fn set_key(&mut self, number: u64, key: NonZeroU64) {
        let Some(open) = self.sessions.get(&number) else { return };
        if let Some(held) = self.networks.get_mut(&truncate_address(open.address)) {
            held.note(key);
        }
    }

    /// Registers a connection, with the key that its client has shown, if it had to. Gives its number, and the token that
    /// is cancelled to cut it.
    pub(super) fn open(&mut self, address: IpAddr, key: Option<NonZeroU64>) -> (u64, CancellationToken) {
        let cut = self.cut.get_or_insert_default().child_token();
        self.opened += 1;
        self.sessions.insert(self.opened, Open { address, ends: None, cut: cut.clone() });
        let network = truncate_address(address);
        let held = self.networks.entry(network).or_default();
        held.sessions += 1;
        if let Some(key) = key {
            held.note(key);
        }
        self.gone.retain(|(gone, _)| *gone != network);
        (self.opened, cut)
    }

    /// Sets the two ends of a connection.
    pub(super) fn set_ends(&mut self, number: u64, ends: Ends) {
        if let Some(open) = self.sessions.get_mut(&number) {
            open.ends = Some(ends);
        }
    }

    /// Removes a connection, if it was not removed yet.
    pub(super) fn close(&mut self, number: u64, now: Instant) {
        let Some(open) = self.sessions.remove(&number) else { return };
        let network = truncate_address(open.address);
        if let Some(held) = self.networks.get_mut(&network) {
            held.sessions -= 1;
            if held.sessions == 0 {
                self.give_up(network, now);
            }
        }
        if self.networks.is_empty() {
            self.networks.shrink_to_fit();
        }
    }

    /// Removes an address without connections. It stays recent only if it was the last one of its device.
    fn give_up(&mut self, network: IpAddr, now: Instant) {
        let Some(held) = self.networks.remove(&network) else { return };
        if !self.networks.values().any(|other| other.shares_key(&held.keys)) {
            self.forget(now);
            self.gone.push((network, now));
        }
    }

    /// Removes addresses that are not recent any more.
    pub(super) fn forget(&mut self, now: Instant) {
        self.gone.retain(|(_, since)| now.duration_since(*since) < RECENT);
        self.gone.shrink_to_fit();
    }

    /// Takes the token whose cancellation cuts all connections that are open now.
    pub(super) fn take_cut(&mut self) -> Option<CancellationToken> {
        self.cut.take()
    }

    /// Cuts the connections from the addresses for which `ends` is true.
    pub(super) fn cut_from(&self, ends: impl Fn(IpAddr) -> bool) {
        self.sessions.values().filter(|open| ends(open.address)).for_each(|open| open.cut.cancel());
    }

    /// The numbers and ends of the connections, by address.
    pub(super) fn by_network(&self) -> HashMap<IpAddr, Vec<(u64, Option<Ends>)>> {
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for (&number, open) in &self.sessions {
            all.entry(truncate_address(open.address)).or_default().push((number, open.ends));
        }
        all
    }

    /// Cuts a connection and removes it at once, without waiting for its end.
    pub(super) fn evict(&mut self, number: u64, now: Instant) {
        if let Some(open) = self.sessions.get(&number) {
            open.cut.cancel();
            self.close(number, now);
        }
    }
}
