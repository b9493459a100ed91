//! Connection slots: the bounded number of open connections, and which connection is closed to make room for a new one.
//!
//! Nothing is known of a connection when it is accepted, so it takes a slot for visitors first. When its client proves a
//! valid secret, the slot becomes one for clients. Visitors never hold more than half of the slots. When no slot is free,
//! the oldest visitor of the network that holds most slots is closed. So an attacker in one network takes slots only from
//! that network.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::network::Network;

/// One network may hold at most the visitors' slots divided by this number…
const SHARE: usize = 4;
/// …but never fewer than this many, because many users share one network behind a NAT.
const MIN_SHARE: usize = 64;

/// All slots of the server, shared by its listeners.
#[derive(Debug)]
pub(crate) struct ConnectionSlots {
    /// Connections that may be open at once.
    most: usize,
    taken: Mutex<Taken>,
}

/// Order of arrival: a later connection has a higher number.
type Arrival = u64;

#[derive(Debug, Default)]
struct Taken {
    arrivals: Arrival,
    visitors: BTreeMap<Arrival, Visitor>,
    /// The visitors of each network.
    networks: HashMap<Network, BTreeSet<Arrival>>,
    /// The networks, ordered by their number of visitors. Of two with the same number, the one whose visitor came first
    /// is last.
    crowds: BTreeSet<(usize, Reverse<Arrival>, Network)>,
    clients: usize,
}

#[derive(Debug)]
struct Visitor {
    network: Network,
    evicted: CancellationToken,
}

/// A slot that a connection holds; dropping it frees the slot.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<ConnectionSlots>,
    arrival: Arrival,
    evicted: CancellationToken,
    is_client: bool,
}

impl Taken {
    fn insert(&mut self, arrival: Arrival, visitor: Visitor) {
        self.change(visitor.network, |visitors| {
            visitors.insert(arrival);
        });
        self.visitors.insert(arrival, visitor);
    }

    fn remove(&mut self, arrival: Arrival) -> Option<Visitor> {
        let visitor = self.visitors.remove(&arrival)?;
        self.change(visitor.network, |visitors| {
            visitors.remove(&arrival);
        });
        Some(visitor)
    }

    /// Changes the visitors of a network, and keeps `crowds` in step with them.
    fn change(&mut self, network: Network, change: impl FnOnce(&mut BTreeSet<Arrival>)) {
        let visitors = self.networks.entry(network).or_default();
        let crowd = |visitors: &BTreeSet<Arrival>| Some((visitors.len(), Reverse(*visitors.first()?), network));
        if let Some(before) = crowd(visitors) {
            self.crowds.remove(&before);
        }
        change(visitors);
        if let Some(after) = crowd(visitors) {
            self.crowds.insert(after);
        } else {
            self.networks.remove(&network);
        }
    }

    fn evict(&mut self, arrival: Arrival) -> Option<()> {
        self.remove(arrival)?.evicted.cancel();
        Some(())
    }

    /// The oldest visitor of a network, if the network holds at least `most` slots.
    fn oldest_of_full(&self, network: Network, most: usize) -> Option<Arrival> {
        let visitors = self.networks.get(&network)?;
        if visitors.len() >= most { visitors.first().copied() } else { None }
    }
}

impl ConnectionSlots {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many slots visitors may hold.
    fn for_visitors(&self) -> usize {
        (self.most / 2).max(1)
    }

    /// How many slots the visitors of one network may hold.
    fn for_network(&self) -> usize {
        (self.for_visitors() / SHARE).max(MIN_SHARE)
    }

    /// Takes a visitor's slot for a connection from `address`. Closes the oldest visitor of the largest network if no
    /// slot is free; `None` if clients hold all slots.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Slot> {
        let (mut taken, network) = (self.taken(), Network::of(address));
        if let Some(oldest) = taken.oldest_of_full(network, self.for_network()) {
            taken.evict(oldest);
        }
        let visitors = taken.visitors.len();
        if visitors >= self.for_visitors() || visitors + taken.clients >= self.most {
            let &(_, Reverse(oldest), _) = taken.crowds.last()?;
            taken.evict(oldest);
        }
        taken.arrivals += 1;
        let (arrival, evicted) = (taken.arrivals, CancellationToken::new());
        taken.insert(arrival, Visitor { network, evicted: evicted.clone() });
        Some(Slot { slots: Arc::clone(self), arrival, evicted, is_client: false })
    }
}

