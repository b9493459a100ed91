//! The frame of every mutation of users.

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::store::{Db, StoreResult, Tx, state};

use super::sync::{ConfigSync, InFlight};

/// A mutation under way: announced to the writer of the file, inside a transaction. Dropping it undoes everything.
pub(super) struct Change<'a> {
    app: &'a App,
    tx: Tx,
    in_flight: InFlight,
    /// The time of the whole mutation.
    pub(super) now: DateTime<Utc>,
}

impl<'a> Change<'a> {
    pub(super) async fn begin(app: &'a App) -> StoreResult<Self> {
        let in_flight = app.sync.announce();
        let tx = app.store.write().await?;
        Ok(Self { app, tx, in_flight, now: app.clock.now() })
    }

    pub(super) fn db(&mut self) -> Db<'_> {
        self.tx.db()
    }

    /// Commits, and waits for the file.
    pub(super) async fn finish(self) -> StoreResult<ConfigSync> {
        let app = self.app;
        let revision = self.commit().await?;
        Ok(app.sync.applied(revision).await)
    }

    /// Commits, and asks for the file without waiting for it.
    pub(super) async fn finish_without_waiting(self) -> StoreResult<()> {
        let app = self.app;
        let revision = self.commit().await?;
        app.sync.request(revision);
        Ok(())
    }

    async fn commit(mut self) -> StoreResult<i64> {
        let revision = state::bump(self.tx.db()).await?;
        self.tx.commit().await?;
        drop(self.in_flight);
        self.app.deadlines.notify_one();
        Ok(revision)
    }
}
