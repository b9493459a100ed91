//! Whether the process lives, and whether the panel works: for load balancers and monitoring.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::app::{App, SharedApp};
use crate::http::dto::system::{self, HealthBody, ReadyBody};
use crate::runtime::health::ProxyState;
use crate::runtime::sync::ConfigSync;
use crate::store::{StoreResult, system as database};

/// Longest wait for the database, so that an answer comes also while it is away.
const WAIT: Duration = Duration::from_secs(2);

/// What works at the moment.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a probe of its own")]
struct Probe {
    /// The database answers.
    database: bool,
    /// The database takes writes.
    database_writable: bool,
    /// `config.toml` says what the database says.
    config_sync: bool,
    /// The last scrape of the proxy succeeded.
    scrape: bool,
    /// The proxy's answers show what accounting needs, as far as it has answered.
    accounting: bool,
}

impl Probe {
    /// Whether the panel does its work. A proxy that does not answer does not hinder that; one whose traffic cannot be
    /// counted does, because no limit would hold.
    const fn is_ready(self) -> bool {
        self.database && self.database_writable && self.config_sync && self.accounting
    }
}

/// Finds out what works.
async fn probe(app: &App) -> Probe {
    let (answer, write_failure) = tokio::join!(tokio::time::timeout(WAIT, ping(app)), app.store.write_failure());
    Probe {
        database: matches!(answer, Ok(Ok(()))),
        database_writable: write_failure.is_none(),
        config_sync: app.sync.state() == ConfigSync::Applied,
        scrape: app.health.proxy_state() == ProxyState::Up,
        accounting: !app.health.cannot_count(),
    }
}

async fn ping(app: &App) -> StoreResult<()> {
    database::ping(app.store.read().await?.db()).await
}

/// Whether the process lives
#[utoipa::path(get, path = "/health", tag = "Health",
    responses((status = 200, description = "It does", body = HealthBody)))]
pub(crate) async fn live() -> Json<HealthBody> {
    Json(HealthBody { status: "ok" })
}

/// Whether everything works
///
/// 503 if the database does not answer or takes no writes, the proxy's file is not what it should be, or the proxy answers
/// without the counters that accounting needs. A proxy that does not answer is shown, but the panel works without it.
#[utoipa::path(get, path = "/health/ready", tag = "Health",
    responses((status = 200, description = "It does", body = ReadyBody),
        (status = 503, description = "It does not", body = ReadyBody)))]
pub(crate) async fn ready(State(app): State<SharedApp>) -> (StatusCode, Json<ReadyBody>) {
    let probe = probe(&app).await;
    let (ready, Probe { database, database_writable, config_sync, scrape, accounting }) = (probe.is_ready(), probe);
    let tasks = system::task_ages(&app);
    let body = ReadyBody { ready, database, database_writable, config_sync, scrape, accounting, tasks };
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
}
