//! What is remembered of client addresses: whose secrets were right, and whether hellos failed. Bounded: when a
//! generation is full, the one before it is forgotten.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::network::truncate_address;

/// Addresses in one generation; two are kept.
const GENERATION: usize = 16_384;
/// Names remembered by address; many share one behind a NAT.
const NAMES: usize = 8;

#[derive(Debug, Clone, Default)]
struct Entry {
    /// Last first.
    names: Vec<Arc<str>>,
    failed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct AddressMemory(Mutex<[HashMap<IpAddr, Entry>; 2]>);

/// How far behind others a search waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// The address is new or has brought valid clients.
    Usual,
    /// It has brought failures only.
    AfterFailures,
}

impl AddressMemory {
    /// Names whose secrets were right from this address, last first, and how urgent a search for another one is.
    pub(crate) fn recall(&self, address: IpAddr) -> (Vec<Arc<str>>, Rank) {
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = generations.iter().find_map(|generation| generation.get(&truncate_address(address)));
        memory.map_or((Vec::new(), Rank::Usual), |memory| {
            let failed_only = memory.failed && memory.names.is_empty();
            (memory.names.clone(), if failed_only { Rank::AfterFailures } else { Rank::Usual })
        })
    }

    /// A secret was right.
    pub(crate) fn succeeded(&self, address: IpAddr, name: &Arc<str>) {
        self.update(address, |memory| {
            memory.names.retain(|known| known != name);
            memory.names.insert(0, Arc::clone(name));
            memory.names.truncate(NAMES);
        });
    }

    /// No secret was right.
    pub(crate) fn failed(&self, address: IpAddr) {
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
    fn the_last_right_name_comes_first_and_an_address_with_failures_alone_waits_longer() {
        let (recent, address) = (AddressMemory::default(), IpAddr::from([192, 0, 2, 1]));
        assert_eq!(recent.recall(address), (vec![], Rank::Usual));
        recent.failed(address);
        assert_eq!(recent.recall(address).1, Rank::AfterFailures);
        for name in ["a", "b", "a"] {
            recent.succeeded(address, &name.into());
        }
        assert_eq!(recent.recall(address), (vec!["a".into(), "b".into()], Rank::Usual));
    }

    #[test]
    fn hosts_of_one_ipv6_network_are_one_address() {
        let recent = AddressMemory::default();
        recent.failed("2001:db8::1".parse().unwrap());
        assert_eq!(recent.recall("2001:db8::2".parse().unwrap()).1, Rank::AfterFailures);
        assert_eq!(recent.recall("2001:db8:0:1::2".parse().unwrap()).1, Rank::Usual);
    }

    #[test]
    fn a_flood_of_addresses_does_not_grow_the_memory() {
        let recent = AddressMemory::default();
        for number in 0..100_000_u32 {
            recent.failed(IpAddr::from(number.to_be_bytes()));
        }
        let kept: usize = recent.0.lock().unwrap().iter().map(HashMap::len).sum();
        assert!(kept <= 2 * GENERATION);
        assert_eq!(recent.recall(IpAddr::from(99_999_u32.to_be_bytes())).1, Rank::AfterFailures);
    }
}
