//! Why the database did not do what it was asked for.

use std::path::PathBuf;

use sqlx::postgres::PgDatabaseError;

/// Result of a statement.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why the database did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with this unique key is there already.
    #[error("a row with this key exists")]
    Conflict,
    /// The database is away or cannot write at the moment; the same request may succeed later.
    #[error("the database is not available: {0}")]
    Unavailable(sqlx::Error),
    /// Everything else the driver reports.
    #[error("database: {0}")]
    Database(sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("database schema: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database was written by a newer program.
    #[error("the database has schema version {found}, this program knows up to {known}: install the newer program")]
    NewerSchema {
        /// Highest version applied to the database.
        found: i64,
        /// Highest version that this program brings.
        known: i64,
    },
    /// The database holds names that this version takes for the same.
    #[error("{}", describe_collisions(.0))]
    NamesCollide(Vec<(&'static str, Vec<String>)>),
    /// Between the panel and PostgreSQL is a pooler that gives one of its connections to several clients in turn.
    #[error(
        "the connection pooler before PostgreSQL is in transaction or statement mode, with which this program does not work: \
         set pool_mode = session for this database, or let DATABASE_URL lead to PostgreSQL itself"
    )]
    SharedSessions,
    /// Another process needs the database for itself.
    #[error("{} is in use by another mtpannel or has been opened by another program; stop that one first", .0.display())]
    InUse(PathBuf),
    /// The database file or its copy could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

fn describe_collisions(collisions: &[(&'static str, Vec<String>)]) -> String {
    let each = collisions.iter().map(|(table, names)| format!("{} in table {table}", names.join(" and ")));
    format!(
        "names that differ only in upper and lower case are the same name: {}. Nothing was changed. Keep one of each and \
         delete or rename the others, with the version before this one or with psql, and start again",
        each.collect::<Vec<_>>().join(", ")
    )
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Conflict,
            _ if is_temporary(&error) => Self::Unavailable(error),
            _ => Self::Database(error),
        }
    }
}

impl StoreError {
    /// Whether PostgreSQL refused a write because it takes none: a standby, or set to be read only.
    pub(super) fn is_read_only(&self) -> bool {
        let Self::Unavailable(sqlx::Error::Database(error)) = self else { return false };
        error.try_downcast_ref::<PgDatabaseError>().is_some_and(|error| error.code() == READ_ONLY_TRANSACTION)
    }
}

/// Whether the cause is the state of the database or of the connection, and not the statement.
fn is_temporary(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(inner) => match inner.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => is_temporary_in_postgres(error.code()),
            None => sqlite_code(error).is_some_and(|code| TEMPORARY_IN_SQLITE.contains(&code)),
        },
        _ => false,
    }
}

const READ_ONLY_TRANSACTION: &str = "25006";

/// By the classes of PostgreSQL's appendix A: connection, resources such as disk space, operator intervention, system; and
/// some single codes: read only, idle for too long, a conflict of transactions, a lock that is not to be had.
fn is_temporary_in_postgres(code: &str) -> bool {
    ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
        || [READ_ONLY_TRANSACTION, "25P03", "40001", "40P01", "55P03"].contains(&code)
}

/// No access, busy, locked, no memory, read only, interrupted, input or output failed, disk full, cannot open.
const TEMPORARY_IN_SQLITE: [u32; 9] = [3, 5, 6, 7, 8, 9, 10, 13, 14];

/// SQLite's result code without its extension.
pub(super) fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
