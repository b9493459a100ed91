//! Config sync as its callers see it: use cases ask for a file with their change and wait for it; the task answers.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// Longest wait of a mutation for the file with its change.
const WAIT: Duration = Duration::from_secs(5);

/// Whether the file says what the database says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigSync {
    /// A file with this change has been written.
    Applied,
    /// It has not been written yet, and why; the task keeps trying.
    Pending(String),
}

/// State of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The file contains every change up to this revision; `None` before the first success.
    pub written: Option<i64>,
    /// When this process changed the file last; `None` if it found it as it should be.
    pub changed_at: Option<DateTime<Utc>>,
    /// The last attempt, if it failed.
    pub failure: Option<Failure>,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The attempt would have written every change up to this revision.
    pub revision: i64,
    /// What happened and what to do.
    pub detail: String,
}

/// Handle to the config sync task. Cloning gives another handle to the same task.
#[derive(Debug, Clone)]
pub struct SyncHandle {
    wanted: watch::Sender<i64>,
    in_flight: watch::Sender<usize>,
    outcome: watch::Sender<Outcome>,
}

impl Default for SyncHandle {
    fn default() -> Self {
        Self {
            wanted: watch::Sender::new(0),
            in_flight: watch::Sender::new(0),
            outcome: watch::Sender::new(Outcome::default()),
        }
    }
}

/// A mutation that has not committed yet. While there are any, the task waits a moment for them to share its write.
#[derive(Debug)]
pub struct InFlight(watch::Sender<usize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl SyncHandle {
    /// Announces a mutation.
    pub fn announce(&self) -> InFlight {
        self.in_flight.send_modify(|count| *count += 1);
        InFlight(self.in_flight.clone())
    }

    /// Asks for a file that contains every change up to `revision`.
    pub fn request(&self, revision: i64) {
        self.wanted.send_if_modified(|wanted| {
            let newer = revision > *wanted;
            *wanted = (*wanted).max(revision);
            newer
        });
    }

    /// Asks for that file and waits until it is written, an attempt has failed, or the time is up.
    pub async fn applied(&self, revision: i64) -> ConfigSync {
        self.request(revision);
        let mut outcome = self.outcome.subscribe();
        let decided = outcome.wait_for(|outcome| {
            let failed = outcome.failure.as_ref().is_some_and(|failure| failure.revision >= revision);
            outcome.written >= Some(revision) || failed
        });
        match tokio::time::timeout(WAIT, decided).await {
            Ok(Ok(outcome)) if outcome.written >= Some(revision) => ConfigSync::Applied,
            Ok(Ok(outcome)) => {
                ConfigSync::Pending(outcome.failure.as_ref().map_or_else(String::new, |failure| failure.detail.clone()))
            }
            Ok(Err(_)) => {
                ConfigSync::Pending("the panel is shutting down; the file is written at the next start".into())
            }
            Err(_) => ConfigSync::Pending(format!("not written within {} s; still trying", WAIT.as_secs())),
        }
    }

    /// Waits until the file is as it must be for the first time since the start.
    pub async fn first_written(&self) {
        let mut outcome = self.outcome.subscribe();
        // It fails only when the task has ended, and then there is nothing to wait for.
        let _ = outcome.wait_for(|outcome| outcome.written.is_some()).await;
    }

    /// Whether the file says what the database says, as far as the task knows.
    pub fn state(&self) -> ConfigSync {
        let outcome = self.outcome.borrow();
        match (&outcome.failure, outcome.written) {
            (Some(failure), _) => ConfigSync::Pending(failure.detail.clone()),
            (None, Some(_)) => ConfigSync::Applied,
            (None, None) => ConfigSync::Pending("not written yet since the start".into()),
        }
    }

    /// How the file stands at the moment.
    pub fn outcome(&self) -> Outcome {
        self.outcome.borrow().clone()
    }

    /// For the task: tells when a newer revision is wanted.
    pub fn wanted(&self) -> watch::Receiver<i64> {
        self.wanted.subscribe()
    }

    /// For the task: waits until no mutation is under way, `at_most` this long.
    pub async fn quiet(&self, at_most: Duration) {
        let mut in_flight = self.in_flight.subscribe();
        // A timeout is the expected way out under steady load.
        let _ = tokio::time::timeout(at_most, in_flight.wait_for(|count| *count == 0)).await;
    }

    /// For the task: publishes the end of an attempt.
    pub fn publish(&self, outcome: Outcome) {
        self.outcome.send_replace(outcome);
    }
}