impl Slot {
    /// Waits until the slot is taken away for another connection.
    pub(crate) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// Sets the address of the visitor, once a PROXY header has named it.
    pub(crate) fn comes_from(&self, address: IpAddr) {
        let (mut taken, network) = (self.slots.taken(), Network::of(address));
        if taken.visitors.get(&self.arrival).is_none_or(|visitor| visitor.network == network) {
            return;
        }
        if let Some(oldest) = taken.oldest_of_full(network, self.slots.for_network()) {
            taken.evict(oldest);
        }
        if let Some(visitor) = taken.remove(self.arrival) {
            taken.insert(self.arrival, Visitor { network, ..visitor });
        }
    }

    /// Makes this a client's slot, which is never taken away; `false` if it was taken away already.
    pub(crate) fn recognise(&mut self) -> bool {
        let mut taken = self.slots.taken();
        if taken.remove(self.arrival).is_some() {
            taken.clients += 1;
            self.is_client = true;
        }
        self.is_client
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        if self.is_client {
            taken.clients -= 1;
        } else {
            taken.remove(self.arrival);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn is_evicted(slot: &Slot) -> bool {
        slot.evicted.is_cancelled()
    }

    #[test]
    fn visitors_hold_half_of_the_slots_and_the_oldest_is_evicted() {
        let slots = ConnectionSlots::new(4);
        let visitors = [slots.enter(HERE).unwrap(), slots.enter(HERE).unwrap()];
        let third = slots.enter(HERE).unwrap();
        assert_eq!(visitors.each_ref().map(is_evicted), [true, false]);
        drop(visitors);
        let fourth = slots.enter(HERE).unwrap();
        assert!(!is_evicted(&third) && !is_evicted(&fourth));
    }

    #[test]
    fn clients_may_hold_all_slots_and_are_never_evicted() {
        let slots = ConnectionSlots::new(4);
        let mut clients: Vec<Slot> = Vec::new();
        for _ in 0..4 {
            let mut client = slots.enter(HERE).unwrap();
            assert!(client.recognise());
            clients.push(client);
        }
        assert!(slots.enter(HERE).is_none());
        drop(clients.pop());
        let visitor = slots.enter(HERE).unwrap();
        let mut other = slots.enter(HERE).unwrap();
        assert!(is_evicted(&visitor));
        assert!(other.recognise() && slots.enter(HERE).is_none());
        assert!(clients.iter().all(|client| !is_evicted(client)));
    }

    #[test]
    fn an_evicted_connection_is_not_recognised_any_more() {
        let slots = ConnectionSlots::new(1);
        let mut first = slots.enter(HERE).unwrap();
        let second = slots.enter(HERE).unwrap();
        assert!(!first.recognise());
        drop((first, second));
        assert!(slots.enter(HERE).unwrap().recognise());
        assert_eq!(slots.taken().clients, 0);
    }

    #[rstest]
    #[case::of_ipv4("198.51.100.1", ["192.0.2.1", "192.0.2.200"])]
    #[case::of_ipv6("198.51.100.1", ["2001:db8:1::1", "2001:db8:1:2::1"])]
    #[case::mapped_and_not("2001:db8::1", ["192.0.2.1", "::ffff:192.0.2.7"])]
    fn the_network_with_most_visitors_makes_room(#[case] single: &str, #[case] crowd: [&str; 2]) {
        let slots = ConnectionSlots::new(6);
        let first = slots.enter(single.parse().unwrap()).unwrap();
        let crowd = crowd.map(|address| slots.enter(address.parse().unwrap()).unwrap());
        // The newcomer is of a third network.
        let last = slots.enter("203.0.113.1".parse().unwrap()).unwrap();
        assert!(!is_evicted(&first) && !is_evicted(&last));
        assert_eq!(crowd.each_ref().map(is_evicted), [true, false]);
    }

    #[test]
    fn the_address_of_a_proxy_header_counts() {
        let slots = ConnectionSlots::new(6);
        let all: Vec<Slot> = (0..3).map(|_| slots.enter(HERE).unwrap()).collect();
        for (slot, address) in all.iter().zip(["198.51.100.1", "192.0.2.1", "192.0.2.2"]) {
            slot.comes_from(address.parse().unwrap());
        }
        let last = slots.enter(HERE).unwrap();
        assert_eq!([&all[0], &all[1], &all[2], &last].map(is_evicted), [false, true, false, false]);
        drop((all, last));
        let taken = slots.taken();
        assert!(taken.visitors.is_empty() && taken.networks.is_empty() && taken.crowds.is_empty());
    }

    #[test]
    fn one_network_never_holds_more_than_its_share() {
        let slots = ConnectionSlots::new(2_000);
        let all: Vec<Slot> = (0..300).map(|_| slots.enter(HERE).unwrap()).collect();
        let late = slots.enter("192.0.2.1".parse().unwrap()).unwrap();
        late.comes_from(HERE);
        assert_eq!(all.iter().filter(|slot| is_evicted(slot)).count(), 51);
        assert!(!is_evicted(&late));
    }
}
