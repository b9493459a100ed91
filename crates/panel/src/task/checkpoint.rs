//! Keeps SQLite's write-ahead log short, beside the writers.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;

/// Between two looks, which cost next to nothing if nothing was written.
const INTERVAL: Duration = Duration::from_secs(2);

/// Moves what was written into the database file until `stop`; closing the database moves the rest.
pub async fn run(app: SharedApp, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
        if let Err(error) = app.store.checkpoint().await {
            tracing::warn!(%error, "the write-ahead log could not be moved into the database; trying again");
        }
    }
}
