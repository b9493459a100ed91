//! The audit log.

use axum::extract::State;
use mtpannel_core::policy::AuditRead;

use crate::app::SharedApp;
use crate::http::dto::audit::{AuditEntry, AuditPage, AuditQuery};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::service::audit;
use crate::service::caller::Allowed;

/// The audit log
#[utoipa::path(get, path = "/audit", tag = "System", security(("bearer" = [])), params(AuditQuery),
    responses((status = 200, description = "A page, the newest first", body = AuditPage)))]
pub(crate) async fn audit_log(
    State(app): State<SharedApp>,
    caller: Allowed<AuditRead>,
    Query(query): Query<AuditQuery>,
) -> Result<axum::Json<AuditPage>, Problem> {
    let (offset, limit, filter) = query.filter()?;
    let (entries, total) = audit::list(&app, &caller, &filter, limit, offset).await?;
    Ok(axum::Json(AuditPage { entries: entries.into_iter().map(AuditEntry::from).collect(), total }))
}
