//! Table `sessions`: refresh cookies of browsers. Only hashes of the tokens are stored.

use chrono::{DateTime, Utc};

use super::{Db, StoreResult, execute, query, sql_texts};

/// A browser's session.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Session {
    /// Whose it is.
    pub admin_id: i64,
    /// Hash of the token that was given last.
    pub token_hash: String,
    /// Hash of the token before.
    pub previous_hash: Option<String>,
    /// When the last one was given.
    pub rotated_at: DateTime<Utc>,
    /// When the session began.
    pub created_at: DateTime<Utc>,
    /// When it ends unless it is used before.
    pub expires_at: DateTime<Utc>,
}

sql_texts! {
    INSERT = "INSERT INTO sessions (family, admin_id, token_hash, rotated_at, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $4, $5)";
    BY_FAMILY = "SELECT admin_id, token_hash, previous_hash, rotated_at, created_at, expires_at FROM sessions \
        WHERE family = $1";
    ROTATE = "UPDATE sessions SET previous_hash = token_hash, token_hash = $2, rotated_at = $3, expires_at = $4 \
        WHERE family = $1";
    DELETE = "DELETE FROM sessions WHERE family = $1";
    DELETE_OF = "DELETE FROM sessions WHERE admin_id = $1";
    DELETE_EXPIRED = "DELETE FROM sessions WHERE expires_at <= $1";
}

/// Begins a session.
pub async fn insert(
    db: Db<'_>,
    family: &str,
    admin_id: i64,
    token_hash: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db, INSERT, family, admin_id, token_hash, now, expires_at).map(drop)
}

/// The session whose tokens are of this family.
pub async fn by_family(db: Db<'_>, family: &str) -> StoreResult<Option<Session>> {
    query!(fetch_optional as Session, db, BY_FAMILY, family)
}

/// Replaces a session's token.
pub async fn rotate(
    db: Db<'_>,
    family: &str,
    token_hash: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db, ROTATE, family, token_hash, now, expires_at).map(drop)
}

/// Ends one session.
pub async fn delete(db: Db<'_>, family: &str) -> StoreResult<()> {
    execute!(db, DELETE, family).map(drop)
}

/// Ends all sessions of an administrator.
pub async fn delete_of(db: Db<'_>, admin_id: i64) -> StoreResult<()> {
    execute!(db, DELETE_OF, admin_id).map(drop)
}

/// Forgets sessions that ended.
pub async fn delete_expired(db: Db<'_>, now: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, DELETE_EXPIRED, now).map(drop)
}
