//! Whether the service works, for load balancers and monitoring.

use std::time::Duration;

use super::health::Task;
use crate::app::App;
use crate::store::StoreResult;
use crate::store::system;

/// Longest wait for the database, so that whoever asks hears of one that is away.
const WAIT: Duration = Duration::from_secs(2);

/// What works at the moment.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a probe of its own")]
pub struct Probe {
    /// The database answers.
    pub database: bool,
    /// The database takes writes.
    pub database_writable: bool,
    /// `config.toml` says what the database says.
    pub config_sync: bool,
    /// The last scrape of the proxy succeeded.
    pub scrape: bool,
    /// The proxy's answers show what accounting needs, as far as it has answered.
    pub accounting: bool,
}

impl Probe {
    /// Whether the panel does its work. A proxy that does not answer does not hinder that; one whose traffic cannot be
    /// counted does, because no limit would hold.
    pub const fn is_ready(&self) -> bool {
        self.database && self.database_writable && self.config_sync && self.accounting
    }
}

/// Looks.
pub async fn probe(app: &App) -> Probe {
    let outcome = app.sync.outcome();
    let (answer, write_failure) = tokio::join!(tokio::time::timeout(WAIT, ping(app)), app.store.write_failure());
    Probe {
        database: matches!(answer, Ok(Ok(()))),
        database_writable: write_failure.is_none(),
        config_sync: outcome.written.is_some() && outcome.failure.is_none(),
        scrape: app.health.proxy().is_some() && app.health.task(Task::Scrape).failure.is_none(),
        accounting: !app.health.cannot_count(),
    }
}

async fn ping(app: &App) -> StoreResult<()> {
    system::ping(app.store.read().await?.db()).await
}
