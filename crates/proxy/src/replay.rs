//! Hellos that were taken before: a bounded memory of the proofs of right clients. Strangers leave nothing in it, so
//! that they cannot push anything out.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far a client's clock may be off, either way (telemt 3.4.25 allows as much).
pub(crate) const SKEW: Duration = Duration::from_mins(2);

/// Enough of a proof to tell it from any other.
pub(crate) type Print = [u8; 16];

#[derive(Debug)]
pub(crate) struct Replays {
    capacity: usize,
    /// A hello stays acceptable for twice the skew, if its client's clock goes ahead.
    window: Duration,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    prints: HashSet<Print>,
    order: VecDeque<(Instant, Print)>,
}

impl Replays {
    pub(crate) fn new(capacity: usize, window: Duration) -> Self {
        Self { capacity, window: window.max(2 * SKEW), seen: Mutex::default() }
    }

    /// Remembers a proof; `false` if it was there already.
    pub(crate) fn is_new(&self, print: Print, now: Instant) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(&(since, oldest)) = seen.order.front() {
            if seen.order.len() < self.capacity && now.duration_since(since) < self.window {
                break;
            }
            seen.order.pop_front();
            seen.prints.remove(&oldest);
        }
        if self.capacity == 0 {
            return true;
        }
        let new = seen.prints.insert(print);
        if new {
            seen.order.push_back((now, print));
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_taken_once_within_its_window() {
        let (replays, start) = (Replays::new(10, Duration::from_mins(5)), Instant::now());
        assert!(replays.is_new([1; 16], start));
        assert!(!replays.is_new([1; 16], start + Duration::from_secs(299)));
        assert!(replays.is_new([1; 16], start + Duration::from_mins(5)));
    }

    #[test]
    fn the_window_covers_both_clocks_and_the_memory_is_bounded() {
        let (replays, start) = (Replays::new(2, Duration::ZERO), Instant::now());
        assert!(replays.is_new([1; 16], start));
        assert!(!replays.is_new([1; 16], start + Duration::from_secs(239)));
        assert!(replays.is_new([2; 16], start));
        assert!(replays.is_new([3; 16], start));
        assert_eq!(replays.seen.lock().unwrap().prints.len(), 2);
        assert!(!replays.is_new([3; 16], start));
        assert!(replays.is_new([1; 16], start));
    }

    #[test]
    fn a_capacity_of_zero_remembers_nothing() {
        let replays = Replays::new(0, Duration::ZERO);
        assert!(replays.is_new([1; 16], Instant::now()) && replays.is_new([1; 16], Instant::now()));
    }
}
