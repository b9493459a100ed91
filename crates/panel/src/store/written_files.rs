//! Table `written_files`: digests of the texts of `config.toml` that a panel has written lately, by node.

use chrono::{DateTime, Utc};

use super::{Db, NodeId, StoreResult, execute, query, sql_texts};

sql_texts! {
    REMEMBER = "INSERT INTO written_files (node_id, digest, written_at) SELECT $3, key, $2 FROM json_each($1) WHERE true \
        ON CONFLICT (node_id, digest) DO UPDATE SET written_at = excluded.written_at";
    // The newest stay; several panels may write files of their own.
    FORGET = "DELETE FROM written_files WHERE node_id = $2 AND digest IN (\
        SELECT digest FROM written_files WHERE node_id = $2 ORDER BY written_at DESC, digest LIMIT 100 OFFSET $1)";
    KNOWS = "SELECT COUNT(*) FROM written_files WHERE node_id = $2 AND digest = $1";
}

/// How many digests of a node are remembered.
const KEPT: i64 = 200;

/// Remembers the texts with these digests, and forgets the oldest.
pub async fn remember<'d>(
    mut db: Db<'_>,
    node: NodeId,
    digests: impl IntoIterator<Item = &'d str>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db.reborrow(), REMEMBER, super::json_keys(digests), now, node)?;
    execute!(db, FORGET, KEPT, node).map(drop)
}

/// Whether a panel has written the text with this digest lately.
pub async fn knows(db: Db<'_>, node: NodeId, digest: &str) -> StoreResult<bool> {
    query!(fetch_one as (i64,), db, KNOWS, digest, node).map(|(count,)| count > 0)
}
