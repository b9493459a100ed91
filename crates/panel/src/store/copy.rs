//! Whole SQLite files: checks a copy, and replaces the database with it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use sqlx::migrate::Migrate as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::error::{StoreError, StoreResult, sqlite_code};
use super::instance::{beside, give_to_owner_of};
use super::schema::{SQLITE_MIGRATIONS, newest};
use crate::folder::{folder_of, sync_folder};

/// First bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Tables that every schema of this program has, with their present names.
const TABLES: [&str; 10] = [
    "admins",
    "users",
    "usage_meters",
    "session_cuts",
    "traffic_logs",
    "traffic_totals",
    "system_stats",
    "panel_state",
    "sessions",
    "audit_log",
];
/// The table among them that had another name before schema version 8, and its present one.
const RENAMED: (&str, &str) = ("departed", "session_cuts");
/// Files that SQLite keeps beside a database and that belong to it alone.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why a copy cannot be the database.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It is not an SQLite database.
    #[error("is not an SQLite database")]
    NotSqlite,
    /// It does not pass SQLite's own checks.
    #[error("is damaged: {0}")]
    Damaged(String),
    /// It is of the panel that `import panel-db` takes over.
    #[error("is a database of the older panel; take it over with: mtpannel import panel-db FILE")]
    OlderPanel,
    /// It is of another program.
    #[error("is not a database of this program: it has no table {0}")]
    Foreign(&'static str),
    /// It was written by another version line of this program.
    #[error("is not a database of this program: step {0} of its schema is another one")]
    OtherSchema(i64),
    /// It is of a newer program, or cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Contents {
    /// Number of users.
    pub users: i64,
    /// Number of administrators.
    pub admins: i64,
    /// Number of sudo administrators.
    pub sudo_admins: i64,
}

/// Copies the database file `from`, with what SQLite has not moved into it yet, to `to`, readable by its owner only.
pub fn duplicate(from: &Path, to: &Path) -> Result<(), CopyError> {
    let mut source = File::open(from).map_err(at(from))?;
    let mut magic = [0; MAGIC.len()];
    let is_sqlite = source.read_exact(&mut magic).is_ok() && magic == *MAGIC;
    if !is_sqlite {
        return Err(CopyError::NotSqlite);
    }
    write_private(from, to)?;
    let log = beside(from, "-wal");
    if log.exists() {
        write_private(&log, &beside(to, "-wal"))?;
    }
    Ok(())
}

fn write_private(from: &Path, to: &Path) -> StoreResult<()> {
    let mut source = File::open(from).map_err(at(from))?;
    let mut target = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(at(to))?;
    io::copy(&mut source, &mut target).map(drop).map_err(at(to))
}

/// Checks whether the file, which no other process uses, can be the database, and prepares it: one file without companions,
/// with every login void, because it may bring back login sessions and passwords that have been replaced since.
pub async fn prepare(path: &Path, now: DateTime<Utc>) -> Result<Contents, CopyError> {
    let mut conn = connect_plain(path).await.map_err(damaged)?;
    check_integrity(&mut conn).await?;
    check_schema(&mut conn).await?;
    let contents = void_logins(&mut conn, now).await.map_err(damaged)?;
    sqlx::query("PRAGMA journal_mode = DELETE").execute(&mut conn).await.map_err(damaged)?;
    conn.close().await.map_err(damaged)?;
    File::open(path).and_then(|file| file.sync_all()).map_err(at(path))?;
    Ok(contents)
}

/// Opens the file as it is. No setting that reads it is made, so that even a damaged file opens and can be closed.
async fn connect_plain(path: &Path) -> sqlx::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false).foreign_keys(true);
    options.disable_statement_logging().connect().await
}

#[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn damaged(error: sqlx::Error) -> CopyError {
    CopyError::Damaged(error.to_string())
}

async fn check_integrity(conn: &mut SqliteConnection) -> Result<(), CopyError> {
    let found: Vec<(String,)> =
        sqlx::query_as("PRAGMA integrity_check(1)").fetch_all(&mut *conn).await.map_err(damaged)?;
    if let Some((first,)) = found.into_iter().find(|(line,)| line != "ok") {
        return Err(CopyError::Damaged(first));
    }
    let dangling = sqlx::query("PRAGMA foreign_key_check").fetch_all(conn).await.map_err(damaged)?;
    if dangling.is_empty() {
        return Ok(());
    }
    Err(CopyError::Damaged(format!("{} of its rows belong to rows that are missing", dangling.len())))
}

