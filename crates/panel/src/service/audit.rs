//! Reads the audit log, and adds what the command line has shown. Other actions are recorded in their own transaction.

use chrono::{DateTime, Utc};
use mtpannel_core::audit::By;
use mtpannel_core::policy::AuditRead;

use super::ServiceResult;
use super::caller::Allowed;
use crate::app::App;
use crate::store::audit::{self, Filter, Logged};
use crate::store::{Store, StoreResult};

/// Adds an entry for what the command line showed or copied.
pub async fn record_command(
    store: &Store,
    now: DateTime<Utc>,
    action: &'static str,
    target: Option<&str>,
) -> StoreResult<()> {
    let mut tx = store.write().await?;
    audit::record(tx.db(), &By::CommandLine, now, action, target, (None, None)).await?;
    tx.commit().await
}

/// A page of the entries that match, the newest first, and how many match in all.
pub async fn list(
    app: &App,
    _: &Allowed<AuditRead>,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> ServiceResult<(Vec<Logged>, i64)> {
    // So that an administrator finds their own last reads of secrets.
    app.shown.settled().await;
    let mut conn = app.store.read().await?;
    Ok((audit::page(conn.db(), filter, limit, offset).await?, audit::count(conn.db(), filter).await?))
}
