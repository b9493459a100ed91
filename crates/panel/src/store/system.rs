//! Table `system_stats`: one row per good scrape.

use chrono::{DateTime, Utc};

use super::{Db, StoreResult, execute, execute_rows, query, sql_texts};

/// The proxy's figures for all users together, at a scrape.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SystemStats {
    /// Uptime of the proxy, seconds.
    pub uptime: f64,
    /// Connections since its start.
    pub total_connections: i64,
    /// Those of them that were refused.
    pub bad_connections: i64,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

sql_texts! {
    INSERT = "INSERT INTO system_stats (uptime, total_connections, bad_connections, recorded_at) VALUES ($1, $2, $3, $4)";
    LATEST = "SELECT uptime, total_connections, bad_connections, recorded_at FROM system_stats ORDER BY id DESC LIMIT 1";
    PING = "SELECT CAST(1 AS BIGINT)";
}

/// Adds a row.
pub async fn insert(db: Db<'_>, stats: &SystemStats) -> StoreResult<()> {
    execute!(db, INSERT, stats.uptime, stats.total_connections, stats.bad_connections, stats.recorded_at).map(drop)
}

/// Adds past rows, the oldest first.
pub async fn insert_many(db: Db<'_>, stats: &[SystemStats]) -> StoreResult<()> {
    execute_rows!(db, INSERT, stats, |stats| (
        stats.uptime,
        stats.total_connections,
        stats.bad_connections,
        stats.recorded_at,
    ))
}

/// The newest row.
pub async fn latest(db: Db<'_>) -> StoreResult<Option<SystemStats>> {
    query!(fetch_optional as SystemStats, db, LATEST)
}

/// Whether the database answers.
pub async fn ping(db: Db<'_>) -> StoreResult<()> {
    query!(fetch_one as (i64,), db, PING).map(drop)
}
