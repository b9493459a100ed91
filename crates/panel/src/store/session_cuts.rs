//! Table `departed`: session cuts, kept until a scrape has told of the name and the file needs them no more.

use chrono::{DateTime, Utc};
use mtpannel_core::access::SessionCut;
use mtpannel_core::user::Username;

use super::{Db, StoreResult, execute, json_keys, query, sql_texts};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    username: Username,
    ordered_at: DateTime<Utc>,
    written_at: Option<DateTime<Utc>>,
    user_deleted: bool,
}

impl From<Row> for SessionCut {
    fn from(Row { username, ordered_at, written_at, user_deleted }: Row) -> Self {
        Self { username, ordered_at, written_at, user_deleted }
    }
}

sql_texts! {
    ALL = "SELECT username, since AS ordered_at, cut_at AS written_at, deleted AS user_deleted FROM departed";
    SETTLED = "SELECT settled FROM departed WHERE username = $1";
    ORDER = "INSERT INTO departed (username, since) SELECT key, $2 FROM json_each($1) WHERE true \
        ON CONFLICT (username) DO UPDATE SET since = excluded.since, cut_at = NULL, settled = FALSE, \
        deleted = departed.deleted AND departed.cut_at IS NULL";
    ORDER_FOR_DELETED = "INSERT INTO departed (username, since, deleted) \
        SELECT key, $2, TRUE FROM json_each($1) WHERE true \
        ON CONFLICT (username) DO UPDATE SET since = excluded.since, cut_at = NULL, settled = FALSE, deleted = TRUE";
    ORDER_FOR_UNKNOWN = "INSERT INTO departed (username, since) SELECT key, $2 FROM json_each($1) \
        WHERE key NOT IN (SELECT username FROM users) \
        ON CONFLICT (username) DO UPDATE SET since = excluded.since, cut_at = NULL, settled = FALSE";
    MARK_WRITTEN = "UPDATE departed SET cut_at = $2 \
        WHERE cut_at IS NULL AND username IN (SELECT key FROM json_each($1))";
    MARK_SETTLED = "UPDATE departed SET settled = TRUE \
        WHERE NOT settled AND username IN (SELECT key FROM json_each($1))";
    LATEST = "SELECT MAX(since), MAX(cut_at) FROM departed";
    CORRECT_ORDERED = "UPDATE departed SET since = $1 WHERE since > $2";
    CORRECT_WRITTEN = "UPDATE departed SET cut_at = NULL, deleted = FALSE WHERE cut_at > $1";
    REMOVE = "DELETE FROM departed WHERE username IN (SELECT key FROM json_each($1))";
    REMOVE_WRITTEN_BEFORE = "DELETE FROM departed WHERE cut_at < $1";
}

/// All of them.
pub async fn all(db: Db<'_>) -> StoreResult<Vec<SessionCut>> {
    Ok(query!(fetch_all as Row, db, ALL)?.into_iter().map(SessionCut::from).collect())
}

/// Whether there is a cut of this very spelling that no scrape has told of since it was written.
pub async fn is_unsettled(db: Db<'_>, name: &str) -> StoreResult<bool> {
    Ok(query!(fetch_optional as (bool,), db, SETTLED, name)?.is_some_and(|(settled,)| !settled))
}

/// Notes that a scrape after the cut has told of `names`.
pub async fn mark_settled<'n>(db: Db<'_>, names: impl IntoIterator<Item = &'n str>) -> StoreResult<()> {
    let mut names = names.into_iter().peekable();
    if names.peek().is_none() { Ok(()) } else { execute!(db, MARK_SETTLED, json_keys(names)).map(drop) }
}

/// The latest time that any cut holds.
pub async fn latest(db: Db<'_>) -> StoreResult<Option<DateTime<Utc>>> {
    type Row = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let (ordered_at, written_at) = query!(fetch_one as Row, db, LATEST)?;
    Ok(ordered_at.max(written_at))
}

/// Corrects times after `bound`, which a clock that was ahead of `now` has given: such a cut counts as not written. It no
/// longer counts as a deletion, because the file that was written has removed the deleted user's entries already: those
/// that it has now belong to the next user of the name.
pub async fn correct(mut db: Db<'_>, now: DateTime<Utc>, bound: DateTime<Utc>) -> StoreResult<()> {
    execute!(db.reborrow(), CORRECT_ORDERED, now, bound)?;
    execute!(db, CORRECT_WRITTEN, bound).map(drop)
}

/// Orders the cut of `names`, also where an earlier cut was written already. A deletion that no file was written for yet
/// stays one.
pub async fn order<'n>(db: Db<'_>, names: impl IntoIterator<Item = &'n str>, now: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, ORDER, json_keys(names), now).map(drop)
}

/// The same for users that were deleted.
pub async fn order_for_deleted<'n>(
    db: Db<'_>,
    names: impl IntoIterator<Item = &'n str>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db, ORDER_FOR_DELETED, json_keys(names), now).map(drop)
}

/// The same for those of `names` that no user has in this very spelling.
pub async fn order_for_unknown<'n>(
    db: Db<'_>,
    names: impl IntoIterator<Item = &'n str>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db, ORDER_FOR_UNKNOWN, json_keys(names), now).map(drop)
}

/// Notes that a file that cuts `names` was written at `at`.
pub async fn mark_written<'n>(
    db: Db<'_>,
    names: impl IntoIterator<Item = &'n str>,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db, MARK_WRITTEN, json_keys(names), at).map(drop)
}

/// Removes the cuts of `names`.
pub async fn remove<'n>(db: Db<'_>, names: impl IntoIterator<Item = &'n str>) -> StoreResult<()> {
    let mut names = names.into_iter().peekable();
    if names.peek().is_none() { Ok(()) } else { execute!(db, REMOVE, json_keys(names)).map(drop) }
}

/// Removes the cuts that were written before `moment`.
pub async fn remove_written_before(db: Db<'_>, moment: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, REMOVE_WRITTEN_BEFORE, moment).map(drop)
}
