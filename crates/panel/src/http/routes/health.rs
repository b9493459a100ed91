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
/// 503 if the database does not answer or takes no writes, or the proxy's file is not what it should be. A proxy that does not answer is
/// shown, but the panel works without it.
#[utoipa::path(get, path = "/health/ready", tag = "Health",
    responses((status = 200, description = "It does", body = ReadyBody),
        (status = 503, description = "It does not", body = ReadyBody)))]
pub(crate) async fn ready(State(app): State<SharedApp>) -> (StatusCode, Json<ReadyBody>) {
    let Probe { database, database_writable, config_sync, scrape } = probe(&app).await;
    let ready = database && database_writable && config_sync;
    let body = ReadyBody { ready, database, database_writable, config_sync, scrape, tasks: system::task_ages(&app) };
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
}
