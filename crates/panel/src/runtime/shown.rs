//! Records in the audit log which secrets administrators have read. The actions are written after the answer, so that a read
//! does not wait for the database, and repeated reads make one entry.
//!
//! What a read shows does not depend on its entry: the same link stands in every answer about the user, which has no entry.
//! So a database that cannot write refuses no read; the log tells, and the entry is tried again.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use mtpannel_core::audit::By;
use tokio::sync::Notify;

use crate::store::audit::{self, Action};
use crate::store::{Store, StoreResult};

/// The same administrator reads the same thing from the same address: one entry in this time.
const GROUPED: TimeDelta = TimeDelta::minutes(10);
/// Reads that are remembered at once.
const CAPACITY: u64 = 10_000;
/// Entries that wait for the database at most.
const MOST_PENDING: usize = 10_000;
/// Longest wait for the entries to be written.
const PATIENCE: Duration = Duration::from_secs(2);

/// A read: name of the administrator, their address, action, target.
type Read = (String, Option<IpAddr>, &'static str, Option<String>);

/// Reads of secrets on their way to the audit log. Cloning gives another handle to the same ones.
#[derive(Debug, Clone)]
pub struct Shown(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    recent: Cache<Read, DateTime<Utc>>,
    entries: Mutex<Entries>,
    /// Told when nothing is being written any more.
    settled: Notify,
}

#[derive(Debug, Default)]
struct Entries {
    pending: Vec<Action>,
    is_writing: bool,
}

impl Default for Shown {
    fn default() -> Self {
        let recent = Cache::builder().max_capacity(CAPACITY).build();
        Self(Arc::new(Inner { recent, entries: Mutex::default(), settled: Notify::new() }))
    }
}

impl Inner {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    /// Records a read, unless the same one was recorded lately.
    pub fn note(&self, store: &Store, by: &By, now: DateTime<Utc>, action: &'static str, target: Option<&str>) {
        let read = (by.name().to_owned(), by.address(), action, target.map(str::to_owned));
        let is_over = |at: &DateTime<Utc>| !(*at..*at + GROUPED).contains(&now);
        if !self.0.recent.entry(read).or_insert_with_if(|| now, is_over).is_fresh() {
            return;
        }
        let mut entries = self.0.entries();
        if entries.pending.len() >= MOST_PENDING {
            tracing::error!(action, "an entry of the audit log is lost: the database has not written for too long");
            return;
        }
        entries.pending.push(Action::new(by, now, action, target, (None, None)));
        if !entries.is_writing {
            entries.is_writing = true;
            tokio::spawn(write_all(self.0.clone(), store.clone()));
        }
    }

    /// Waits until all recorded reads are written, or cannot be.
    pub async fn settled(&self) {
        let settled = async {
            loop {
                let told = self.0.settled.notified();
                tokio::pin!(told);
                told.as_mut().enable();
                if !self.0.entries().is_writing {
                    return;
                }
                told.await;
            }
        };
        // After a timeout the caller goes on without the last entries.
        let _ = tokio::time::timeout(PATIENCE, settled).await;
    }
}

async fn write_all(shown: Arc<Inner>, store: Store) {
    loop {
        let batch = {
            let mut entries = shown.entries();
            if entries.pending.is_empty() {
                entries.is_writing = false;
                break;
            }
            std::mem::take(&mut entries.pending)
        };
        if let Err(error) = write(&store, &batch).await {
            tracing::error!(%error, entries = batch.len(), "entries of the audit log could not be written yet");
            let mut entries = shown.entries();
            let newer = std::mem::replace(&mut entries.pending, batch);
            entries.pending.extend(newer);
            // The next read tries again.
            entries.is_writing = false;
            break;
        }
    }
    shown.settled.notify_waiters();
}

async fn write(store: &Store, batch: &[Action]) -> StoreResult<()> {
    let mut tx = store.write().await?;
    audit::insert(tx.db(), batch).await?;
    tx.commit().await
}
