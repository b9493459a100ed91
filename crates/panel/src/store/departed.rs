//! Table `departed`: names whose open sessions have to be cut, or whose last bytes no scrape has seen yet.

use chrono::{DateTime, Utc};
use mtpannel_core::access::Departed;
use mtpannel_core::user::Username;

use super::{Db, StoreResult, execute, query, sql_texts};

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(try_from = "String")]
    username: Username,
    since: DateTime<Utc>,
    cut_at: Option<DateTime<Utc>>,
    deleted: bool,
}

impl From<Row> for Departed {
    fn from(Row { username, since, cut_at, deleted }: Row) -> Self {
        Self { username, since, cut_at, deleted }
    }
}

sql_texts! {
    ALL = "SELECT username, since, cut_at, deleted FROM departed";
    SETTLED = "SELECT settled FROM departed WHERE username = $1";
    ADD = "INSERT INTO departed (username, since) SELECT key, $2 FROM json_each($1) WHERE true \
        ON CONFLICT (username) DO UPDATE SET since = excluded.since, cut_at = NULL, settled = FALSE, \
        deleted = departed.deleted AND departed.cut_at IS NULL";
    ADD_DELETED = "INSERT INTO departed (username, since, deleted) SELECT key, $2, TRUE FROM json_each($1) WHERE true \
        ON CONFLICT (username) DO UPDATE SET since = excluded.since, cut_at = NULL, settled = FALSE, deleted = TRUE";
    ADD_UNKNOWN = "INSERT INTO departed (username, since) SELECT key, $2 FROM json_each($1) \
        WHERE key NOT IN (SELECT username FROM users) \
        ON CONFLICT (username) DO UPDATE SET since = excluded.since, cut_at = NULL, settled = FALSE";
    MARK_CUT = "UPDATE departed SET cut_at = $2 \
        WHERE cut_at IS NULL AND username IN (SELECT key FROM json_each($1))";
    MARK_SETTLED = "UPDATE departed SET settled = TRUE \
        WHERE NOT settled AND username IN (SELECT key FROM json_each($1))";
    LATEST = "SELECT MAX(since), MAX(cut_at) FROM departed";
    CORRECT_SINCE = "UPDATE departed SET since = $1 WHERE since > $2";
    CORRECT_CUT = "UPDATE departed SET cut_at = NULL, deleted = FALSE WHERE cut_at > $1";
    REMOVE = "DELETE FROM departed WHERE username IN (SELECT key FROM json_each($1))";
    REMOVE_CUT_BEFORE = "DELETE FROM departed WHERE cut_at < $1";
}

/// All of them.
pub async fn all(db: Db<'_>) -> StoreResult<Vec<Departed>> {
    Ok(query!(fetch_all as Row, db, ALL)?.into_iter().map(Departed::from).collect())
}

/// Whether there is an entry of this very spelling of which no scrape has told since its cut.
pub async fn is_unsettled(db: Db<'_>, name: &str) -> StoreResult<bool> {
    Ok(query!(fetch_optional as (bool,), db, SETTLED, name)?.is_some_and(|(settled,)| !settled))
}

/// Notes that a scrape after the cut has told of `names`.
pub async fn mark_settled<'n>(db: Db<'_>, names: impl IntoIterator<Item = &'n str>) -> StoreResult<()> {
    let mut names = names.into_iter().peekable();
    if names.peek().is_none() { Ok(()) } else { execute!(db, MARK_SETTLED, super::json_keys(names)).map(drop) }
}

/// The latest moment that any entry names.
pub async fn latest(db: Db<'_>) -> StoreResult<Option<DateTime<Utc>>> {
    type Row = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let (since, cut_at) = query!(fetch_one as Row, db, LATEST)?;
    Ok(since.max(cut_at))
}

/// Takes back moments after `bound`, which a clock that was ahead of `now` has noted: such a cut counts as not written. The
/// file that was written has rid a deleted name of its entries, so those that it has now are of its next owner.
pub async fn correct(mut db: Db<'_>, now: DateTime<Utc>, bound: DateTime<Utc>) -> StoreResult<()> {
    execute!(db.reborrow(), CORRECT_SINCE, now, bound)?;
    execute!(db, CORRECT_CUT, bound).map(drop)
}

/// Notes that the sessions of `names` have to be cut, also where an earlier cut was done already. A deletion that no file
/// was written for yet stays one.
pub async fn add<'n>(db: Db<'_>, names: impl IntoIterator<Item = &'n str>, now: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, ADD, super::json_keys(names), now).map(drop)
}

/// The same for users that were deleted.
pub async fn add_deleted<'n>(
    db: Db<'_>,
    names: impl IntoIterator<Item = &'n str>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db, ADD_DELETED, super::json_keys(names), now).map(drop)
}

/// The same for those of `names` that no user has in this very spelling.
pub async fn add_unknown<'n>(
    db: Db<'_>,
    names: impl IntoIterator<Item = &'n str>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db, ADD_UNKNOWN, super::json_keys(names), now).map(drop)
}

/// Notes that a file that cuts `names` was written at `at`.
pub async fn mark_cut<'n>(db: Db<'_>, names: impl IntoIterator<Item = &'n str>, at: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, MARK_CUT, super::json_keys(names), at).map(drop)
}

/// Forgets `names`.
pub async fn remove<'n>(db: Db<'_>, names: impl IntoIterator<Item = &'n str>) -> StoreResult<()> {
    let mut names = names.into_iter().peekable();
    if names.peek().is_none() { Ok(()) } else { execute!(db, REMOVE, super::json_keys(names)).map(drop) }
}

/// Forgets those whose cut was written before `moment`.
pub async fn remove_cut_before(db: Db<'_>, moment: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, REMOVE_CUT_BEFORE, moment).map(drop)
}
