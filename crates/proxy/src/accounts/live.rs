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
    /// Number of addresses beyond the first of each device.
    joined: u64,
    /// Addresses without connections that still count as recent, and since when they have had none.
    gone: Vec<(IpAddr, Instant)>,
    /// Cancelled to cut all connections that are open now; `None` if none was opened since the last cut.
    cut: Option<CancellationToken>,
}

/// An address with open connections.
#[derive(Debug)]
struct Held {
    /// Number of its connections.
    sessions: u64,
    /// The device of this address: the number of the connection with which the device was first admitted.
    device: u64,
}

/// An open connection.
#[derive(Debug)]
struct Open {
    address: IpAddr,
    ends: Option<Ends>,
    /// The authorization key of the client, once it is known.
    key: Option<NonZeroU64>,
    cut: CancellationToken,
}

impl Live {
    pub(super) fn connections(&self) -> u64 {
        self.sessions.len() as u64
    }

    /// Number of addresses, where those of one device count as one.
    pub(super) fn addresses(&self) -> u64 {
        self.networks.len() as u64 - self.joined
    }

    pub(super) fn recent_addresses(&self) -> u64 {
        self.addresses() + self.gone.len() as u64
    }

    /// Whether a connection from this address is open.
    pub(super) fn holds(&self, address: IpAddr) -> bool {
        self.networks.contains_key(&truncate_address(address))
    }

    /// The device of an open connection with this key.
    pub(super) fn device_of(&self, key: NonZeroU64) -> Option<u64> {
        let open = self.sessions.values().find(|open| open.key == Some(key))?;
        self.networks.get(&truncate_address(open.address)).map(|held| held.device)
    }

    /// Whether the key of any open connection is known.
    pub(super) fn knows_keys(&self) -> bool {
        self.sessions.values().any(|open| open.key.is_some())
    }

    /// Sets the key of a connection's client.
    pub(super) fn set_key(&mut self, number: u64, key: NonZeroU64) {
        if let Some(open) = self.sessions.get_mut(&number) {
            open.key = Some(key);
        }
    }

    /// Registers a connection of `device`, or of a new device. Gives its number, and the token that is cancelled to cut it.
    pub(super) fn open(&mut self, address: IpAddr, device: Option<u64>) -> (u64, CancellationToken) {
        let cut = self.cut.get_or_insert_default().child_token();
        self.opened += 1;
        self.sessions.insert(self.opened, Open { address, ends: None, key: None, cut: cut.clone() });
        let network = truncate_address(address);
        if let Some(held) = self.networks.get_mut(&network) {
            held.sessions += 1;
        } else {
            self.joined += u64::from(device.is_some());
            self.networks.insert(network, Held { sessions: 1, device: device.unwrap_or(self.opened) });
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
        if self.joined > 0 && self.networks.values().any(|other| other.device == held.device) {
            self.joined -= 1;
        } else {
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
