//! Tables `traffic_logs` (by user) and `traffic_totals` (everybody's).

use chrono::{DateTime, Utc};

use mtpannel_core::usage::Counters;

use super::{Db, StoreResult, execute, execute_rows, query, sql_texts};

/// Bytes that moved in a scrape, an hour or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Moved {
    /// The scrape's moment, or the beginning of the hour or the day.
    pub recorded_at: DateTime<Utc>,
    /// From the clients.
    pub octets_from: i64,
    /// To the clients.
    pub octets_to: i64,
}

sql_texts! {
    INSERT = "INSERT INTO traffic_logs (user_id, octets_from, octets_to, recorded_at) VALUES ($1, $2, $3, $4)";
    INSERT_TOTAL = "INSERT INTO traffic_totals (octets_from, octets_to, recorded_at) VALUES ($1, $2, $3)";
    OF_USER = "SELECT recorded_at, octets_from, octets_to FROM traffic_logs \
        WHERE user_id = $1 AND recorded_at >= $2 AND recorded_at < $3 ORDER BY recorded_at";
    OF_OWNER = "SELECT t.recorded_at, CAST(SUM(t.octets_from) AS BIGINT) AS octets_from, \
        CAST(SUM(t.octets_to) AS BIGINT) AS octets_to FROM traffic_logs t JOIN users u ON u.id = t.user_id \
        WHERE u.created_by_admin_id = $1 AND t.recorded_at >= $2 AND t.recorded_at < $3 \
        GROUP BY t.recorded_at ORDER BY t.recorded_at";
    OF_ALL = "SELECT recorded_at, octets_from, octets_to FROM traffic_totals \
        WHERE recorded_at >= $1 AND recorded_at < $2 ORDER BY recorded_at";
}

/// Logs what users (row ids) moved at `now`.
pub async fn insert(db: Db<'_>, moved: &[(i64, Counters)], now: DateTime<Utc>) -> StoreResult<()> {
    execute_rows!(db, INSERT, moved, |(id, bytes)| (id, bytes.from_client, bytes.to_client, now))
}

/// Logs what everybody together moved at `now`.
pub async fn insert_total(db: Db<'_>, moved: Counters, now: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, INSERT_TOTAL, moved.from_client, moved.to_client, now).map(drop)
}

/// Adds past traffic of users (row ids), in as few statements as is reasonable.
pub async fn insert_many(db: Db<'_>, moved: &[(i64, Moved)]) -> StoreResult<()> {
    execute_rows!(db, INSERT, moved, |(id, moved)| (id, moved.octets_from, moved.octets_to, moved.recorded_at))
}

/// Adds past traffic of everybody together.
pub async fn insert_totals(db: Db<'_>, moved: &[Moved]) -> StoreResult<()> {
    execute_rows!(db, INSERT_TOTAL, moved, |moved| (moved.octets_from, moved.octets_to, moved.recorded_at))
}

/// A user's traffic in `from..to`, the oldest first.
pub async fn of_user(db: Db<'_>, user_id: i64, from: DateTime<Utc>, to: DateTime<Utc>) -> StoreResult<Vec<Moved>> {
    query!(fetch_all as Moved, db, OF_USER, user_id, from, to)
}

/// Traffic of the users of `owner` in `from..to`, or everybody's, deleted users included, for `None`.
pub async fn of_scope(
    db: Db<'_>,
    owner: Option<i64>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> StoreResult<Vec<Moved>> {
    match owner {
        Some(owner) => query!(fetch_all as Moved, db, OF_OWNER, owner, from, to),
        None => query!(fetch_all as Moved, db, OF_ALL, from, to),
    }
}
