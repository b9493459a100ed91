//! Whether the service works, for load balancers and monitoring.

use super::health::Task;
use crate::app::App;
use crate::store::StoreResult;
use crate::store::system;

/// What works at the moment.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// The database answers.
    pub database: bool,
    /// `config.toml` says what the database says.
    pub config_sync: bool,
    /// The last scrape of the proxy succeeded.
    pub scrape: bool,
}

/// Looks.
pub async fn probe(app: &App) -> Probe {
    let outcome = app.sync.outcome();
    Probe {
        database: ping(app).await.is_ok(),
        config_sync: outcome.written.is_some() && outcome.failure.is_none(),
        scrape: app.health.proxy().is_some() && app.health.task(Task::Scrape).failure.is_none(),
    }
}

async fn ping(app: &App) -> StoreResult<()> {
    system::ping(app.store.read().await?.db()).await
}
