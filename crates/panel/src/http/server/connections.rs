//! The open connections of a listener: how many there may be, and which one gives way to a new one.
//!
//! A new connection is always taken. If there is no place for it, the one that has waited longest for its client is cut,
//! in the network that holds most. A connection whose request is being worked on is never cut. If there is no other, a
//! few places are left in which health checks are answered.

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

/// For how long a request waits if every place is taken by requests that are being worked on.
const QUEUE: Duration = Duration::from_secs(5);

/// What is read from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// The head of a request.
    Head,
    /// The rest of a complete head, which the library takes.
    Given(usize),
    /// A body of which so many bytes are left.
    Body(u64),
    /// A body of unknown length. It is the last thing that is read.
    Rest,
}

#[derive(Debug)]
struct Place {
    is_regular: bool,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct State {
    /// Whose it is; `None` for a trusted proxy between two requests.
    network: Option<IpAddr>,
    place: Option<Place>,
    /// A request has come and is not answered yet.
    is_answering: bool,
    /// The server works. Otherwise the client is waited for.
    is_working: bool,
    /// Since when it waits for its client, or works.
    since: Instant,
    reading: Reading,
    /// Who waits to read the next head until the present request is answered.
    reader: Option<Waker>,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    state: Mutex<State>,
    cut: CancellationToken,
}

impl Connection {
    fn new(network: Option<IpAddr>, place: Place) -> Self {
        let state = State {
            network,
            place: Some(place),
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

    /// Ends it at once.
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

    /// The client has taken or sent something that counts.
    pub(super) fn touch(&self) {
        self.state().since = Instant::now();
    }

    /// Whether a request has come and is not answered yet.
    pub(super) fn is_answering(&self) -> bool {
        self.state().is_answering
    }

    /// A request has come, or is answered.
    pub(super) fn set_answering(&self, is_answering: bool) {
        self.state().is_answering = is_answering;
        self.set_working(is_answering);
        if !is_answering {
            self.wake_reader();
        }
    }

    /// Has the task woken when the answer that is under way allows to read on.
    pub(super) fn wait_to_read(&self, cx: &Context<'_>) {
        self.state().reader = Some(cx.waker().clone());
    }

    /// The next head may be read.
    pub(super) fn wake_reader(&self) {
        let reader = self.state().reader.take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Whether the server works (`true`) or waits for the client (`false`).
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

    /// So many bytes of a body were read.
    pub(super) fn has_read(&self, bytes: usize) {
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

    /// Takes a new connection of this address, or of a trusted proxy. `None` if its network has too many, all at work, and
    /// there is no reserved place either.
    pub(super) async fn admit(&self, address: Option<IpAddr>) -> Option<Arc<Connection>> {
        let network = address.map(network);
        let place = if self.makes_room_within(network, None) {
            match self.regular_place().or_else(|| self.reserved_place()) {
                Some(place) => place,
                None => self.next_place().await,
            }
        } else {
            // It may be a health check.
            self.reserved_place()?
        };
        let connection = Arc::new(Connection::new(network, place));
        self.open().push(Arc::clone(&connection));
        Some(connection)
    }

    /// Forgets a connection that has ended.
    pub(super) fn remove(&self, connection: &Arc<Connection>) {
        self.open().retain(|open| !Arc::ptr_eq(open, connection));
    }

    /// Counts the connection as one of this address while it serves its request. `false` if there are too many.
    pub(super) fn attribute(&self, connection: &Arc<Connection>, address: Option<IpAddr>) -> bool {
        let network = address.map(network);
        connection.state().network = network;
        self.makes_room_within(network, Some(connection))
    }

    /// Waits for a place in which any request is served; `false` if there is none for too long.
    pub(super) async fn has_regular_place(&self, connection: &Connection) -> bool {
        if connection.state().place.as_ref().is_some_and(|place| place.is_regular) {
            return true;
        }
        let place = match self.regular_place() {
            Some(place) => place,
            None => match tokio::time::timeout(QUEUE, Arc::clone(&self.regular).acquire_owned()).await {
                Ok(Ok(permit)) => Place { is_regular: true, _permit: permit },
                _ => return false,
            },
        };
        connection.state().place = Some(place);
        true
    }

    async fn next_place(&self) -> Place {
        let (permit, is_regular) = tokio::select! {
            permit = Arc::clone(&self.regular).acquire_owned() => (permit, true),
            permit = Arc::clone(&self.reserved).acquire_owned() => (permit, false),
        };
        Place { is_regular, _permit: permit.expect("the semaphore is never closed") }
    }

    fn regular_place(&self) -> Option<Place> {
        match Arc::clone(&self.regular).try_acquire_owned() {
            Ok(permit) => Some(Place { is_regular: true, _permit: permit }),
            Err(_) => self.take_place(true),
        }
    }

    fn reserved_place(&self) -> Option<Place> {
        match Arc::clone(&self.reserved).try_acquire_owned() {
            Ok(permit) => Some(Place { is_regular: false, _permit: permit }),
            Err(_) => self.take_place(false),
        }
    }

    /// Cuts the connection that has waited longest in the network that holds most, and gives its place away.
    fn take_place(&self, is_regular: bool) -> Option<Place> {
        let open = self.open();
        // As of now: each connection may change meanwhile.
        let mut counts = HashMap::new();
        let mut waiting = Vec::new();
        for connection in open.iter().filter(|connection| !connection.is_cut()) {
            let state = connection.state();
            *counts.entry(state.network).or_insert(0_usize) += 1;
            if !state.is_working && state.place.as_ref().is_some_and(|place| place.is_regular == is_regular) {
                waiting.push((state.network, state.since, connection));
            }
        }
        let rank = |(network, since, _): &(_, Instant, _)| (counts[network], Reverse(*since));
        let ranked = waiting.iter().map(|each| (rank(each), each.2));
        let (_, victim) = ranked.max_by_key(|(rank, _)| *rank)?;
        let place = victim.state().place.take();
        victim.cut();
        place
    }

    /// Cuts those of a network that have waited longest, so that with this or a new one it has no more than it may.
    fn makes_room_within(&self, network: Option<IpAddr>, keep: Option<&Arc<Connection>>) -> bool {
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

/// What counts as one client: an IPv4 address, or the /64 of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
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
    async fn a_place_is_left_for_health_when_all_others_work_and_a_request_in_it_waits_for_one_of_them() {
        let all = connections(1, 1, 9);
        let busy = admit(&all, "192.0.2.1").await;
        busy.set_working(true);
        let newcomer = admit(&all, "192.0.2.2").await;
        assert!(!busy.is_cut() && !newcomer.state().place.as_ref().unwrap().is_regular);
        all.remove(&busy);
        drop(busy);
        assert!(all.has_regular_place(&newcomer).await);
        assert!(newcomer.state().place.as_ref().unwrap().is_regular);
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
        // They are at work: another one gets a reserved place, in which nothing but a health check is answered.
        let four = admit(&all, "192.0.2.1").await;
        assert!(!four.state().place.as_ref().unwrap().is_regular);
        assert!(!all.attribute(&four, Some("192.0.2.1".parse().unwrap())));
        four.set_working(true);
        assert!(all.admit(Some("192.0.2.1".parse().unwrap())).await.is_none());
        let proxied = [all.admit(None).await.unwrap(), all.admit(None).await.unwrap(), all.admit(None).await.unwrap()];
        assert!(proxied.iter().all(|connection| !connection.is_cut()));
        // Behind the proxy, clients are told apart by what it says of them.
        let client = Some("198.51.100.1".parse().unwrap());
        assert!(proxied.iter().all(|connection| all.attribute(connection, client)));
        assert_eq!(proxied.each_ref().map(|connection| connection.is_cut()), [true, false, false]);
    }
}
