//! How many may be connected at once, and who goes when one more comes.
//!
//! Nobody is known when he comes, so everybody takes a stranger's place first, and a right client changes it for one of
//! his own as soon as he is recognised. Strangers never hold more than half of the places, and when there is none left
//! the stranger who came first goes: whoever fills the places has to do it again and again, faster than a right client is
//! recognised.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// All places.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    arrivals: u64,
    /// By arrival.
    strangers: BTreeMap<u64, CancellationToken>,
    clients: usize,
}

/// A place that is taken; dropping it leaves it.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    arrival: u64,
    evicted: CancellationToken,
    is_client: bool,
}

impl Places {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a stranger's place; `None` if clients hold them all.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.taken();
        let strangers = taken.strangers.len();
        if strangers >= (self.most / 2).max(1) || strangers + taken.clients >= self.most {
            let (_, first) = taken.strangers.pop_first()?;
            first.cancel();
        }
        taken.arrivals += 1;
        let (arrival, evicted) = (taken.arrivals, CancellationToken::new());
        taken.strangers.insert(arrival, evicted.clone());
        Some(Place { places: Arc::clone(self), arrival, evicted, is_client: false })
    }
}

impl Place {
    /// Waits until somebody else needs the place; it is lost then.
    pub(crate) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// Makes this a client's place, which nobody takes away; `false` if it was lost already.
    pub(crate) fn recognise(&mut self) -> bool {
        let mut taken = self.places.taken();
        if taken.strangers.remove(&self.arrival).is_some() {
            taken.clients += 1;
            self.is_client = true;
        }
        self.is_client
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if self.is_client {
            taken.clients -= 1;
        } else {
            taken.strangers.remove(&self.arrival);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_hold_half_of_the_places_and_the_first_of_them_goes() {
        let places = Places::new(4);
        let strangers = [places.enter().unwrap(), places.enter().unwrap()];
        let third = places.enter().unwrap();
        assert_eq!(strangers.each_ref().map(|place| place.evicted.is_cancelled()), [true, false]);
        drop(strangers);
        let fourth = places.enter().unwrap();
        assert!(!third.evicted.is_cancelled() && !fourth.evicted.is_cancelled());
    }

    #[test]
    fn clients_may_hold_all_places_and_are_never_sent_away() {
        let places = Places::new(4);
        let mut clients: Vec<Place> = Vec::new();
        for _ in 0..4 {
            let mut client = places.enter().unwrap();
            assert!(client.recognise());
            clients.push(client);
        }
        assert!(places.enter().is_none());
        drop(clients.pop());
        let stranger = places.enter().unwrap();
        let mut other = places.enter().unwrap();
        assert!(stranger.evicted.is_cancelled());
        assert!(other.recognise() && places.enter().is_none());
        assert!(clients.iter().all(|client| !client.evicted.is_cancelled()));
    }

    #[test]
    fn whoever_was_sent_away_is_not_recognised_any_more() {
        let places = Places::new(1);
        let mut first = places.enter().unwrap();
        let second = places.enter().unwrap();
        assert!(!first.recognise());
        drop((first, second));
        assert!(places.enter().unwrap().recognise());
        assert_eq!(places.taken().clients, 0);
    }
}
