//! Table `audit_log`, append-only.

use chrono::{DateTime, Utc};

use super::{Db, StoreResult, execute, query, sql_texts};

/// One deed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Deed {
    /// Row id.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Name of the administrator, or `system` or `command line`.
    pub actor: String,
    /// Address of the client, if it came over the network.
    pub address: Option<String>,
    /// What, such as `user.create`.
    pub action: String,
    /// On whom.
    pub target: Option<String>,
    /// The fields that changed, before: a JSON object; secrets are masked by the writer.
    pub before: Option<String>,
    /// The same fields, after.
    pub after: Option<String>,
}

/// What to show of the log; `None` matches everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Name of the actor, in any case.
    pub actor: Option<String>,
    /// The action.
    pub action: Option<String>,
    /// Name of the target, in any case.
    pub target: Option<String>,
}

sql_texts! {
    INSERT = "INSERT INTO audit_log (at, actor, address, action, target, before, after) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    PAGE = "SELECT id, at, actor, address, action, target, before, after FROM audit_log \
        WHERE (CAST($1 AS TEXT) IS NULL OR lower(actor) = lower($1)) AND (CAST($2 AS TEXT) IS NULL OR action = $2) \
        AND (CAST($3 AS TEXT) IS NULL OR lower(target) = lower($3)) ORDER BY id DESC LIMIT $4 OFFSET $5";
    COUNT = "SELECT COUNT(*) FROM audit_log WHERE (CAST($1 AS TEXT) IS NULL OR lower(actor) = lower($1)) \
        AND (CAST($2 AS TEXT) IS NULL OR action = $2) AND (CAST($3 AS TEXT) IS NULL OR lower(target) = lower($3))";
}

/// Adds a deed; its `id` is ignored.
pub async fn insert(db: Db<'_>, deed: &Deed) -> StoreResult<()> {
    execute!(db, INSERT, deed.at, &deed.actor, &deed.address, &deed.action, &deed.target, &deed.before, &deed.after)
        .map(drop)
}

/// Deeds, the newest first.
pub async fn page(db: Db<'_>, filter: &Filter, limit: i64, offset: i64) -> StoreResult<Vec<Deed>> {
    query!(fetch_all as Deed, db, PAGE, &filter.actor, &filter.action, &filter.target, limit, offset)
}

/// How many deeds match.
pub async fn count(db: Db<'_>, filter: &Filter) -> StoreResult<i64> {
    query!(fetch_one as (i64,), db, COUNT, &filter.actor, &filter.action, &filter.target).map(|(count,)| count)
}
