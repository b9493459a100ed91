//! Figures, traffic over time, settings, and the proxy's metrics.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use mtpannel_core::policy::{NodesRead, StatsRead};
use mtpannel_core::user::Status;

use crate::app::SharedApp;
use crate::http::dto::Moment;
use crate::http::dto::history::{History, HistoryQuery};
use crate::http::dto::system::{
    self, PanelBody, ProxyBody, SettingsBody, SoonBody, StatsBody, UserCounts, UserTraffic, WarningBody,
};
use crate::http::problem::{Problem, ProblemBody};
use crate::http::query::Query;
use crate::service::caller::Allowed;
use crate::service::{history, soon, stats, system as views};

/// The dashboard's figures
///
/// Users and traffic are those that the administrator sees.
#[utoipa::path(get, path = "/system/stats", tag = "System", security(("bearer" = [])),
    responses((status = 200, description = "The figures", body = StatsBody)))]
pub(crate) async fn show(
    State(app): State<SharedApp>,
    caller: Allowed<StatsRead>,
) -> Result<axum::Json<StatsBody>, Problem> {
    let stats = stats::gather(&app, &caller).await?;
    let count = |status| stats.by_status.get(&status).copied().unwrap_or(0);
    let users = UserCounts {
        total: stats.by_status.values().sum(),
        active: count(Status::Active),
        disabled: count(Status::Disabled),
        limited: count(Status::Limited),
        expired: count(Status::Expired),
    };
    Ok(axum::Json(StatsBody {
        uptime: stats.system.as_ref().map(|system| system.uptime),
        total_connections: stats.system.as_ref().map(|system| system.total_connections),
        bad_connections: stats.system.as_ref().map(|system| system.bad_connections),
        connections: stats.online.map(|online| online.connections),
        online: stats.online.map(|online| online.users),
        users,
        user_traffic: stats.top.into_iter().map(UserTraffic::from).collect(),
        proxy: ProxyBody::new(&app),
        config_sync: app.sync.state().into(),
        config_written_at: app.sync.outcome().changed_at.map(Moment),
        tasks: system::tasks(&app),
        warnings: app.warnings.all().into_iter().map(WarningBody::from).collect(),
        panel: PanelBody { version: env!("CARGO_PKG_VERSION") },
    }))
}

/// Everybody's traffic over time
///
/// For a sudo administrator with that of deleted users; for others that of their present users.
#[utoipa::path(get, path = "/system/traffic", tag = "System", security(("bearer" = [])), params(HistoryQuery),
    responses((status = 200, description = "The history", body = History)))]
pub(crate) async fn traffic(
    State(app): State<SharedApp>,
    caller: Allowed<StatsRead>,
    Query(query): Query<HistoryQuery>,
) -> Result<axum::Json<History>, Problem> {
    let range = query.range(app.clock.now())?;
    Ok(axum::Json(history::of_scope(&app, &caller, range).await?.into()))
}

/// Who runs out soon
///
/// Of the users that the administrator sees.
#[utoipa::path(get, path = "/system/soon", tag = "System", security(("bearer" = [])),
    responses((status = 200, description = "By time and by traffic", body = SoonBody)))]
pub(crate) async fn soon(
    State(app): State<SharedApp>,
    caller: Allowed<StatsRead>,
) -> Result<axum::Json<SoonBody>, Problem> {
    Ok(axum::Json(soon::gather(&app, &caller).await?.into()))
}

/// What is configured
///
/// By environment and flags; secrets are left out.
#[utoipa::path(get, path = "/system/settings", tag = "System", security(("bearer" = [])),
    responses((status = 200, description = "The settings", body = SettingsBody)))]
pub(crate) async fn settings(State(app): State<SharedApp>, caller: Allowed<NodesRead>) -> axum::Json<SettingsBody> {
    axum::Json(views::show_settings(&app, &caller).into())
}

/// The proxy's metrics
///
/// The last text that it gave, with its age.
#[utoipa::path(get, path = "/system/metrics", tag = "System", security(("bearer" = [])),
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain",
        headers(("Age" = i64, description = "Seconds since the proxy gave it"))),
        (status = 404, description = "The proxy has not answered yet", body = ProblemBody,
            content_type = "application/problem+json")))]
pub(crate) async fn metrics(
    State(app): State<SharedApp>,
    caller: Allowed<NodesRead>,
) -> Result<impl IntoResponse, Problem> {
    let view = views::show_metrics(&app, &caller);
    let view = view.ok_or_else(|| Problem::not_found("the proxy has not answered yet"))?;
    let age = (app.clock.now() - view.at).num_seconds().max(0).to_string();
    // A proxy with very many users has 60 MB of them.
    let text = tokio::task::spawn_blocking(move || view.text.text()).await.ok().flatten();
    let text = text.ok_or_else(Problem::internal)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4".to_owned()), (header::AGE, age)], text))
}
