//! Moves SQLite's write-ahead log into the database file in the background. Otherwise a large commit would do it, and wait
//! for the disk twice.

use std::time::Duration;

use sqlx::SqlitePool;

use super::writable::Writable;

/// Time between two moves; one costs next to nothing if nothing was written.
const INTERVAL: Duration = Duration::from_secs(2);

/// Starts the task. It ends when the pool, which has one connection for this alone, is closed.
pub(super) fn keep_log_short(pool: SqlitePool, writable: Writable) {
    tokio::spawn(async move {
        // It ends with an error when the pool is closed, which is all that it waits for.
        let _ = pool.close_event().do_until(moving(&pool, &writable)).await;
    });
}

async fn moving(pool: &SqlitePool, writable: &Writable) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        // As far as no reader needs the old state; writers do not wait.
        let outcome = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(pool).await;
        if let Err(error) = &outcome {
            tracing::warn!(%error, "the write-ahead log could not be moved into the database; trying again");
        }
        writable.note_checkpoint(outcome.err().map(|error| error.to_string()));
    }
}
