//! Opening a SQLite database.

use std::future::ready;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chrono::{DateTime, Utc};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use super::checkpoint;
use super::engine::{BUSY_TIMEOUT, Store};
use super::error::{StoreError, StoreResult};
use super::instance::InstanceLock;
use super::readers::Readers;
use super::schema::pending_from;
use super::writable::Writable;
use crate::folder::folder_of;

/// Pages that SQLite keeps for the writer, in KiB and negative as it wants them: a scrape writes rows in all parts of the tables.
const WRITE_CACHE: &str = "-28672";
/// Pages in the write-ahead log at which a commit moves them into the database file. [`checkpoint`] does it long before, so
/// that no commit waits for that.
const AUTO_CHECKPOINT: &str = "32768";
/// Steps of a statement after which the writer lets others run: a fraction of a millisecond.
const STEPS_BETWEEN_PAUSES: i32 = 2_000;
const READ_CONNECTIONS: usize = 4;

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .disable_statement_logging()
}

/// Opens a file. The write connection is closed and opened again when a transaction could not be ended in order: after an
/// error such as a full disk SQLite has rolled it back by itself, and the driver does not notice.
pub(super) async fn open(
    path: &Path,
    migrations: &Migrator,
    now: DateTime<Utc>,
    lock: Option<&InstanceLock>,
) -> StoreResult<Store> {
    create_private(path)?;
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(BUSY_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|conn, _| Box::pin(ready(Ok(!conn.is_in_transaction()))))
        .after_connect(|conn, _| Box::pin(give_way(conn)))
        .connect_with(
            sqlite_options(path).pragma("cache_size", WRITE_CACHE).pragma("wal_autocheckpoint", AUTO_CHECKPOINT),
        )
        .await?;
    let mut conn = write.acquire().await?;
    let pending = pending_from(migrations, &mut *conn).await?;
    let _lock = if pending.is_some() && lock.is_none() { Some(InstanceLock::acquire(path)?) } else { None };
    if let Some(version) = pending {
        let name = format!("{}.before-upgrade-{version}-{}", path.display(), now.format("%Y%m%dT%H%M%SZ"));
        vacuum_into(&mut conn, Path::new(&name)).await?;
        tracing::info!(copy = %name, "kept a copy of the database before changing its schema");
    }
    drop(conn);
    migrations.run(&write).await?;
    let read = Readers::new(sqlite_options(path), READ_CONNECTIONS, BUSY_TIMEOUT);
    let checkpoint = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(sqlite_options(path));
    let writable = Writable::default();
    checkpoint::keep_log_short(checkpoint.clone(), writable.clone());
    Ok(Store::Sqlite { read, write, checkpoint, writable })
}

/// Has the writer's thread let others run at short intervals: a scrape works for a long time, and readers would wait for the
/// system to take the processor away from it.
async fn give_way(conn: &mut sqlx::SqliteConnection) -> sqlx::Result<()> {
    let step = || {
        std::thread::yield_now();
        true
    };
    conn.lock_handle().await?.set_progress_handler(STEPS_BETWEEN_PAUSES, step);
    Ok(())
}

pub(super) async fn vacuum_into(conn: &mut sqlx::SqliteConnection, target: &Path) -> StoreResult<()> {
    // An empty file is what VACUUM INTO accepts besides no file, so the mode can be set before any content is there.
    create_new_private(target)?;
    sqlx::query::<sqlx::Sqlite>("VACUUM INTO $1").bind(target.to_string_lossy().into_owned()).execute(conn).await?;
    Ok(())
}

/// Makes the database file, readable by its owner only, if it is missing; SQLite gives its companions the same mode.
fn create_private(path: &Path) -> StoreResult<()> {
    let file_error = |source| StoreError::File { path: path.to_owned(), source };
    std::fs::create_dir_all(folder_of(path)).map_err(file_error)?;
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop).map_err(file_error)
}

fn create_new_private(path: &Path) -> StoreResult<()> {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|source| StoreError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use sqlx::SqlSafeStr as _;
    use sqlx::migrate::{Migration, MigrationType};

    use super::*;
    use crate::store::admins;
    use crate::store::schema::{SQLITE_MIGRATIONS, newest};

    #[tokio::test]
    async fn a_database_whose_schema_has_to_change_is_copied_first_and_one_that_fits_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panel.db");
        let now = "2026-05-05T12:00:00Z".parse().unwrap();
        let store = open(&path, &SQLITE_MIGRATIONS, now, None).await.unwrap();
        let mut tx = store.write().await.unwrap();
        admins::insert(tx.db(), "root", "hash", true, now).await.unwrap();
        tx.commit().await.unwrap();
        store.close().await;

        let known = newest(&SQLITE_MIGRATIONS);
        let step = "CREATE TABLE later (id INTEGER)".into_sql_str();
        let step = Migration::new(known + 1, "later".into(), MigrationType::Simple, step, false);
        let newer = Migrator::with_migrations(SQLITE_MIGRATIONS.iter().cloned().chain([step]).collect());
        for _ in 0..2 {
            open(&path, &newer, now, None).await.unwrap().close().await;
        }
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let copies: Vec<_> = names.filter(|name| name.to_str().unwrap().contains("before-upgrade")).collect();
        assert_eq!(copies, [&*format!("panel.db.before-upgrade-{known}-20260505T120000Z")]);

        // The copy is what was there before, for its owner only, and the program of before takes it.
        let copy = folder.path().join(&copies[0]);
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        let before = open(&copy, &SQLITE_MIGRATIONS, now, None).await.unwrap();
        assert!(admins::by_name(before.read().await.unwrap().db(), "root").await.unwrap().is_some());
        before.close().await;
        let refused = open(&path, &SQLITE_MIGRATIONS, now, None).await.unwrap_err();
        assert!(matches!(refused, StoreError::NewerSchema { found, .. } if found == known + 1), "{refused}");
    }
}
