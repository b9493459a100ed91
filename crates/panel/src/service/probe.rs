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
    }
}

async fn ping(app: &App) -> StoreResult<()> {
    system::ping(app.store.read().await?.db()).await
}
