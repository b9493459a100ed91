//! Table `users` for scrapes: reads and stores usage, and what follows from it, of many users at once.

use chrono::{DateTime, Utc};
use mtpannel_core::user::{Limit, Status};

use super::users::set_status;
use super::{
    Db, StoreResult, execute, execute_rows, json_names, json_rows, packed, query, sql_texts, this_revision, unpack,
};

/// What a scrape needs of every user that it may touch.
#[derive(Debug)]
pub struct Metered<'t> {
    /// Row id.
    pub id: i64,
    /// Name.
    pub username: &'t str,
    /// Status as stored.
    pub status: Status,
    /// Whether the expiry has passed.
    pub is_over: bool,
    /// Traffic limit.
    pub data_limit: Option<Limit>,
    /// Bytes since the last reset.
    pub data_used: i64,
    /// Base of the usage.
    pub usage_base: Option<i64>,
}

/// What a scrape changes of one user.
#[derive(Debug, Clone, Copy)]
pub struct UsageChange {
    /// Row id.
    pub id: i64,
    /// Bytes since the last reset.
    pub data_used: i64,
    /// Base of the usage, if it is set now.
    pub new_base: Option<i64>,
    /// Status that follows, if it is another one.
    pub new_status: Option<Status>,
    /// Whether the user had a connection or moved bytes.
    pub seen: bool,
}

/// The columns of [`Metered`] as text; `$1` is now.
macro_rules! metered_columns {
    () => {
        packed!(
            "id",
            "username",
            "status",
            "CASE WHEN expire_at <= $1 THEN 1 ELSE 0 END",
            "COALESCE(CAST(data_limit AS TEXT), '-')",
            "data_used",
            "COALESCE(CAST(usage_base AS TEXT), '-')"
        )
    };
}

sql_texts! {
    METERED = concat!(
        "SELECT ", metered_columns!(), " FROM users \
         WHERE lower(username) IN (SELECT key FROM json_each($2)) AND usage_base IS NOT NULL"
    );
    ALL_METERED = concat!("SELECT ", metered_columns!(), " FROM users WHERE usage_base IS NOT NULL");
    UNSETTLED = concat!("SELECT ", metered_columns!(), " FROM users WHERE usage_base IS NULL");
    UNSETTLED_NAMES = "SELECT username FROM users WHERE usage_base IS NULL";
    /// For most of a scrape's users; it leaves the indexed columns alone. PostgreSQL takes the types of the rows from what is
    /// bound.
    RECORD_USAGE = concat!(
        "WITH changed (id, data_used, seen_at) AS (VALUES ($1, $2, $3)) \
         UPDATE users SET data_used = changed.data_used, last_seen_at = COALESCE(changed.seen_at, last_seen_at), \
         revision = ", this_revision!(), " FROM changed WHERE users.id = changed.id"
    );
    SETTLE = concat!(
        "UPDATE users SET usage_base = CAST(value ->> 0 AS BIGINT), revision = ", this_revision!(),
        " FROM json_each($1) WHERE users.id = CAST(key AS BIGINT)"
    );
}

/// From this many names on, reading every user costs less than looking for each.
const MANY: usize = 20_000;

/// Names of all users whose usage has no base yet.
pub async fn unsettled_names(db: Db<'_>) -> StoreResult<Vec<String>> {
    Ok(query!(fetch_all as (String,), db, UNSETTLED_NAMES)?.into_iter().map(|(name,)| name).collect())
}

/// Shows to `see` the users of these names, in any case, and all whose usage has no base yet: for a scrape. If the names
/// are many, there may be others among them.
pub async fn each_metered(
    mut db: Db<'_>,
    names: &[&str],
    now: DateTime<Utc>,
    mut see: impl FnMut(&Metered<'_>),
) -> StoreResult<()> {
    type Text = (Option<String>,);
    let (settled,) = if names.len() < MANY {
        let names = json_names(names.iter().copied());
        query!(fetch_one as Text, db.reborrow(), METERED, now, names)?
    } else {
        query!(fetch_one as Text, db.reborrow(), ALL_METERED, now)?
    };
    let (unsettled,) = query!(fetch_one as Text, db, UNSETTLED, now)?;
    let optional = |text: &str| if text == "-" { Some(None) } else { text.parse().ok().map(Some) };
    let mut row = |[id, username, status, is_over, data_limit, data_used, usage_base]: [&str; 7]| {
        see(&Metered {
            id: id.parse().ok()?,
            username,
            status: status.parse().ok()?,
            is_over: is_over == "1",
            data_limit: optional(data_limit)?.map(Limit::of_stored),
            data_used: data_used.parse().ok()?,
            usage_base: optional(usage_base)?,
        });
        Some(())
    };
    unpack(settled, &mut row)?;
    unpack(unsettled, row)?;
    Ok(())
}

/// Writes what a scrape changes, at `now`, in few statements.
pub async fn record_usage(mut db: Db<'_>, changes: &[UsageChange], now: DateTime<Utc>) -> StoreResult<()> {
    execute_rows!(db.reborrow(), RECORD_USAGE, changes, |change| (
        change.id,
        change.data_used,
        change.seen.then_some(now),
    ))?;
    let bases: Vec<_> = changes.iter().filter_map(|change| Some((change.id, (change.new_base?,)))).collect();
    if !bases.is_empty() {
        execute!(db.reborrow(), SETTLE, json_rows(bases))?;
    }
    let statuses: Vec<_> = changes.iter().filter_map(|change| Some((change.id, change.new_status?))).collect();
    if statuses.is_empty() { Ok(()) } else { set_status(db, statuses, now).await }
}
