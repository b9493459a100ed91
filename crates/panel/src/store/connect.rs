//! Opening a database: its address, and which engine it names.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

use super::engine::Store;
use super::error::{StoreError, StoreResult};
use super::instance::InstanceLock;
use super::schema::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS, newest};
use super::{postgres, sqlite};

/// Address of the database, `DATABASE_URL`. It may hold a password, so it does not print.
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

    /// The same for a caller that holds the database's lock already.
    pub async fn open_locked(url: &DatabaseUrl, now: DateTime<Utc>, lock: Option<&InstanceLock>) -> StoreResult<Self> {
        match url {
            DatabaseUrl::Sqlite(path) => sqlite::open(path, &SQLITE_MIGRATIONS, now, lock).await,
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
                sqlite::vacuum_into(&mut conn, target).await
            }
            Self::Postgres { .. } => Err(StoreError::File {
                path: target.to_owned(),
                source: std::io::Error::new(std::io::ErrorKind::Unsupported, "use pg_dump for a PostgreSQL database"),
            }),
        }
    }
}
