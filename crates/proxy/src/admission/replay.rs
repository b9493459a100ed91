//! Hellos that were taken before: a bounded memory of the proofs of valid clients. Visitors leave nothing in it, so that they
//! cannot push anything out. It is kept on disk, too, so that a restart forgets nothing.

mod log;

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use log::Log;

/// How far a client's clock may be off, either way (telemt 3.4.25 allows as much).
pub(crate) const SKEW: Duration = Duration::from_mins(2);

/// Enough of a proof to tell it from any other.
pub(crate) type Fingerprint = [u8; 16];

#[derive(Debug)]
pub(crate) struct Replays {
    capacity: usize,
    /// A hello stays acceptable for twice the skew, if its client's clock goes ahead.
    window: Duration,
    seen: Mutex<Seen>,
    /// When the server was started, if it does not know what was taken before.
    blind_before: Option<DateTime<Utc>>,
}

#[derive(Debug, Default)]
struct Seen {
    fingerprints: HashSet<Fingerprint>,
    order: VecDeque<(Instant, Fingerprint)>,
    log: Option<Log>,
}

impl Replays {
    /// A memory that ends with the process.
    pub(crate) fn new(capacity: usize, window: Duration) -> Self {
        Self { capacity, window: window.max(2 * SKEW), seen: Mutex::default(), blind_before: None }
    }

    /// A memory that is kept in a file. If it cannot be, hellos of before the start are not taken
    /// (see [`Replays::is_before_start`]).
    pub(crate) fn open(self, path: PathBuf, now: (Instant, DateTime<Utc>)) -> Self {
        if self.capacity == 0 {
            return self;
        }
        let mut seen = Seen::default();
        let opened = log::read(&path).and_then(|entries| {
            for (time, fingerprint) in entries {
                let age = u64::try_from(now.1.timestamp().saturating_sub(time)).unwrap_or(0);
                let since = now.0.checked_sub(Duration::from_secs(age)).unwrap_or(now.0);
                if age < self.window.as_secs() && seen.fingerprints.insert(fingerprint) {
                    seen.order.push_back((since, fingerprint));
                }
            }
            seen.forget(self.capacity, self.window, now.0);
            Log::create(path, &seen.order, now)
        });
        let blind_before = match opened {
            Ok(log) => {
                seen.log = Some(log);
                None
            }
            Err(error) => {
                report_blindness(&error);
                Some(now.1)
            }
        };
        Self { seen: Mutex::new(seen), blind_before, ..self }
    }

    /// Whether a hello with this time may have been taken by a server that ran before, of whose hellos nothing is known.
    pub(crate) fn is_before_start(&self, time: u32) -> bool {
        self.blind_before.is_some_and(|start| i64::from(time) < start.timestamp())
    }

    /// Remembers a proof; `false` if it was there already.
    pub(crate) fn is_new(&self, fingerprint: Fingerprint, now: Instant) -> bool {
        if self.capacity == 0 {
            return true;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Room for one more.
        seen.forget(self.capacity - 1, self.window, now);
        let new = seen.fingerprints.insert(fingerprint);
        if new {
            seen.order.push_back((now, fingerprint));
            let Seen { order, log, .. } = &mut *seen;
            if let Some(log) = log {
                log.add(order, now);
            }
        }
        new
    }
}

/// A folder that is read-only on purpose, as in containers, is no reason to worry anybody.
fn report_blindness(error: &io::Error) {
    const WHAT: &str = "replayed hellos cannot be remembered beside the configuration; after each start, clients with slow \
                        clocks are taken for visitors for up to two minutes";
    if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
        tracing::info!(%error, "{WHAT}");
    } else {
        tracing::warn!(%error, "{WHAT}");
    }
}

impl Seen {
    /// Forgets what is too old, and the oldest of what is too much.
    fn forget(&mut self, capacity: usize, window: Duration, now: Instant) {
        while let Some(&(since, oldest)) = self.order.front() {
            if self.order.len() <= capacity && now.duration_since(since) < window {
                break;
            }
            self.order.pop_front();
            self.fingerprints.remove(&oldest);
        }
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
        assert_eq!(replays.seen.lock().unwrap().fingerprints.len(), 2);
        assert!(!replays.is_new([3; 16], start));
        assert!(replays.is_new([1; 16], start));
    }

    #[test]
    fn a_capacity_of_zero_remembers_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("replays");
        let start = (Instant::now(), DateTime::UNIX_EPOCH);
        for replays in [Replays::new(0, Duration::ZERO), Replays::new(0, Duration::ZERO).open(path.clone(), start)] {
            assert!(replays.is_new([1; 16], Instant::now()) && replays.is_new([1; 16], Instant::now()));
        }
        assert!(!path.exists());
    }

    fn fingerprint(number: u32) -> Fingerprint {
        let mut fingerprint = [9; 16];
        fingerprint[..4].copy_from_slice(&number.to_be_bytes());
        fingerprint
    }

    #[test]
    fn what_is_on_disk_is_known_again_until_it_is_too_old() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("replays");
        let wall = crate::ports::now();
        let first = Replays::new(10, Duration::ZERO).open(path.clone(), (Instant::now(), wall));
        assert!(first.is_new(fingerprint(1), Instant::now()));
        for (later, known) in [(0, true), (100, true), (200, true), (245, false)] {
            let wall = wall + Duration::from_secs(later);
            let again = Replays::new(10, Duration::ZERO).open(path.clone(), (Instant::now(), wall));
            assert_eq!(again.is_new(fingerprint(1), Instant::now()), !known, "{later}");
        }
    }

    #[test]
    fn the_file_stays_small_and_half_an_entry_at_its_end_does_no_harm() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("replays");
        let open = || Replays::new(100, Duration::ZERO).open(path.clone(), (Instant::now(), crate::ports::now()));
        let replays = open();
        for number in 0..10_000 {
            assert!(replays.is_new(fingerprint(number), Instant::now()));
        }
        assert!(std::fs::metadata(&path).unwrap().len() < 50_000);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let again = open();
        assert!(!again.is_new(fingerprint(9_998), Instant::now()));
        assert!(again.is_new(fingerprint(9_999), Instant::now()));
        assert!(!again.is_before_start(0));
    }
}
