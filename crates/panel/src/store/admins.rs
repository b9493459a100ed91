//! Table `admins`: administrators, their passwords and their token epochs.

use chrono::{DateTime, Utc};

use super::{Db, StoreResult, execute, folded, query, session_is_open, sql_texts};

/// An administrator.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Admin {
    /// Row id.
    pub id: i64,
    /// Login name.
    pub username: String,
    /// Whether they see and manage everything.
    pub is_sudo: bool,
    /// When they were created.
    pub created_at: DateTime<Utc>,
    /// Tokens of an older epoch are void.
    pub token_epoch: i64,
    /// Their last successful login.
    pub last_login_at: Option<DateTime<Utc>>,
    /// When a refresh token that had been replaced was used, until they are told.
    pub reuse_detected_at: Option<DateTime<Utc>>,
}

/// What an access token says of its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Row id of the administrator.
    pub admin_id: i64,
    /// Their token epoch when it was given.
    pub epoch: i64,
    /// The login session with which the token ends.
    pub session: Option<String>,
}

/// What a password is compared with at a login.
#[derive(sqlx::FromRow)]
pub struct Credentials {
    /// Row id.
    pub id: i64,
    /// argon2id, or bcrypt in an imported database.
    pub hashed_password: String,
}

macro_rules! columns {
    () => {
        "id, username, is_sudo, created_at, token_epoch, last_login_at, reuse_detected_at"
    };
}

sql_texts! {
    BY_ID = concat!("SELECT ", columns!(), " FROM admins WHERE id = $1");
    BY_HOLDER = concat!(
        "SELECT ", columns!(), " FROM admins WHERE id = $1 AND token_epoch = $2 AND ",
        session_is_open!("admins.id", "$3", "$4")
    );
    BY_NAME = concat!("SELECT ", columns!(), " FROM admins WHERE lower(username) = $1");
    CREDENTIALS = "SELECT id, hashed_password FROM admins WHERE lower(username) = $1";
    BY_CREDENTIALS = concat!("SELECT ", columns!(), " FROM admins WHERE id = $1 AND hashed_password = $2");
    ANY_BCRYPT_HASH = "SELECT hashed_password FROM admins WHERE hashed_password LIKE '$2%' LIMIT 1";
    PAGE = concat!("SELECT ", columns!(), " FROM admins ORDER BY lower(username) LIMIT $1 OFFSET $2");
    COUNT = "SELECT COUNT(*) FROM admins";
    COUNT_SUDO = "SELECT COUNT(*) FROM admins WHERE is_sudo";
    INSERT = concat!(
        "INSERT INTO admins (username, hashed_password, is_sudo, created_at) VALUES ($1, $2, $3, $4) RETURNING ",
        columns!()
    );
    /// A new password voids every token given before it.
    SET_PASSWORD = "UPDATE admins SET hashed_password = $2, token_epoch = token_epoch + 1 WHERE id = $1";
    /// A stronger hash of the same password: tokens live on.
    UPGRADE_HASH = "UPDATE admins SET hashed_password = $2 WHERE id = $1";
    SET_SUDO = "UPDATE admins SET is_sudo = $2, token_epoch = token_epoch + 1 WHERE id = $1";
    VOID_TOKENS = "UPDATE admins SET token_epoch = token_epoch + 1 WHERE id = $1";
    LOGGED_IN = "UPDATE admins SET last_login_at = $2 WHERE id = $1";
    SET_REUSE_DETECTED = "UPDATE admins SET reuse_detected_at = $2 WHERE id = $1";
    DELETE = "DELETE FROM admins WHERE id = $1";
}

/// The administrator with this row id.
pub async fn by_id(db: Db<'_>, id: i64) -> StoreResult<Option<Admin>> {
    query!(fetch_optional as Admin, db, BY_ID, id)
}

/// The administrator who holds an access token, as long as its token epoch and login session are valid.
pub async fn by_holder(db: Db<'_>, holder: &Holder, now: DateTime<Utc>) -> StoreResult<Option<Admin>> {
    query!(fetch_optional as Admin, db, BY_HOLDER, holder.admin_id, holder.epoch, &holder.session, now)
}

/// The administrator of this name, in any case.
pub async fn by_name(db: Db<'_>, name: &str) -> StoreResult<Option<Admin>> {
    query!(fetch_optional as Admin, db, BY_NAME, folded(name))
}

/// Row id and password hash for this name, in any case.
pub async fn credentials(db: Db<'_>, name: &str) -> StoreResult<Option<Credentials>> {
    query!(fetch_optional as Credentials, db, CREDENTIALS, folded(name))
}

/// The administrator with this row id, if the hash of their password is still this one.
pub async fn by_credentials(db: Db<'_>, credentials: &Credentials) -> StoreResult<Option<Admin>> {
    query!(fetch_optional as Admin, db, BY_CREDENTIALS, credentials.id, &credentials.hashed_password)
}

/// One of the bcrypt hashes that an imported database brought, as long as there is any.
pub async fn any_bcrypt_hash(db: Db<'_>) -> StoreResult<Option<String>> {
    query!(fetch_optional as (String,), db, ANY_BCRYPT_HASH).map(|found| found.map(|(hash,)| hash))
}

/// Administrators by name.
pub async fn page(db: Db<'_>, limit: i64, offset: i64) -> StoreResult<Vec<Admin>> {
    query!(fetch_all as Admin, db, PAGE, limit, offset)
}

/// How many there are.
pub async fn count(db: Db<'_>) -> StoreResult<i64> {
    query!(fetch_one as (i64,), db, COUNT).map(|(count,)| count)
}

/// How many of them are sudo.
pub async fn count_sudo(db: Db<'_>) -> StoreResult<i64> {
    query!(fetch_one as (i64,), db, COUNT_SUDO).map(|(count,)| count)
}

/// Creates an administrator; [`super::StoreError::Conflict`] if the name is taken in any case.
pub async fn insert(db: Db<'_>, name: &str, hash: &str, is_sudo: bool, now: DateTime<Utc>) -> StoreResult<Admin> {
    query!(fetch_one as Admin, db, INSERT, name, hash, is_sudo, now)
}

/// Stores a new password's hash and voids the older tokens.
pub async fn set_password(db: Db<'_>, id: i64, hash: &str) -> StoreResult<()> {
    execute!(db, SET_PASSWORD, id, hash).map(drop)
}

/// Stores a stronger hash of the password that was just verified.
pub async fn upgrade_hash(db: Db<'_>, id: i64, hash: &str) -> StoreResult<()> {
    execute!(db, UPGRADE_HASH, id, hash).map(drop)
}

/// Changes the role and voids the older tokens.
pub async fn set_sudo(db: Db<'_>, id: i64, is_sudo: bool) -> StoreResult<()> {
    execute!(db, SET_SUDO, id, is_sudo).map(drop)
}

/// Voids every token given so far.
pub async fn void_tokens(db: Db<'_>, id: i64) -> StoreResult<()> {
    execute!(db, VOID_TOKENS, id).map(drop)
}

/// Notes a successful login.
pub async fn logged_in(db: Db<'_>, id: i64, now: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, LOGGED_IN, id, now).map(drop)
}

/// Notes when a replaced refresh token was used, or that the administrator has been told.
pub async fn set_reuse_detected(db: Db<'_>, id: i64, at: Option<DateTime<Utc>>) -> StoreResult<()> {
    execute!(db, SET_REUSE_DETECTED, id, at).map(drop)
}

/// Deletes an administrator; their users stay, without an owner.
pub async fn delete(db: Db<'_>, id: i64) -> StoreResult<()> {
    execute!(db, DELETE, id).map(drop)
}
