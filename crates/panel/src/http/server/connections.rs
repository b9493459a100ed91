//! The connection slots of a listener, and which connection is closed when a new one needs a slot.
//!
//! A new connection is always accepted. If no slot is free, a connection that waits for its client is closed: in the network
//! with the most connections, the one that has waited longest. A connection whose request is being worked on is never
//! closed. If all connections are at work, a few reserved slots remain, in which only health checks are answered.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Bounds;

/// Longest wait of a request while requests that are being worked on hold every slot.
const QUEUE: Duration = Duration::from_secs(5);

/// The part of a request that is read next from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The head of a request.
    Head,
    /// A complete head, of which so many bytes are not yet passed to the HTTP library.
    Given(usize),
    /// A body of which so many bytes are left to read.
    Body(u64),
    /// A body of unknown length. It is the last part that is read on this connection.
    Rest,
}

/// A connection slot, held until it is dropped.
#[derive(Debug)]
struct Slot {
    is_regular: bool,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct State {
    /// The network of the client; `None` for a trusted reverse proxy between two requests.
    network: Option<IpAddr>,
    slot: Option<Slot>,
    /// A request has come and is not answered yet.
    is_answering: bool,
    /// The server works on a request; otherwise it waits for the client.
    is_working: bool,
    /// Since when the server works or waits.
    since: Instant,
    reading: Reading,
    /// The task that waits for the answer to the present request before it reads the next head.
    reader: Option<Waker>,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    state: Mutex<State>,
    cut: CancellationToken,
}

impl Connection {
    fn new(network: Option<IpAddr>, slot: Slot) -> Self {
        let state = State {
            network,
            slot: Some(slot),
            is_answering: false,
            is_working: false,
            since: Instant::now(),
            reading: Reading::Head,
            reader: None,
        };
        Self { state: Mutex::new(state), cut: CancellationToken::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the connection at once.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_cancelled()
    }

    pub(super) async fn until_cut(&self) {
        self.cut.cancelled().await;
    }

    pub(super) fn since(&self) -> Instant {
        self.state().since
    }

    /// Restarts the wait for the client, which has just made progress.
    pub(super) fn touch(&self) {
        self.state().since = Instant::now();
    }

    /// Whether a request has come and is not answered yet.
    pub(super) fn is_answering(&self) -> bool {
        self.state().is_answering
    }

    /// Records that a request has come (`true`) or is answered (`false`).
    pub(super) fn set_answering(&self, is_answering: bool) {
        self.state().is_answering = is_answering;
        self.set_working(is_answering);
        if !is_answering {
            self.wake_reader();
        }
    }

    /// Wakes this task when the next head may be read.
    pub(super) fn wait_to_read(&self, cx: &Context<'_>) {
        self.state().reader = Some(cx.waker().clone());
    }

    /// Wakes the task that waits to read the next head.
    pub(super) fn wake_reader(&self) {
        let reader = self.state().reader.take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Records whether the server works on a request (`true`) or waits for the client (`false`).
    pub(super) fn set_working(&self, is_working: bool) {
        let mut state = self.state();
        if state.is_working != is_working {
            (state.is_working, state.since) = (is_working, Instant::now());
        }
    }

    pub(super) fn reading(&self) -> Reading {
        self.state().reading
    }

    pub(super) fn set_reading(&self, reading: Reading) {
        self.state().reading = reading;
    }

    /// Records that so many bytes of a body were read.
    pub(super) fn count_read(&self, bytes: usize) {
        let mut state = self.state();
        if let Reading::Body(left) = state.reading {
            let left = left.saturating_sub(bytes as u64);
            state.reading = if left == 0 { Reading::Head } else { Reading::Body(left) };
        }
    }
}

/// All open connections of a listener.
#[derive(Debug)]
pub(super) struct Connections {
    bounds: Bounds,
    regular: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
    open: Mutex<Vec<Arc<Connection>>>,
}

impl Connections {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            regular: Arc::new(Semaphore::new(bounds.connections)),
            reserved: Arc::new(Semaphore::new(bounds.reserved)),
            open: Mutex::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts a new connection from this address; `None` for a trusted reverse proxy. Returns `None` if all connections that
    /// its network may have are at work, and no reserved slot is free.
    pub(super) async fn admit(&self, address: Option<IpAddr>) -> Option<Arc<Connection>> {
        let network = address.map(network_of);
        let slot = if self.make_room_within(network, None) {
            match self.try_regular_slot().or_else(|| self.try_reserved_slot()) {
                Some(slot) => slot,
                None => self.wait_for_slot().await,
            }
        } else {
            // It may be a health check.
            self.try_reserved_slot()?
        };
        let connection = Arc::new(Connection::new(network, slot));
        self.open().push(Arc::clone(&connection));
        Some(connection)
    }

    /// Forgets a connection that has ended.
    pub(super) fn remove(&self, connection: &Arc<Connection>) {
        self.open().retain(|open| !Arc::ptr_eq(open, connection));
    }

    /// Counts the connection to the network of this address, the client of its present request. `false` if that network has
    /// too many connections.
    pub(super) fn attribute(&self, connection: &Arc<Connection>, address: Option<IpAddr>) -> bool {
        let network = address.map(network_of);
        connection.state().network = network;
        self.make_room_within(network, Some(connection))
    }

    /// Waits for a slot in which any request is served; `false` after too long a wait.
    pub(super) async fn wait_for_regular_slot(&self, connection: &Connection) -> bool {
        if connection.state().slot.as_ref().is_some_and(|slot| slot.is_regular) {
            return true;
        }
        let slot = match self.try_regular_slot() {
            Some(slot) => slot,
            None => match tokio::time::timeout(QUEUE, Arc::clone(&self.regular).acquire_owned()).await {
                Ok(Ok(permit)) => Slot { is_regular: true, _permit: permit },
                _ => return false,
            },
        };
        connection.state().slot = Some(slot);
        true
    }

    async fn wait_for_slot(&self) -> Slot {
        let (permit, is_regular) = tokio::select! {
            permit = Arc::clone(&self.regular).acquire_owned() => (permit, true),
            permit = Arc::clone(&self.reserved).acquire_owned() => (permit, false),
        };
        Slot { is_regular, _permit: permit.expect("the semaphore is never closed") }
    }

    fn try_regular_slot(&self) -> Option<Slot> {
        match Arc::clone(&self.regular).try_acquire_owned() {
            Ok(permit) => Some(Slot { is_regular: true, _permit: permit }),
            Err(_) => self.take_slot(true),
        }
    }

    fn try_reserved_slot(&self) -> Option<Slot> {
        match Arc::clone(&self.reserved).try_acquire_owned() {
            Ok(permit) => Some(Slot { is_regular: false, _permit: permit }),
            Err(_) => self.take_slot(false),
        }
    }

    /// Takes the slot of the connection that has waited longest in the network with the most connections, and closes that
    /// connection.
    fn take_slot(&self, is_regular: bool) -> Option<Slot> {
        let open = self.open();
        // Connections may change while this runs, so what decides is collected first.
        let mut counts = HashMap::new();
        let mut waiting = Vec::new();
        for connection in open.iter().filter(|connection| !connection.is_cut()) {
            let state = connection.state();
            *counts.entry(state.network).or_insert(0_usize) += 1;
            if !state.is_working && state.slot.as_ref().is_some_and(|slot| slot.is_regular == is_regular) {
                waiting.push((state.network, state.since, connection));
            }
        }
        let rank = |(network, since, _): &(_, Instant, _)| (counts[network], Reverse(*since));
        let ranked = waiting.iter().map(|each| (rank(each), each.2));
        let (_, victim) = ranked.max_by_key(|(rank, _)| *rank)?;
        let slot = victim.state().slot.take();
        victim.cut();
        slot
    }

    /// Closes the connections of a network that have waited longest, until there is room for one more: for `keep`, or for a
    /// new one. `false` if too many of them are at work.
    fn make_room_within(&self, network: Option<IpAddr>, keep: Option<&Arc<Connection>>) -> bool {
        let Some(network) = network else { return true };
        let open = self.open();
        let (mut count, mut waiting) = (1_usize, Vec::new());
        for other in open.iter().filter(|open| !open.is_cut() && keep.is_none_or(|keep| !Arc::ptr_eq(open, keep))) {
            let state = other.state();
            if state.network == Some(network) {
                count += 1;
                if !state.is_working {
                    waiting.push((state.since, other));
                }
            }
        }
        let excess = count.saturating_sub(self.bounds.per_network);
        waiting.sort_by_key(|(since, _)| *since);
        for (_, other) in waiting.iter().take(excess) {
            other.cut();
        }
        waiting.len() >= excess
    }
}

/// The network that an address counts to: the IPv4 address itself, or the /64 of an IPv6 address.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::super::BOUNDS;
    use super::*;

    fn connections(connections: usize, reserved: usize, per_network: usize) -> Connections {
        Connections::new(Bounds { connections, reserved, per_network, ..BOUNDS })
    }

    async fn admit(connections: &Connections, address: &str) -> Arc<Connection> {
        connections.admit(Some(address.parse().unwrap())).await.unwrap()
    }

    #[tokio::test]
    async fn the_longest_waiting_of_the_network_that_holds_most_gives_way() {
        let all = connections(4, 1, 9);
        let single = admit(&all, "192.0.2.1").await;
        let first = admit(&all, "2001:db8::1").await;
        let second = admit(&all, "2001:db8::2").await;
        let third = admit(&all, "2001:db8::3").await;
        first.set_working(true);
        let newcomer = admit(&all, "192.0.2.2").await;
        let cut = [&single, &first, &second, &third, &newcomer].map(|connection| connection.is_cut());
        assert_eq!(cut, [false, false, true, false, false]);
    }

    #[tokio::test]
    async fn a_slot_is_left_for_health_when_all_others_work_and_a_request_in_it_waits_for_one_of_them() {
        let all = connections(1, 1, 9);
        let busy = admit(&all, "192.0.2.1").await;
        busy.set_working(true);
        let newcomer = admit(&all, "192.0.2.2").await;
        assert!(!busy.is_cut() && !newcomer.state().slot.as_ref().unwrap().is_regular);
        all.remove(&busy);
        drop(busy);
        assert!(all.wait_for_regular_slot(&newcomer).await);
        assert!(newcomer.state().slot.as_ref().unwrap().is_regular);
    }

    #[tokio::test]
    async fn a_network_has_its_own_bound_and_a_trusted_proxy_has_none_for_itself() {
        let all = connections(9, 1, 2);
        let (one, two) = (admit(&all, "192.0.2.1").await, admit(&all, "192.0.2.1").await);
        let other = admit(&all, "192.0.2.2").await;
        let three = admit(&all, "192.0.2.1").await;
        assert_eq!([&one, &two, &other, &three].map(|connection| connection.is_cut()), [true, false, false, false]);
        two.set_working(true);
        three.set_working(true);
        // They are at work: another one gets a reserved slot, in which only health checks are answered.
        let four = admit(&all, "192.0.2.1").await;
        assert!(!four.state().slot.as_ref().unwrap().is_regular);
        assert!(!all.attribute(&four, Some("192.0.2.1".parse().unwrap())));
        four.set_working(true);
        assert!(all.admit(Some("192.0.2.1".parse().unwrap())).await.is_none());
        let proxied = [all.admit(None).await.unwrap(), all.admit(None).await.unwrap(), all.admit(None).await.unwrap()];
        assert!(proxied.iter().all(|connection| !connection.is_cut()));
        // Behind the reverse proxy clients are told apart by the address that it names.
        let client = Some("198.51.100.1".parse().unwrap());
        assert!(proxied.iter().all(|connection| all.attribute(connection, client)));
        assert_eq!(proxied.each_ref().map(|connection| connection.is_cut()), [true, false, false]);
    }
}
