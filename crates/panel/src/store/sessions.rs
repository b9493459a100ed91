//! Table `sessions`: login sessions of browsers. Their tokens are not stored.

use chrono::{DateTime, Utc};

use super::{Db, StoreResult, execute, query, sql_texts};

/// A login session.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Session {
    /// Row id of the administrator.
    pub admin_id: i64,
    /// How often its token was replaced.
    pub generation: i64,
    /// When the present token was given first.
    pub rotated_at: DateTime<Utc>,
    /// When the session began.
    pub created_at: DateTime<Utc>,
    /// When it ends unless it is used before.
    pub expires_at: DateTime<Utc>,
}

sql_texts! {
    INSERT = "INSERT INTO sessions (family, admin_id, rotated_at, created_at, expires_at) VALUES ($1, $2, $3, $3, $4)";
    BY_FAMILY = "SELECT admin_id, generation, rotated_at, created_at, expires_at FROM sessions WHERE family = $1";
    ROTATE = "UPDATE sessions SET generation = generation + 1, rotated_at = $2, expires_at = $3 WHERE family = $1";
    DELETE = "DELETE FROM sessions WHERE family = $1";
    DELETE_OF = "DELETE FROM sessions WHERE admin_id = $1";
    DELETE_EXPIRED = "DELETE FROM sessions WHERE expires_at <= $1";
}

/// Begins a login session.
pub async fn insert(
    db: Db<'_>,
    family: &str,
    admin_id: i64,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> StoreResult<()> {
    execute!(db, INSERT, family, admin_id, now, expires_at).map(drop)
}

/// The session whose tokens are of this family.
pub async fn by_family(db: Db<'_>, family: &str) -> StoreResult<Option<Session>> {
    query!(fetch_optional as Session, db, BY_FAMILY, family)
}

/// Stores that the token of a login session was replaced.
pub async fn rotate(db: Db<'_>, family: &str, now: DateTime<Utc>, expires_at: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, ROTATE, family, now, expires_at).map(drop)
}

/// Ends one session.
pub async fn delete(db: Db<'_>, family: &str) -> StoreResult<()> {
    execute!(db, DELETE, family).map(drop)
}

/// Ends all sessions of an administrator.
pub async fn delete_of(db: Db<'_>, admin_id: i64) -> StoreResult<()> {
    execute!(db, DELETE_OF, admin_id).map(drop)
}

/// Deletes login sessions that have ended.
pub async fn delete_expired(db: Db<'_>, now: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, DELETE_EXPIRED, now).map(drop)
}
