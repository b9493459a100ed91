//! Whether the database takes writes.
//!
//! Every write transaction shows it. If there was none lately, the caller makes a trial write: a database can answer every
//! query and still take no writes, because its disk is full or it is a standby.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::{StoreError, StoreResult};

/// How long a write that succeeded answers for the next.
const GOOD_FOR: Duration = Duration::from_secs(10);
/// The same for one that failed, so that an end of the trouble is soon seen.
const BAD_FOR: Duration = Duration::from_secs(1);
/// A trial write that takes longer than this hangs.
const HANGS_AFTER: Duration = Duration::from_secs(15);

/// See the module. Cloning gives another handle to the same.
#[derive(Debug, Clone, Default)]
pub struct Writable(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// When the last write ended, however it did.
    tried_at: Option<Instant>,
    failure: Option<String>,
    /// Why the write-ahead log could not be moved into the database file.
    checkpoint_failure: Option<String>,
    /// When a trial write began that has not ended yet.
    trying_since: Option<Instant>,
    /// When the database said last that it is read only.
    read_only_at: Option<Instant>,
}

impl Writable {
    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes note of how a write ended.
    pub(super) fn note<T>(&self, outcome: &StoreResult<T>) {
        let failure = match outcome {
            Ok(_) => None,
            Err(error @ StoreError::Unavailable(_)) => Some(error),
            // This failure is about the statement, not about the database.
            Err(_) => return,
        };
        self.with(|state| {
            let now = Instant::now();
            state.tried_at = Some(now);
            state.failure = failure.map(ToString::to_string);
            if failure.is_some_and(StoreError::is_read_only) {
                state.read_only_at = Some(now);
            }
        });
    }

    /// Takes note of how a move of the write-ahead log ended: without it the log grows until the disk is full.
    pub(super) fn note_checkpoint(&self, failure: Option<String>) {
        self.with(|state| state.checkpoint_failure = failure);
    }

    /// Whether a connection of this age leads to a database that has said that it is read only. After a failover only a new
    /// connection finds the one that takes writes.
    pub(super) fn leads_to_read_only(&self, age: Duration) -> bool {
        self.with(|state| state.read_only_at.is_some_and(|at| age > at.elapsed()))
    }

    /// Why the database takes no writes; `None` if it does.
    pub(super) fn failure(&self) -> Option<String> {
        self.with(|state| {
            let hangs = state.trying_since.is_some_and(|since| since.elapsed() > HANGS_AFTER);
            let hangs = hangs.then(|| "a write has begun and does not end".to_owned());
            state.failure.clone().or_else(|| state.checkpoint_failure.clone()).or(hangs)
        })
    }

    /// Whether the caller is to make a trial write.
    pub(super) fn begin_trial(&self) -> bool {
        self.with(|state| {
            let lasts = if state.failure.is_some() { BAD_FOR } else { GOOD_FOR };
            let is_known = state.tried_at.is_some_and(|at| at.elapsed() < lasts);
            let begins = !is_known && state.trying_since.is_none();
            if begins {
                state.trying_since = Some(Instant::now());
            }
            begins
        })
    }

    pub(super) fn end_trial(&self) {
        self.with(|state| state.trying_since = None);
    }
}
