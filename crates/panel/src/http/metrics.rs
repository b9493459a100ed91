//! The panel's own Prometheus metrics, served by the internal listener.

use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use mtpannel_core::policy::Scope;
use mtpannel_core::user::Status;
use tokio_util::sync::CancellationToken;

use super::layers;
use crate::app::{App, SharedApp};
use crate::runtime::health::{ProxyState, Task};
use crate::runtime::warnings::Warning;

/// Upper bounds of the histograms' buckets, in seconds.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// Time between two upkeeps of the recorder.
const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the recorder of the process; later calls return the same handle.
///
/// # Panics
/// If another recorder is installed already.
pub fn install_metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let handle = PrometheusBuilder::new()
                .set_buckets(&BUCKETS)
                .expect("there are buckets")
                .install_recorder()
                .expect("no other recorder is installed");
            describe();
            handle
        })
        .clone()
}

fn describe() {
    describe_counter!("mtpannel_http_requests_total", "Requests answered");
    describe_histogram!("mtpannel_http_request_duration_seconds", Unit::Seconds, "Time to answer a request");
    describe_histogram!(
        "mtpannel_config_sync_duration_seconds",
        Unit::Seconds,
        "Time of an attempt to write config.toml"
    );
    describe_counter!("mtpannel_config_sync_failures_total", "Attempts to write config.toml that failed");
    describe_histogram!(
        "mtpannel_scrape_duration_seconds",
        Unit::Seconds,
        "Time to read and record the proxy's metrics"
    );
    describe_counter!("mtpannel_scrape_failures_total", "Scrapes of the proxy's metrics that failed");
    describe_gauge!("mtpannel_task_last_success_age_seconds", Unit::Seconds, "Time since a periodic task succeeded");
    describe_gauge!("mtpannel_task_failing", "Whether a periodic task failed the last time");
    describe_gauge!("mtpannel_users", "Users by status");
    describe_gauge!("mtpannel_database_connections", "Open connections to the database by state");
    describe_gauge!("mtpannel_proxy_up", "Whether the proxy answered the last scrape");
    describe_gauge!("mtpannel_proxy_series_suppressed", "Whether the proxy left out some users at the last scrape");
    describe_gauge!("mtpannel_warning", "Whether a warning of the dashboard is in force, by its code");
    describe_gauge!("mtpannel_build_info", "Version of the panel");
}

/// Sorts observations into their buckets from time to time. Otherwise only a scrape of `/metrics` does it, and without one
/// they would fill the memory.
pub async fn upkeep(handle: PrometheusHandle, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(UPKEEP)).await.is_some() {
        handle.run_upkeep();
    }
}

/// The internal listener's route, `/metrics`.
pub fn internal_router(handle: PrometheusHandle, app: SharedApp) -> Router {
    Router::new()
        .route("/metrics", get(render))
        .layer(middleware::from_fn(layers::require_host))
        .layer(middleware::map_response(async |mut response: Response| {
            layers::set_security_headers(response.headers_mut());
            response
        }))
        .with_state((handle, app))
}

async fn render(State((handle, app)): State<(PrometheusHandle, SharedApp)>) -> impl IntoResponse {
    refresh(&app).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render())
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
async fn refresh(app: &App) {
    let now = app.clock.now();
    for task in Task::ALL {
        let state = app.health.task(task);
        if let Some(at) = state.last_success {
            gauge!("mtpannel_task_last_success_age_seconds", "task" => task.as_str())
                .set((now - at).num_seconds().max(0) as f64);
        }
        let failing = if state.failure.is_some() { 1.0 } else { 0.0 };
        gauge!("mtpannel_task_failing", "task" => task.as_str()).set(failing);
    }
    if let Ok(counts) = app.roster.count_by_status(&app.store, Scope::All).await {
        for status in Status::ALL {
            let count = counts.get(&status).copied().unwrap_or(0);
            gauge!("mtpannel_users", "status" => status.as_str()).set(count as f64);
        }
    }
    let (open, idle) = app.store.pool_size();
    gauge!("mtpannel_database_connections", "state" => "idle").set(idle as f64);
    gauge!("mtpannel_database_connections", "state" => "busy").set(f64::from(open) - idle as f64);
    let up = app.health.proxy_state() == ProxyState::Up;
    gauge!("mtpannel_proxy_up").set(if up { 1.0 } else { 0.0 });
    let suppressed = app.health.proxy().is_some_and(|view| view.suppressed);
    gauge!("mtpannel_proxy_series_suppressed").set(if suppressed { 1.0 } else { 0.0 });
    let warnings = app.warnings.all();
    for code in Warning::codes() {
        let in_force = warnings.iter().any(|warning| warning.code() == code);
        gauge!("mtpannel_warning", "code" => code).set(if in_force { 1.0 } else { 0.0 });
    }
    gauge!("mtpannel_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}
