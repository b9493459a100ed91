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
    FIND = "SELECT username, since, cut_at, deleted FROM departed WHERE username = $1";
    ADD = "INSERT INTO departed (username, since) SELECT key, $2 FROM json_each($1) WHERE true \
        ON CONFLICT (username) DO UPDATE SET since = excluded.since, cut_at = NULL, \
        deleted = departed.deleted AND departed.cut_at IS NULL";
    ADD_DELETED = "INSERT INTO departed (username, since, deleted) SELECT key, $2, TRUE FROM json_each($1) WHERE true \
        ON CONFLICT (username) DO UPDATE SET since = excluded.since, cut_at = NULL, deleted = TRUE";
    ADD_UNKNOWN = "INSERT INTO departed (username, since) SELECT key, $2 FROM json_each($1) \
        WHERE key NOT IN (SELECT username FROM users) \
        ON CONFLICT (username) DO UPDATE SET since = excluded.since, cut_at = NULL";
    MARK_CUT = "UPDATE departed SET cut_at = $2 \
        WHERE cut_at IS NULL AND username IN (SELECT key FROM json_each($1))";
    REMOVE = "DELETE FROM departed WHERE username IN (SELECT key FROM json_each($1))";
    REMOVE_CUT_BEFORE = "DELETE FROM departed WHERE cut_at < $1";
}

/// All of them.
pub async fn all(db: Db<'_>) -> StoreResult<Vec<Departed>> {
    Ok(query!(fetch_all as Row, db, ALL)?.into_iter().map(Departed::from).collect())
}

/// The entry of this very spelling.
pub async fn find(db: Db<'_>, name: &str) -> StoreResult<Option<Departed>> {
    Ok(query!(fetch_optional as Row, db, FIND, name)?.map(Departed::from))
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
