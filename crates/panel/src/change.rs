//! The steps that every mutation of users shares: announce, transaction, revision, request for the file.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::app::App;
use crate::store::{Db, StoreResult, Tx, state};

use crate::runtime::sync::{ConfigSync, InFlight};

/// A mutation in progress: announced to the config sync, inside a transaction. Dropping it rolls everything back.
pub(crate) struct Change<'a> {
    app: &'a App,
    tx: Tx<'static>,
    in_flight: InFlight,
    /// The time that every part of the mutation uses.
    pub(crate) now: DateTime<Utc>,
}

impl<'a> Change<'a> {
    /// Announces the mutation and opens its transaction.
    pub(crate) async fn begin(app: &'a App) -> StoreResult<Self> {
        let in_flight = app.sync.announce();
        let tx = app.store.write().await?;
        Ok(Self { app, tx, in_flight, now: app.clock.now() })
    }

    /// The open transaction, for statements.
    pub(crate) fn db(&mut self) -> Db<'_> {
        self.tx.db()
    }

    /// Commits, and waits until the file has the change, or until the wait times out.
    pub(crate) async fn finish(self) -> StoreResult<ConfigSync> {
        let app = self.app;
        let revision = self.finish_without_waiting().await?;
        Ok(app.sync.applied(revision).await)
    }

    /// Commits, requests a file that contains the returned revision, and does not wait for it.
    ///
    /// This runs in a task of its own, because a caller may be cancelled, as when the client of a request disconnects. A
    /// commit that has begun cannot be undone, so the config sync and the enforcement task must be notified of it.
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
