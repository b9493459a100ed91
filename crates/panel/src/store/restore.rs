//! Replacing a SQLite database by a copy, after the copy was checked.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sqlx::{Connection, SqliteConnection};

use super::connect::{SQLITE_MIGRATIONS, pending_from, sqlite_options};
use super::{StoreError, StoreResult};

/// What SQLite keeps beside its file.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// Puts `copy` in the place of the database at `path`; gives where the one before is kept, if there was one. The caller
/// holds the [`super::InstanceLock`] of `path`.
///
/// Nothing is changed unless the copy is whole, is one of this program, and is not of a newer one.
pub async fn restore(path: &Path, copy: &Path, now: DateTime<Utc>) -> StoreResult<Option<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let temporary = tempfile::Builder::new()
        .prefix(".restore-")
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(at(folder))?;
    fs::copy(copy, temporary.path()).map_err(at(copy))?;
    fs::set_permissions(temporary.path(), fs::Permissions::from_mode(0o600)).map_err(at(temporary.path()))?;
    check(temporary.path()).await?;
    File::open(temporary.path()).and_then(|file| file.sync_all()).map_err(at(temporary.path()))?;

    let kept = path.exists().then(|| suffixed(path, &format!(".before-restore-{}", now.format("%Y%m%dT%H%M%SZ"))));
    if let Some(kept) = &kept {
        // Its log goes with it: a database is whole only with both.
        for suffix in COMPANIONS.iter().copied().chain([""]) {
            let from = suffixed(path, suffix);
            if from.exists() {
                fs::rename(&from, suffixed(kept, suffix)).map_err(at(&from))?;
            }
        }
    }
    temporary.persist(path).map_err(|error| StoreError::File { path: path.to_owned(), source: error.error })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
    Ok(kept)
}

/// Whether a file is a whole database of this program.
async fn check(file: &Path) -> StoreResult<()> {
    let refuse = |why: &str| StoreError::NotOurs { path: file.to_owned(), why: why.to_owned() };
    // Without its write-ahead log, so that the check leaves nothing beside the file.
    let options = sqlite_options(file).journal_mode(sqlx::sqlite::SqliteJournalMode::Delete);
    let mut conn = SqliteConnection::connect_with(&options).await.map_err(|_| refuse("it is no SQLite database"))?;
    let findings: Vec<(String,)> = sqlx::query_as::<sqlx::Sqlite, _>("PRAGMA integrity_check")
        .fetch_all(&mut conn)
        .await
        .map_err(|_| refuse("it is no SQLite database"))?;
    if findings.iter().any(|(finding,)| finding != "ok") {
        return Err(refuse("it is damaged"));
    }
    let broken = sqlx::query::<sqlx::Sqlite>("PRAGMA foreign_key_check").fetch_all(&mut conn).await?;
    if !broken.is_empty() {
        return Err(refuse("rows of it refer to rows that are missing"));
    }
    let (ours,): (i64,) = sqlx::query_as::<sqlx::Sqlite, _>(
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' \
         AND name IN ('_sqlx_migrations', 'admins', 'users', 'usage_meters', 'panel_state')",
    )
    .fetch_one(&mut conn)
    .await?;
    if ours != 5 {
        return Err(refuse("it is no database of mtpannel; 'mtpannel import' takes over those of other panels"));
    }
    pending_from(&SQLITE_MIGRATIONS, &mut conn).await?;
    conn.close().await?;
    Ok(())
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn at(path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { path: path.clone(), source }
}
