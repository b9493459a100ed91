//! The address memory: which users were recognised at an address, and whether hellos from it failed. It is bounded: there
//! are two generations of entries, and when the newer one is full, the older one is forgotten.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::network::truncate_address;

/// Most addresses in one generation.
const GENERATION: usize = 16_384;
/// Most names that are remembered for one address. Many users may share an address behind a NAT.
const NAMES: usize = 8;

/// What is remembered of one address.
#[derive(Debug, Clone, Default)]
struct Entry {
    /// Users who were recognised here, the last one first.
    names: Vec<Arc<str>>,
    /// Whether a hello from here fitted no secret.
    failed: bool,
}

/// The newer and the older generation. An IPv6 address is remembered as its /64.
#[derive(Debug, Default)]
pub(crate) struct AddressMemory(Mutex<[HashMap<IpAddr, Entry>; 2]>);

/// How urgent a search is; the lower one goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Valid clients came from the address, or no hello from it has failed.
    Usual,
    /// Only hellos that failed came from the address.
    AfterFailures,
}

impl AddressMemory {
    /// The users who were recognised at this address, the last one first, and the rank of a search for another user.
    pub(crate) fn recall(&self, address: IpAddr) -> (Vec<Arc<str>>, Rank) {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = generations.iter().find_map(|generation| generation.get(&truncate_address(address)));
        memory.map_or((Vec::new(), Rank::Usual), |memory| {
            let failed_only = memory.failed && memory.names.is_empty();
            (memory.names.clone(), if failed_only { Rank::AfterFailures } else { Rank::Usual })
        })
    }

    /// Notes that the user `name` was recognised at this address.
    pub(crate) fn note_success(&self, address: IpAddr, name: &Arc<str>) {
        self.update(address, |memory| {
            memory.names.retain(|known| known != name);
            memory.names.insert(0, Arc::clone(name));
            memory.names.truncate(NAMES);
        });
    }

    /// Notes that a hello from this address fitted no secret.
    pub(crate) fn note_failure(&self, address: IpAddr) {
        self.update(address, |memory| memory.failed = true);
    }

    fn update(&self, address: IpAddr, change: impl FnOnce(&mut Entry)) {
        let address = truncate_address(address);
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [current, previous] = &mut *generations;
        if current.len() >= GENERATION && !current.contains_key(&address) {
            *previous = std::mem::take(current);
        }
        change(current.entry(address).or_insert_with(|| previous.get(&address).cloned().unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_comes_first_and_failures_alone_make_a_search_wait() {
        let (memory, address) = (AddressMemory::default(), IpAddr::from([192, 0, 2, 1]));
        assert_eq!(memory.recall(address), (vec![], Rank::Usual));
        memory.note_failure(address);
        assert_eq!(memory.recall(address).1, Rank::AfterFailures);
        for name in ["a", "b", "a"] {
            memory.note_success(address, &name.into());
        }
        assert_eq!(memory.recall(address), (vec!["a".into(), "b".into()], Rank::Usual));
    }

    #[test]
    fn hosts_of_one_ipv6_network_are_one_address() {
        let memory = AddressMemory::default();
        memory.note_failure("2001:db8::1".parse().unwrap());
        assert_eq!(memory.recall("2001:db8::2".parse().unwrap()).1, Rank::AfterFailures);
        assert_eq!(memory.recall("2001:db8:0:1::2".parse().unwrap()).1, Rank::Usual);
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_the_memory() {
        let memory = AddressMemory::default();
        for number in 0..100_000_u32 {
            memory.note_failure(IpAddr::from(number.to_be_bytes()));
        }
        let kept: usize = memory.0.lock().unwrap().iter().map(HashMap::len).sum();
        assert!(kept <= 2 * GENERATION);
        assert_eq!(memory.recall(IpAddr::from(99_999_u32.to_be_bytes())).1, Rank::AfterFailures);
    }
}
