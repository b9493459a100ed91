//! The trial write, which only finds out whether the database takes writes.

use std::time::Duration;

use super::engine::Store;
use super::error::StoreResult;
use super::state;

/// Longest wait for the answer: a large import may hold the database for longer, which is no failure.
const WAIT: Duration = Duration::from_secs(2);

impl Store {
    /// Why the database takes no writes; `None` if it does.
    pub async fn write_failure(&self) -> Option<String> {
        let writable = self.writable();
        if writable.begin_trial() {
            let store = self.clone();
            let trial = tokio::spawn(async move {
                if let Err(error) = store.try_writing().await {
                    tracing::warn!(%error, "the database takes no writes");
                }
                store.writable().end_trial();
            });
            // It goes on if it takes longer, and tells those who ask later.
            let _ = tokio::time::timeout(WAIT, trial).await;
        }
        writable.failure()
    }

    /// Raises a counter that has no other use: an engine may skip a change that changes nothing.
    async fn try_writing(&self) -> StoreResult<()> {
        let mut tx = self.write().await?;
        let outcome = state::count_trial(tx.db()).await;
        self.writable().note(&outcome);
        outcome?;
        tx.commit().await
    }
}
