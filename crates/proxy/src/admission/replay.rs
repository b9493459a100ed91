//! Recognises replayed hellos: a bounded memory of the proofs of valid clients. Visitors add nothing to it, so they
//! cannot push anything out of it. It is also kept on disk, so a restart forgets nothing.

mod log;

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use log::Log;

/// How far a client's clock may be ahead or behind (as in telemt 3.4.25).
pub(crate) const SKEW: Duration = Duration::from_mins(2);

/// The first bytes of a proof: enough to tell it from any other.
pub(crate) type Fingerprint = [u8; 16];

/// The memory of proofs.
#[derive(Debug)]
pub(crate) struct Replays {
    /// Most proofs that are remembered; 0 switches the check off.
    capacity: usize,
    /// How long a proof is remembered. At least twice the skew: so long a hello is acceptable if its client's clock is
    /// ahead.
    window: Duration,
    seen: Mutex<Seen>,
    /// When the server was started, if the proofs from before that could not be read.
    blind_before: Option<DateTime<Utc>>,
}

/// The proofs that are remembered.
#[derive(Debug, Default)]
struct Seen {
    fingerprints: HashSet<Fingerprint>,
    /// The same, oldest first, with the time at which each was accepted.
    order: VecDeque<(Instant, Fingerprint)>,
    log: Option<Log>,
}

impl Replays {
    /// A memory that is lost when the process ends.
    pub(crate) fn new(capacity: usize, window: Duration) -> Self {
        Self { capacity, window: window.max(2 * SKEW), seen: Mutex::default(), blind_before: None }
    }

    /// Reads the memory from the file at `path` and keeps it there from now on. If that fails, hellos that were made
    /// before the start have to be refused (see [`Replays::is_before_start`]).
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
                report_unkept(&error);
                Some(now.1)
            }
        };
        Self { seen: Mutex::new(seen), blind_before, ..self }
    }

    /// Whether a hello with this time may have been accepted by an earlier process whose memory could not be read.
    pub(crate) fn is_before_start(&self, time: u32) -> bool {
        self.blind_before.is_some_and(|start| i64::from(time) < start.timestamp())
    }

    /// Remembers a proof; `false` if it was remembered already.
    pub(crate) fn is_new(&self, fingerprint: Fingerprint, now: Instant) -> bool {
        if self.capacity == 0 {
            return true;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Makes room for one more.
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

/// Logs that the memory cannot be kept. A folder that is read-only on purpose, as in containers, is not a warning.
fn report_unkept(error: &io::Error) {
    const WHAT: &str = "replayed hellos cannot be remembered beside the configuration; after each start, clients with slow \
                        clocks are taken for visitors for up to two minutes";
    if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
        tracing::info!(%error, "{WHAT}");
    } else {
        tracing::warn!(%error, "{WHAT}");
    }
}

impl Seen {
    /// Forgets proofs older than `window`, and the oldest of those beyond `capacity`.
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
    fn a_proof_is_accepted_once_within_its_window() {
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
    fn proofs_on_disk_are_remembered_until_they_are_too_old() {
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
