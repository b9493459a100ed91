//! Accounts: the traffic and the open connections of each name, from the start of the process to its end.

mod live;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::UserRule;
pub(crate) use live::Ends;
use live::Live;

/// Most connections of one user that may show their key at the same time.
const MOST_PROOFS: u64 = 4;
/// Stands for no quota.
const UNLIMITED: u64 = u64::MAX;

/// The direction of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    FromClient,
    ToClient,
}

/// The counters and open connections of one name. Arrays hold the traffic from the client first, then to the client.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: Arc<str>,
    /// Bytes moved.
    octets: [AtomicU64; 2],
    /// Transfers: each is what one read has given.
    messages: [AtomicU64; 2],
    connections_total: AtomicU64,
    /// Bytes moved in both directions, and bytes granted to transfers under way.
    granted: AtomicU64,
    /// Bytes moved in both directions.
    moved: AtomicU64,
    /// Bytes that may move in both directions since the start of the process.
    quota: AtomicU64,
    /// Notified when bytes of the quota may have become free.
    freed: Notify,
    live: Mutex<Live>,
    /// Number of connections that are showing their key.
    proofs: AtomicU64,
}

/// The counters of an account at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) octets: [u64; 2],
    pub(crate) messages: [u64; 2],
    pub(crate) connections_total: u64,
    pub(crate) connections: u64,
    pub(crate) addresses: u64,
    /// Addresses that are connected now or were a short time ago.
    pub(crate) recent_addresses: u64,
}

/// Why a client with a valid secret is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// The user has been removed, or has another secret by now.
    Unknown,
    Disabled,
    Expired,
    Quota,
    TooManyConnections,
    TooManyAddresses,
    /// `user_source_deny` names the client's address.
    SourceDenied,
}

impl Account {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            octets: Default::default(),
            messages: Default::default(),
            connections_total: AtomicU64::new(0),
            granted: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            quota: AtomicU64::new(UNLIMITED),
            freed: Notify::new(),
            live: Mutex::default(),
            proofs: AtomicU64::new(0),
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the quota, in bytes of both directions since the start of the process; `None` is no limit.
    pub(crate) fn set_quota(&self, quota: Option<u64>) {
        self.quota.store(quota.unwrap_or(UNLIMITED), SeqCst);
        self.freed.notify_waiters();
    }

    /// Whether the quota is used up.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.moved.load(SeqCst) >= self.quota.load(SeqCst)
    }

    /// Whether this name was ever served.
    pub(crate) fn is_known(&self) -> bool {
        self.connections_total.load(Relaxed) > 0
    }

    /// Cuts every connection that is open now.
    pub(crate) fn cut(&self) {
        let cut = self.live().take_cut();
        if let Some(cut) = cut {
            cut.cancel();
        }
    }

    /// Cuts the connections from the addresses for which `ends` is true.
    pub(crate) fn cut_from(&self, ends: impl Fn(IpAddr) -> bool) {
        self.live().cut_from(ends);
    }

    /// Registers a connection from `address`, if the limits of `rule` allow one more.
    ///
    /// An address beyond the limit is admitted if the client has shown its `key` and an admitted client uses the same
    /// key. Both addresses count as one from then on.
    pub(crate) fn admit(
        self: &Arc<Self>,
        rule: &UserRule,
        address: IpAddr,
        key: Option<NonZeroU64>,
    ) -> Result<Session, Refusal> {
        if self.is_exhausted() {
            return Err(Refusal::Quota);
        }
        if rule.denies(address) {
            return Err(Refusal::SourceDenied);
        }
        let mut live = self.live();
        if rule.max_connections.is_some_and(|most| live.connections() >= most) {
            return Err(Refusal::TooManyConnections);
        }
        let is_counted = live.holds(address) || key.is_some_and(|key| live.knows(key));
        if !is_counted && rule.max_ips.is_some_and(|most| live.addresses() >= most) {
            return Err(Refusal::TooManyAddresses);
        }
        let (number, cut) = live.open(address, key);
        drop(live);
        self.connections_total.fetch_add(1, Relaxed);
        Ok(Session { account: Arc::clone(self), number, cut, has_address_limit: rule.max_ips.is_some() })
    }

    /// Lets a connection from an address beyond the limit show its key. `None` if enough others are doing so, or if no
    /// key of an admitted client is known to compare it with.
    pub(crate) fn begin_proof(self: &Arc<Self>) -> Option<Proof> {
        if !self.live().knows_keys() {
            return None;
        }
        let count = |proofs: u64| (proofs < MOST_PROOFS).then_some(proofs + 1);
        self.proofs.fetch_update(SeqCst, SeqCst, count).ok()?;
        Some(Proof(Arc::clone(self)))
    }

    /// Closes the connections of every address of which no connection answers; returns whether there was one. A
    /// connection whose ends are not known counts as answering.
    pub(crate) fn evict_silent(&self, answers: impl Fn(Ends) -> bool) -> bool {
        let networks = self.live().by_network();
        let is_silent = |ends: Option<Ends>| ends.is_some_and(|ends| !answers(ends));
        let silent = networks.into_values().filter(|sessions| sessions.iter().all(|(_, ends)| is_silent(*ends)));
        let silent: Vec<u64> = silent.flatten().map(|(number, _)| number).collect();
        let mut live = self.live();
        for &number in &silent {
            live.evict(number, Instant::now());
        }
        !silent.is_empty()
    }

    /// Reserves between one and `wanted` bytes of what is left of the quota. Bytes that are not [spent](Grant::spend) are
    /// given back when the grant is dropped. Waits while other transfers hold the rest. `None` if the quota is used up.
    pub(crate) async fn grant(&self, direction: Direction, wanted: usize) -> Option<Grant<'_>> {
        loop {
            let grant = self.take(direction, wanted);
            if grant.left > 0 {
                return Some(grant);
            }
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Notifications are not missed from here on. What was freed before is seen by the next attempt.
            freed.as_mut().enable();
            let grant = self.take(direction, wanted);
            if grant.left > 0 {
                return Some(grant);
            }
            if self.is_exhausted() {
                return None;
            }
            drop(grant);
            freed.await;
        }
    }

    /// Reserves up to `wanted` bytes without waiting.
    fn take(&self, direction: Direction, wanted: usize) -> Grant<'_> {
        let quota = self.quota.load(SeqCst);
        let share = |granted: u64| (wanted as u64).min(quota.saturating_sub(granted));
        let before = self.granted.fetch_update(SeqCst, SeqCst, |granted| Some(granted + share(granted)));
        Grant { account: self, direction, left: before.map_or(0, share), moved: false }
    }

    /// Reads all counters.
    pub(crate) fn read(&self) -> Reading {
        let load = |pair: &[AtomicU64; 2]| [pair[0].load(Relaxed), pair[1].load(Relaxed)];
        let mut live = self.live();
        live.forget(Instant::now());
        Reading {
            octets: load(&self.octets),
            messages: load(&self.messages),
            connections_total: self.connections_total.load(Relaxed),
            connections: live.connections(),
            addresses: live.addresses(),
            recent_addresses: live.recent_addresses(),
        }
    }
}

