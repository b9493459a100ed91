//! Table `session_cuts`: session cuts by node, kept until a scrape has told of the name and the file needs them no more.

use chrono::{DateTime, Utc};
use mtpannel_core::access::SessionCut;
use mtpannel_core::user::Username;

use super::{Db, NodeId, StoreResult, execute, json_keys, query, sql_texts};

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
    ALL = "SELECT username, ordered_at, written_at, user_deleted FROM session_cuts WHERE node_id = $1";
    SETTLED = "SELECT settled FROM session_cuts WHERE node_id = $2 AND username = $1";
    ORDER = "INSERT INTO session_cuts (node_id, username, ordered_at) \
        SELECT nodes.id, key, $2 FROM nodes, json_each($1) WHERE true \
        ON CONFLICT (node_id, username) DO UPDATE SET ordered_at = excluded.ordered_at, written_at = NULL, \
        settled = FALSE, user_deleted = session_cuts.user_deleted AND session_cuts.written_at IS NULL";
    ORDER_FOR_DELETED = "INSERT INTO session_cuts (node_id, username, ordered_at, user_deleted) \
        SELECT nodes.id, key, $2, TRUE FROM nodes, json_each($1) WHERE true \
        ON CONFLICT (node_id, username) DO UPDATE SET ordered_at = excluded.ordered_at, written_at = NULL, \
        settled = FALSE, user_deleted = TRUE";
    ORDER_FOR_UNKNOWN = "INSERT INTO session_cuts (node_id, username, ordered_at) \
        SELECT $3, key, $2 FROM json_each($1) WHERE key NOT IN (SELECT username FROM users) \
        ON CONFLICT (node_id, username) DO UPDATE SET ordered_at = excluded.ordered_at, written_at = NULL, \
        settled = FALSE";
    MARK_WRITTEN = "UPDATE session_cuts SET written_at = $2 \
        WHERE node_id = $3 AND written_at IS NULL AND username IN (SELECT key FROM json_each($1))";
    MARK_SETTLED = "UPDATE session_cuts SET settled = TRUE \
        WHERE node_id = $2 AND NOT settled AND username IN (SELECT key FROM json_each($1))";
    LATEST = "SELECT MAX(ordered_at), MAX(written_at) FROM session_cuts";
    CORRECT_ORDERED = "UPDATE session_cuts SET ordered_at = $1 WHERE ordered_at > $2";
    CORRECT_WRITTEN = "UPDATE session_cuts SET written_at = NULL, user_deleted = FALSE WHERE written_at > $1";
    REMOVE = "DELETE FROM session_cuts WHERE node_id = $2 AND username IN (SELECT key FROM json_each($1))";
    REMOVE_WRITTEN_BEFORE = "DELETE FROM session_cuts WHERE node_id = $2 AND written_at < $1";
}

/// All of a node.
pub async fn all(db: Db<'_>, node: NodeId) -> StoreResult<Vec<SessionCut>> {
    Ok(query!(fetch_all as Row, db, ALL, node)?.into_iter().map(SessionCut::from).collect())
}

/// Whether there is a cut of this very spelling that no scrape has told of since it was written.
pub async fn is_unsettled(db: Db<'_>, node: NodeId, name: &str) -> StoreResult<bool> {
    Ok(query!(fetch_optional as (bool,), db, SETTLED, name, node)?.is_some_and(|(settled,)| !settled))
}

/// Notes that a scrape after the cut has told of `names`.
pub async fn mark_settled<'n>(db: Db<'_>, node: NodeId, names: impl IntoIterator<Item = &'n str>) -> StoreResult<()> {
    let mut names = names.into_iter().peekable();
    if names.peek().is_none() { Ok(()) } else { execute!(db, MARK_SETTLED, json_keys(names), node).map(drop) }
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

/// Orders the cut of `names` on all nodes, also where an earlier cut was written already. A deletion that no file was written
/// for yet stays one.
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

/// The same on one node, for those of `names` that no user has in this very spelling.
pub async fn order_for_unknown<'n>(
    db: Db<'_>,
    node: NodeId,
    names: impl IntoIterator<Item = &'n str>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db, ORDER_FOR_UNKNOWN, json_keys(names), now, node).map(drop)
}

/// Notes that a file that cuts `names` was written at `at`.
pub async fn mark_written<'n>(
    db: Db<'_>,
    node: NodeId,
    names: impl IntoIterator<Item = &'n str>,
    at: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db, MARK_WRITTEN, json_keys(names), at, node).map(drop)
}

/// Removes the cuts of `names`.
pub async fn remove<'n>(db: Db<'_>, node: NodeId, names: impl IntoIterator<Item = &'n str>) -> StoreResult<()> {
    let mut names = names.into_iter().peekable();
    if names.peek().is_none() { Ok(()) } else { execute!(db, REMOVE, json_keys(names), node).map(drop) }
}

/// Removes the cuts that were written before `moment`.
pub async fn remove_written_before(db: Db<'_>, node: NodeId, moment: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, REMOVE_WRITTEN_BEFORE, moment, node).map(drop)
}
