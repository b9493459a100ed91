//! The frame of every mutation of users.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::store::{Db, StoreResult, Tx, state};

use crate::runtime::sync::{ConfigSync, InFlight};

/// A mutation under way: announced to the writer of the file, inside a transaction. Dropping it undoes everything.
pub(crate) struct Change<'a> {
    app: &'a App,
    tx: Tx<'static>,
    in_flight: InFlight,
    /// The time of the whole mutation.
    pub(crate) now: DateTime<Utc>,
}

impl<'a> Change<'a> {
    pub(crate) async fn begin(app: &'a App) -> StoreResult<Self> {
        let in_flight = app.sync.announce();
        let tx = app.store.write().await?;
        Ok(Self { app, tx, in_flight, now: app.clock.now() })
    }

    pub(crate) fn db(&mut self) -> Db<'_> {
        self.tx.db()
    }

    /// Commits, and waits for the file.
    pub(crate) async fn finish(self) -> StoreResult<ConfigSync> {
        let app = self.app;
        let revision = self.finish_without_waiting().await?;
        Ok(app.sync.applied(revision).await)
    }

    /// Commits, and asks for the file with the revision that it gives, without waiting for it.
    ///
    /// That has a task of its own, because whoever waits may go away, as the client of a request does: a commit that has
    /// begun cannot be taken back, and the file and the timer must hear of it.
    pub(crate) async fn finish_without_waiting(self) -> StoreResult<i64> {
        let Self { app, mut tx, in_flight, .. } = self;
        let (sync, deadlines) = (app.sync.clone(), Arc::clone(&app.deadlines));
        let commit = async move {
            let revision = state::bump(tx.db()).await?;
            tx.commit().await?;
            drop(in_flight);
            sync.request(revision);
            deadlines.notify_one();
            Ok(revision)
        };
        tokio::spawn(commit).await.expect("a commit does not panic")
    }
}