/// Bytes of the quota that are reserved for one transfer.
#[derive(Debug)]
pub(crate) struct Grant<'a> {
    account: &'a Account,
    direction: Direction,
    left: u64,
    moved: bool,
}

impl Grant<'_> {
    /// How many bytes may still be moved.
    pub(crate) fn left(&self) -> usize {
        usize::try_from(self.left).unwrap_or(usize::MAX)
    }

    /// Gives back all but `needed` bytes.
    pub(crate) fn keep(&mut self, needed: usize) {
        let spare = self.left.saturating_sub(needed as u64);
        self.left -= spare;
        self.give_back(spare);
    }

    /// Counts so many bytes as moved. If they were the last bytes of the quota, all connections of the user are cut.
    pub(crate) fn spend(&mut self, bytes: usize) {
        let (account, bytes) = (self.account, self.left.min(bytes as u64));
        self.left -= bytes;
        self.moved |= bytes > 0;
        account.octets[self.direction as usize].fetch_add(bytes, Relaxed);
        let moved = account.moved.fetch_add(bytes, SeqCst) + bytes;
        if moved >= account.quota.load(SeqCst) {
            account.freed.notify_waiters();
            account.cut();
        }
    }

    fn give_back(&self, bytes: u64) {
        if bytes > 0 {
            self.account.granted.fetch_sub(bytes, SeqCst);
            self.account.freed.notify_waiters();
        }
    }
}

impl Drop for Grant<'_> {
    fn drop(&mut self) {
        self.give_back(self.left);
        if self.moved {
            self.account.messages[self.direction as usize].fetch_add(1, Relaxed);
        }
    }
}

/// The permission to show a key; dropping it lets another connection do so.
#[derive(Debug)]
pub(crate) struct Proof(pub(crate) Arc<Account>);

impl Drop for Proof {
    fn drop(&mut self) {
        self.0.proofs.fetch_sub(1, SeqCst);
    }
}

/// A connection of a user that was admitted; dropping it removes it from the account.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) account: Arc<Account>,
    number: u64,
    cut: CancellationToken,
    /// Whether the user has a limit of addresses, so that it matters which addresses are one device.
    pub(crate) has_address_limit: bool,
}

impl Session {
    /// Waits until the connection is cut.
    pub(crate) async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Sets the two ends of the connection.
    pub(crate) fn set_ends(&self, ends: Ends) {
        self.account.live().set_ends(self.number, ends);
    }

    /// Sets the authorization key of the client.
    pub(crate) fn set_key(&self, key: NonZeroU64) {
        self.account.live().set_key(self.number, key);
    }

    /// Whether the connection was cut.
    #[cfg(test)]
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.is_cancelled()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.account.live().close(self.number, Instant::now());
    }
}
