//! Roll-up and removal of traffic history: the rows of an hour, later of a day, become one row, and the sums stay.

use chrono::{DateTime, Utc};

use super::{Db, StoreResult, execute, query, sql_texts};

/// How far the history has been rolled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Progress {
    /// Rows before it are one an hour.
    pub hours_rolled_until: Option<DateTime<Utc>>,
    /// Rows before it are one a day.
    pub days_rolled_until: Option<DateTime<Utc>>,
}

sql_texts! {
    PROGRESS = "SELECT hours_rolled_until, days_rolled_until FROM panel_state WHERE id = 1";
    SET_PROGRESS = "UPDATE panel_state SET hours_rolled_until = $1, days_rolled_until = $2 WHERE id = 1";
    OLDEST = "SELECT MIN(recorded_at) FROM (\
        SELECT MIN(recorded_at) AS recorded_at FROM traffic_logs WHERE recorded_at >= $1 \
        UNION ALL SELECT MIN(recorded_at) FROM traffic_totals WHERE recorded_at >= $1) AS oldest";
    LAST_LOG = "SELECT COALESCE(MAX(id), 0) FROM traffic_logs";
    LAST_TOTAL = "SELECT COALESCE(MAX(id), 0) FROM traffic_totals";
    ROLL_LOGS = "INSERT INTO traffic_logs (user_id, octets_from, octets_to, recorded_at) \
        SELECT user_id, CAST(SUM(octets_from) AS BIGINT), CAST(SUM(octets_to) AS BIGINT), $1 FROM traffic_logs \
        WHERE recorded_at >= $1 AND recorded_at < $2 GROUP BY user_id";
    DROP_ROLLED_LOGS = "DELETE FROM traffic_logs WHERE recorded_at >= $1 AND recorded_at < $2 AND id <= $3";
    ROLL_TOTALS = "INSERT INTO traffic_totals (octets_from, octets_to, recorded_at) \
        SELECT CAST(SUM(octets_from) AS BIGINT), CAST(SUM(octets_to) AS BIGINT), $1 FROM traffic_totals \
        WHERE recorded_at >= $1 AND recorded_at < $2 HAVING COUNT(*) > 0";
    DROP_ROLLED_TOTALS = "DELETE FROM traffic_totals WHERE recorded_at >= $1 AND recorded_at < $2 AND id <= $3";
    PRUNE_LOGS = "DELETE FROM traffic_logs WHERE recorded_at < $1";
    PRUNE_TOTALS = "DELETE FROM traffic_totals WHERE recorded_at < $1";
    PRUNE_STATS = "DELETE FROM system_stats WHERE recorded_at < $1";
}

/// How far the roll-up has come.
pub async fn progress(db: Db<'_>) -> StoreResult<Progress> {
    query!(fetch_one as Progress, db, PROGRESS)
}

/// Stores how far the roll-up has come.
pub async fn set_progress(db: Db<'_>, progress: &Progress) -> StoreResult<()> {
    execute!(db, SET_PROGRESS, progress.hours_rolled_until, progress.days_rolled_until).map(drop)
}

/// The oldest traffic row at or after `from`.
pub async fn oldest(db: Db<'_>, from: DateTime<Utc>) -> StoreResult<Option<DateTime<Utc>>> {
    type Row = (Option<DateTime<Utc>>,);
    query!(fetch_one as Row, db, OLDEST, from).map(|(oldest,)| oldest)
}

/// Makes one row of all rows of `from..to`, for every user and for the totals; the sums stay.
pub async fn roll_up(mut db: Db<'_>, from: DateTime<Utc>, to: DateTime<Utc>) -> StoreResult<()> {
    let (last_log,) = query!(fetch_one as (i64,), db.reborrow(), LAST_LOG)?;
    execute!(db.reborrow(), ROLL_LOGS, from, to)?;
    execute!(db.reborrow(), DROP_ROLLED_LOGS, from, to, last_log)?;
    let (last_total,) = query!(fetch_one as (i64,), db.reborrow(), LAST_TOTAL)?;
    execute!(db.reborrow(), ROLL_TOTALS, from, to)?;
    execute!(db, DROP_ROLLED_TOTALS, from, to, last_total).map(drop)
}

/// Deletes traffic older than `traffic_before` and the proxy's figures older than `stats_before`.
pub async fn prune(mut db: Db<'_>, traffic_before: DateTime<Utc>, stats_before: DateTime<Utc>) -> StoreResult<()> {
    execute!(db.reborrow(), PRUNE_LOGS, traffic_before)?;
    execute!(db.reborrow(), PRUNE_TOTALS, traffic_before)?;
    execute!(db, PRUNE_STATS, stats_before).map(drop)
}
