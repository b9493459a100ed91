//! Tables `traffic_logs` (by user) and `traffic_totals` (everybody's).

use chrono::{DateTime, Utc};

use mtpannel_core::usage::Counters;

use super::{Db, StoreResult, execute, json_rows, query, sql_texts, time_at};

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
    INSERT = "INSERT INTO traffic_logs (user_id, octets_from, octets_to, recorded_at) \
        SELECT CAST(key AS BIGINT), CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), $2 FROM json_each($1)";
    INSERT_TOTAL = "INSERT INTO traffic_totals (octets_from, octets_to, recorded_at) VALUES ($1, $2, $3)";
    INSERT_MANY = concat!(
        "INSERT INTO traffic_logs (user_id, octets_from, octets_to, recorded_at) \
         SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT), ",
        time_at!(3),
        " FROM json_each($1)"
    );
    INSERT_TOTALS = concat!(
        "INSERT INTO traffic_totals (octets_from, octets_to, recorded_at) \
         SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), ",
        time_at!(2),
        " FROM json_each($1)"
    );
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
pub async fn insert(mut db: Db<'_>, moved: &[(i64, Counters)], now: DateTime<Utc>) -> StoreResult<()> {
    for batch in moved.chunks(super::BATCH) {
        let rows = json_rows(batch.iter().map(|(id, bytes)| (id, (bytes.from_client, bytes.to_client))));
        execute!(db.reborrow(), INSERT, rows, now)?;
    }
    Ok(())
}

/// Logs what everybody together moved at `now`.
pub async fn insert_total(db: Db<'_>, moved: Counters, now: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, INSERT_TOTAL, moved.from_client, moved.to_client, now).map(drop)
}

/// Adds past traffic of users (row ids), in as few statements as is reasonable.
pub async fn insert_many(mut db: Db<'_>, moved: &[(i64, Moved)]) -> StoreResult<()> {
    for batch in moved.chunks(super::BATCH) {
        let rows = batch
            .iter()
            .enumerate()
            .map(|(key, (id, moved))| (key, (id, moved.octets_from, moved.octets_to, moved.recorded_at.timestamp())));
        execute!(db.reborrow(), INSERT_MANY, json_rows(rows))?;
    }
    Ok(())
}

/// Adds past traffic of everybody together.
pub async fn insert_totals(mut db: Db<'_>, moved: &[Moved]) -> StoreResult<()> {
    for batch in moved.chunks(super::BATCH) {
        let rows = batch
            .iter()
            .enumerate()
            .map(|(key, moved)| (key, (moved.octets_from, moved.octets_to, moved.recorded_at.timestamp())));
        execute!(db.reborrow(), INSERT_TOTALS, json_rows(rows))?;
    }
    Ok(())
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
