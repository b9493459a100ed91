//! Whether it lives, and whether it works.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use crate::app::SharedApp;
use crate::http::dto::system::{self, HealthBody, ReadyBody};
use crate::service::probe::{Probe, probe};

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