async fn check_schema(conn: &mut SqliteConnection) -> Result<(), CopyError> {
    let table = &SQLITE_MIGRATIONS.table_name;
    let tables: Vec<(String,)> = sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut *conn)
        .await
        .map_err(damaged)?;
    let has = |name: &str| tables.iter().any(|(table,)| table == name || (name == RENAMED.1 && table == RENAMED.0));
    if !has(table) && has("admins") && has("users") && has("traffic_logs") {
        return Err(CopyError::OlderPanel);
    }
    if let Some(missing) = TABLES.into_iter().find(|name| !has(name)) {
        return Err(CopyError::Foreign(missing));
    }
    if !has(table) {
        return Err(CopyError::Foreign("_sqlx_migrations"));
    }
    if let Some(version) = conn.dirty_version(table).await.map_err(StoreError::from)? {
        return Err(CopyError::Damaged(format!("the change to schema version {version} was interrupted")));
    }
    let known = newest(&SQLITE_MIGRATIONS);
    for applied in conn.list_applied_migrations(table).await.map_err(StoreError::from)? {
        if applied.version > known {
            return Err(StoreError::NewerSchema { found: applied.version, known }.into());
        }
        let same =
            |ours: &sqlx::migrate::Migration| ours.version == applied.version && ours.checksum == applied.checksum;
        if !SQLITE_MIGRATIONS.iter().any(same) {
            return Err(CopyError::OtherSchema(applied.version));
        }
    }
    Ok(())
}

async fn void_logins(conn: &mut SqliteConnection, now: DateTime<Utc>) -> sqlx::Result<Contents> {
    let mut tx = conn.begin().await?;
    sqlx::query("DELETE FROM sessions").execute(&mut *tx).await?;
    // More than any epoch that was ever given out, whichever copy was restored before.
    sqlx::query("UPDATE admins SET token_epoch = MAX(token_epoch + 1, $1)")
        .bind(now.timestamp())
        .execute(&mut *tx)
        .await?;
    let contents = sqlx::query_as(
        "SELECT (SELECT COUNT(*) FROM users) AS users, (SELECT COUNT(*) FROM admins) AS admins, \
         (SELECT COUNT(*) FROM admins WHERE is_sudo) AS sudo_admins",
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(contents)
}

/// Puts the file `new`, made ready by [`prepare`] on the same file system, in the place of `database` in one step, and
/// keeps the present one, if there is one, as `kept`. The caller holds the instance lock.
pub async fn put_in_place(new: &Path, database: &Path, kept: &Path) -> StoreResult<()> {
    if let Ok(file) = File::open(new) {
        give_to_owner_of(&file, database);
    }
    if database.exists() {
        merge_companions(database).await?;
        if fs::hard_link(database, kept).is_err() {
            write_private(database, kept)?;
        }
        // Those of the old database would be taken for the new one's. Only a damaged one has any left.
        for suffix in COMPANIONS {
            let companion = beside(database, suffix);
            if companion.exists() {
                fs::rename(&companion, beside(kept, suffix)).map_err(at(&companion))?;
            }
        }
    }
    fs::rename(new, database).map_err(at(database))?;
    let folder = folder_of(database);
    sync_folder(folder).map_err(at(folder))
}

/// Has SQLite move its write-ahead log into the database file; [`StoreError::InUse`] if another process has it open. A
/// damaged database stays as it is.
async fn merge_companions(database: &Path) -> StoreResult<()> {
    match checkpoint(database).await {
        Ok(false) if !beside(database, "-wal").exists() => Ok(()),
        Ok(_) => Err(StoreError::InUse(database.to_owned())),
        Err(error) => match sqlite_code(&error) {
            Some(SQLITE_BUSY | SQLITE_LOCKED) => Err(StoreError::InUse(database.to_owned())),
            Some(SQLITE_CORRUPT | SQLITE_NOTADB) => Ok(()),
            _ => Err(error.into()),
        },
    }
}

const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_NOTADB: u32 = 26;

/// Tells whether another connection was in the way. The file is closed when this returns, also with an error: SQLite
/// removes companions as it closes, and the caller moves them.
async fn checkpoint(database: &Path) -> sqlx::Result<bool> {
    let mut conn = connect_plain(database).await?;
    let answer = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut conn).await;
    let closed = conn.close().await;
    let (busy, _, _): (i64, i64, i64) = answer?;
    closed?;
    Ok(busy != 0)
}

fn at(path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { path: path.clone(), source }
}
