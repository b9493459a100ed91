//! Opening a database: its address, its settings, its schema.

use std::future::ready;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection};

use super::{InstanceLock, Readers, Store, StoreError, StoreResult, Writable, checkpoint, postgres};
use crate::folder::folder_of;

pub(super) static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Pages that SQLite keeps for the writer, in KiB and negative as it wants them: a scrape touches rows all over the tables.
const WRITE_CACHE: &str = "-28672";
/// Pages in the write-ahead log at which a writer moves them into the database file himself. [`checkpoint`] does it long
/// before, so that no writer waits for the disk.
const AUTO_CHECKPOINT: &str = "32768";
/// Longest wait for another process's write lock, and for a free connection.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Steps of a statement after which the writer lets others run: a fraction of a millisecond.
const STEPS_BETWEEN_PAUSES: i32 = 2_000;
const READ_CONNECTIONS: usize = 4;

/// Address of the database, `DATABASE_URL` (specification section 7). It may hold a password, so it does not print.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// `sqlite:////absolute/path` or `sqlite:///relative/path`.
    Sqlite(PathBuf),
    /// `postgres://user:password@host:port/name`.
    Postgres(SecretString),
}

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be sqlite:////absolute/path, sqlite:///relative/path or postgres://user:password@host/name")]
pub struct DatabaseUrlError;

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        if let Some(path) = url.strip_prefix("sqlite:///") {
            return if path.is_empty() || path.ends_with('/') {
                Err(DatabaseUrlError)
            } else {
                Ok(Self::Sqlite(path.into()))
            };
        }
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        if is_postgres && url.parse::<PgConnectOptions>().is_ok() {
            Ok(Self::Postgres(url.into()))
        } else {
            Err(DatabaseUrlError)
        }
    }
}

impl DatabaseUrl {
    /// For a server: its address as options of PostgreSQL's own tools, without the password.
    pub fn tool_options(&self) -> Option<String> {
        let Self::Postgres(url) = self else { return None };
        let options: PgConnectOptions = url.expose_secret().parse().ok()?;
        let host = options.get_socket().map_or_else(|| options.get_host().into(), |socket| socket.to_string_lossy());
        let user = options.get_username();
        let name = options.get_database().unwrap_or(user);
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        Some(format!(
            "--host={} --port={} --username={} --dbname={}",
            quoted(&host),
            options.get_port(),
            quoted(user),
            quoted(name)
        ))
    }
}

impl Store {
    /// Opens the database, brings its schema up to date and, on SQLite, keeps a copy of the file first if the schema
    /// has to change.
    ///
    /// `now` names that copy. Fails with [`StoreError::NewerSchema`] on a database of a newer program.
    /// The schema of a SQLite file is not changed under a panel that runs: it fails with [`StoreError::InUse`] then.
    pub async fn open(url: &DatabaseUrl, now: DateTime<Utc>) -> StoreResult<Self> {
        Self::open_locked(url, now, None).await
    }

    /// The same for whoever has the database's lock already.
    pub async fn open_locked(url: &DatabaseUrl, now: DateTime<Utc>, lock: Option<&InstanceLock>) -> StoreResult<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => open_sqlite(path, &SQLITE_MIGRATIONS, now, lock).await,
            DatabaseUrl::Postgres(url) => postgres::open(url, &POSTGRES_MIGRATIONS).await,
        }
    }

    /// Version of the schema, which is the newest that this program knows.
    pub fn schema_version(&self) -> i64 {
        newest(match self {
            Self::Sqlite { .. } => &SQLITE_MIGRATIONS,
            Self::Postgres { .. } => &POSTGRES_MIGRATIONS,
        })
    }

    /// Writes a consistent copy of a SQLite database to `target`, which must not exist; it is readable by its owner
    /// only. On PostgreSQL it fails: there `pg_dump` is the tool.
    pub async fn copy_to(&self, target: &Path) -> StoreResult<()> {
        match self {
            Self::Sqlite { read, .. } => {
                let mut conn = read.get().await?;
                vacuum_into(&mut conn, target).await
            }
            Self::Postgres { .. } => Err(StoreError::File {
                path: target.to_owned(),
                source: std::io::Error::new(std::io::ErrorKind::Unsupported, "use pg_dump for a PostgreSQL database"),
            }),
        }
    }
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .disable_statement_logging()
}

/// Opens a file, whose writer is thrown away and opened again when a transaction could not be ended in order: after an error
/// such as a full disk SQLite has rolled it back by itself, and the driver believes for ever that it is still in it.
async fn open_sqlite(
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

/// The version from which a schema that is already in use has to be brought up to date; `None` if it is new or current.
pub(super) async fn pending_from<C>(migrations: &Migrator, conn: &mut C) -> StoreResult<Option<i64>>
where
    C: Connection + Migrate,
{
    conn.ensure_migrations_table(&migrations.table_name).await?;
    let applied = conn.list_applied_migrations(&migrations.table_name).await?;
    let known = newest(migrations);
    let Some(found) = applied.iter().map(|migration| migration.version).max() else { return Ok(None) };
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    Ok((found < known).then_some(found))
}

/// The version of the newest schema that this program brings.
pub(super) fn newest(migrations: &Migrator) -> i64 {
    migrations.iter().map(|migration| migration.version).max().unwrap_or(0)
}

async fn vacuum_into(conn: &mut sqlx::SqliteConnection, target: &Path) -> StoreResult<()> {
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

    #[tokio::test]
    async fn a_database_whose_schema_has_to_change_is_copied_first_and_one_that_fits_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panel.db");
        let now = "2026-05-05T12:00:00Z".parse().unwrap();
        let store = open_sqlite(&path, &SQLITE_MIGRATIONS, now, None).await.unwrap();
        let mut tx = store.write().await.unwrap();
        admins::insert(tx.db(), "root", "hash", true, now).await.unwrap();
        tx.commit().await.unwrap();
        store.close().await;

        let known = newest(&SQLITE_MIGRATIONS);
        let step = "CREATE TABLE later (id INTEGER)".into_sql_str();
        let step = Migration::new(known + 1, "later".into(), MigrationType::Simple, step, false);
        let newer = Migrator::with_migrations(SQLITE_MIGRATIONS.iter().cloned().chain([step]).collect());
        for _ in 0..2 {
            open_sqlite(&path, &newer, now, None).await.unwrap().close().await;
        }
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let copies: Vec<_> = names.filter(|name| name.to_str().unwrap().contains("before-upgrade")).collect();
        assert_eq!(copies, [&*format!("panel.db.before-upgrade-{known}-20260505T120000Z")]);

        // The copy is what was there before, for its owner only, and the program of before takes it.
        let copy = folder.path().join(&copies[0]);
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        let before = open_sqlite(&copy, &SQLITE_MIGRATIONS, now, None).await.unwrap();
        assert!(admins::by_name(before.read().await.unwrap().db(), "root").await.unwrap().is_some());
        before.close().await;
        let refused = open_sqlite(&path, &SQLITE_MIGRATIONS, now, None).await.unwrap_err();
        assert!(matches!(refused, StoreError::NewerSchema { found, .. } if found == known + 1), "{refused}");
    }
}
