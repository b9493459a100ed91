//! Table `written_files`: digests of the texts of `config.toml` that a panel has written lately.

use chrono::{DateTime, Utc};

use super::{Db, StoreResult, execute, query, sql_texts};

sql_texts! {
    REMEMBER = "INSERT INTO written_files (digest, written_at) SELECT key, $2 FROM json_each($1) WHERE true \
        ON CONFLICT (digest) DO UPDATE SET written_at = excluded.written_at";
    // Newest first; several panels may write files of their own.
    FORGET = "DELETE FROM written_files WHERE digest IN (\
        SELECT digest FROM written_files ORDER BY written_at DESC, digest LIMIT 100 OFFSET $1)";
    KNOWS = "SELECT COUNT(*) FROM written_files WHERE digest = $1";
}

/// Texts that are remembered.
const KEPT: i64 = 200;

/// Remembers texts, and forgets the oldest.
pub async fn remember<'d>(
    mut db: Db<'_>,
    digests: impl IntoIterator<Item = &'d str>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db.reborrow(), REMEMBER, super::json_keys(digests), now)?;
    execute!(db, FORGET, KEPT).map(drop)
}

/// Whether a panel has written this text.
pub async fn knows(db: Db<'_>, digest: &str) -> StoreResult<bool> {
    query!(fetch_one as (i64,), db, KNOWS, digest).map(|(count,)| count > 0)
}
