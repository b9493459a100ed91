//! SQL and nothing but SQL: one file per table family, one text per statement for SQLite and PostgreSQL.
//!
//! Statements are written with `$1`, `$2`, …, which both engines take. Batches travel as one JSON object and are taken
//! apart by `json_each`, which SQLite has and the PostgreSQL migration defines.

use serde::Serializer as _;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};

pub mod admins;
pub mod audit;
mod checkpoint;
mod connect;
pub mod copy;
pub mod deadlines;
pub mod departed;
mod error;
mod instance;
pub mod login_networks;
pub mod metered;
pub mod meters;
pub mod old_panel;
mod postgres;
mod readers;
pub mod retention;
pub mod sessions;
pub mod state;
pub mod system;
pub mod traffic;
pub mod users;
mod writable;
pub mod written_files;

pub use connect::{DatabaseUrl, DatabaseUrlError};
pub use error::StoreError;
pub use instance::InstanceLock;
pub use readers::{Reader, Readers};
pub use writable::Writable;

/// Result of a statement.
pub type StoreResult<T> = Result<T, StoreError>;

/// The database: SQLite with one write connection and a read pool, or PostgreSQL.
#[derive(Debug, Clone)]
pub enum Store {
    /// A file on this machine.
    Sqlite {
        /// Read connections.
        read: Readers,
        /// The one write connection, so that writers queue here and never meet "database is locked".
        write: SqlitePool,
        /// The connection that moves what was written from the write-ahead log into the database file.
        checkpoint: SqlitePool,
        /// Whether writes succeed.
        writable: Writable,
    },
    /// A server, perhaps shared with other panels.
    Postgres {
        /// All connections.
        pool: PgPool,
        /// Whether writes succeed.
        writable: Writable,
    },
}

/// A connection on loan from a pool, for reading.
#[derive(Debug)]
pub enum Conn {
    /// See [`Store::Sqlite`].
    Sqlite(Reader),
    /// See [`Store::Postgres`].
    Postgres(PoolConnection<Postgres>),
}

/// A transaction; what is not committed is rolled back when it drops.
#[derive(Debug)]
pub struct Tx<'c> {
    inner: Inner<'c>,
    /// For a transaction that writes: who wants to know how it ends.
    writable: Option<Writable>,
}

#[derive(Debug)]
enum Inner<'c> {
    Sqlite(Transaction<'c, Sqlite>),
    Postgres(Transaction<'c, Postgres>),
}

/// What a statement runs on.
#[derive(Debug)]
pub enum Db<'c> {
    /// See [`Store::Sqlite`].
    Sqlite(&'c mut SqliteConnection),
    /// See [`Store::Postgres`].
    Postgres(&'c mut PgConnection),
}

impl Db<'_> {
    /// The same connection, for one of several statements.
    pub fn reborrow(&mut self) -> Db<'_> {
        match self {
            Self::Sqlite(conn) => Db::Sqlite(conn),
            Self::Postgres(conn) => Db::Postgres(conn),
        }
    }
}

impl Conn {
    /// The connection to run statements on.
    pub fn db(&mut self) -> Db<'_> {
        match self {
            Self::Sqlite(conn) => Db::Sqlite(conn),
            Self::Postgres(conn) => Db::Postgres(conn),
        }
    }

    /// A transaction in which several reads see one state of the database.
    pub async fn snapshot(&mut self) -> StoreResult<Tx<'_>> {
        let inner = match self {
            Self::Sqlite(conn) => Inner::Sqlite(conn.begin().await?),
            Self::Postgres(conn) => {
                Inner::Postgres(conn.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        };
        Ok(Tx { inner, writable: None })
    }
}

impl Tx<'_> {
    /// The connection to run statements on.
    pub fn db(&mut self) -> Db<'_> {
        match &mut self.inner {
            Inner::Sqlite(tx) => Db::Sqlite(tx),
            Inner::Postgres(tx) => Db::Postgres(tx),
        }
    }

    /// Makes everything that was done durable.
    pub async fn commit(self) -> StoreResult<()> {
        let outcome = match self.inner {
            Inner::Sqlite(tx) => tx.commit().await,
            Inner::Postgres(tx) => tx.commit().await,
        };
        let outcome = outcome.map_err(StoreError::from);
        if let Some(writable) = self.writable {
            writable.note(&outcome);
        }
        outcome
    }
}

impl Store {
    /// A connection for reading.
    pub async fn read(&self) -> StoreResult<Conn> {
        Ok(match self {
            Self::Sqlite { read, .. } => Conn::Sqlite(read.get().await?),
            Self::Postgres { pool, .. } => Conn::Postgres(pool.acquire().await.map_err(StoreError::Unavailable)?),
        })
    }

    /// A transaction for writing. On SQLite it takes the write lock at once; on PostgreSQL it locks the row of
    /// [`state`], so that writers of all panels follow one another and revisions mean an order.
    pub async fn write(&self) -> StoreResult<Tx<'static>> {
        let begun = self.begin().await;
        // A beginning says nothing of what can be stored.
        if begun.is_err() {
            self.writable().note(&begun);
        }
        begun
    }

    async fn begin(&self) -> StoreResult<Tx<'static>> {
        let inner = match self {
            Self::Sqlite { write, .. } => write.begin_with("BEGIN IMMEDIATE").await.map(Inner::Sqlite),
            Self::Postgres { pool, .. } => pool.begin().await.map(Inner::Postgres),
        };
        let inner = inner.map_err(StoreError::Unavailable)?;
        let mut tx = Tx { inner, writable: Some(self.writable().clone()) };
        if matches!(self, Self::Postgres { .. }) {
            state::lock(tx.db()).await?;
        }
        Ok(tx)
    }

    const fn writable(&self) -> &Writable {
        match self {
            Self::Sqlite { writable, .. } | Self::Postgres { writable, .. } => writable,
        }
    }

    /// Connections that are open, and those of them that are idle: for the pool's metrics.
    pub fn pool_size(&self) -> (u32, usize) {
        match self {
            Self::Sqlite { read, write, checkpoint, .. } => {
                let (open, idle) = read.size();
                (open + write.size() + checkpoint.size(), idle + write.num_idle() + checkpoint.num_idle())
            }
            Self::Postgres { pool, .. } => (pool.size(), pool.num_idle()),
        }
    }

    /// Closes every connection after the statements under way.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write, checkpoint, .. } => {
                read.close().await;
                checkpoint.close().await;
                write.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }
}

/// Runs one statement on either engine: `execute!(db, SQL, bind, …)` gives the number of rows it touched.
macro_rules! execute {
    ($db:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $db {
            $crate::store::Db::Sqlite(conn) => {
                sqlx::query::<sqlx::Sqlite>($sql)$(.bind($bind))*.execute(conn).await.map(|done| done.rows_affected())
            }
            $crate::store::Db::Postgres(conn) => {
                sqlx::query::<sqlx::Postgres>($sql)$(.bind($bind))*.execute(conn).await.map(|done| done.rows_affected())
            }
        }
        .map_err($crate::store::StoreError::from)
    };
}

/// Like [`execute!`], for rows: `query!(fetch_all as Row, db, SQL, bind, …)`, `fetch_one` or `fetch_optional`.
macro_rules! query {
    ($fetch:ident as $row:ty, $db:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $db {
            $crate::store::Db::Sqlite(conn) => {
                sqlx::query_as::<sqlx::Sqlite, $row>($sql)$(.bind($bind))*.$fetch(conn).await
            }
            $crate::store::Db::Postgres(conn) => {
                sqlx::query_as::<sqlx::Postgres, $row>($sql)$(.bind($bind))*.$fetch(conn).await
            }
        }
        .map_err($crate::store::StoreError::from)
    };
}

/// Runs a statement that takes many rows as `VALUES`, in as few statements as is reasonable:
/// `execute_rows!(db, SQL, rows, |row| (bind, …))`, where the rows come at the `VALUES ($1, …)` of the text, which stands
/// for all of them. Twice as fast as rows in JSON.
macro_rules! execute_rows {
    ($db:expr, $sql:expr, $rows:expr, |$row:pat_param| ($($bind:expr),+ $(,)?)) => {
        match $db {
            $crate::store::Db::Sqlite(conn) => {
                $crate::store::execute_rows!(sqlx::Sqlite, conn, $sql, $rows, |$row| ($($bind),+))
            }
            $crate::store::Db::Postgres(conn) => {
                $crate::store::execute_rows!(sqlx::Postgres, conn, $sql, $rows, |$row| ($($bind),+))
            }
        }
    };
    ($engine:ty, $conn:ident, $sql:expr, $rows:expr, |$row:pat_param| ($($bind:expr),+)) => {{
        let (before, after) = $crate::store::around_values($sql);
        let mut statements = $crate::store::chunks($rows).map(|chunk| {
            let mut statement = sqlx::QueryBuilder::<$engine>::new(before);
            statement.push_values(chunk, |mut columns, $row| {
                $(columns.push_bind($bind);)+
            });
            statement.push(after);
            statement
        });
        let mut next = statements.next();
        while let Some(mut statement) = next {
            // The database works on one while the next is made.
            let work = statement.build().execute(&mut *$conn);
            let (done, following) = tokio::join!(work, async { statements.next() });
            done?;
            next = following;
        }
        $crate::store::StoreResult::Ok(())
    }};
}

/// Declares the SQL texts of a file as constants, and `TEXTS` with all of them, which a test prepares on both engines.
macro_rules! sql_texts {
    ($($(#[$meta:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$meta])* const $name: &str = $text;)+
        /// Every SQL text of this file.
        pub(super) const TEXTS: &[&str] = &[$($name),+];
    };
}

/// SQL for a time that travels in a batch, as seconds since 1970 at this place of the row's array. SQLite gets the very
/// text that a bound time has.
macro_rules! time_at {
    ($place:literal) => {
        concat!("strftime('%Y-%m-%dT%H:%M:%S+00:00', CAST(value ->> ", $place, " AS BIGINT), 'unixepoch')")
    };
}

/// SQL for a meter's bytes in both directions, at most the largest number, like `Counters::total`: beyond it one engine
/// would go on in floating point and the other fail.
macro_rules! lifetime {
    ($meter:literal) => {
        concat!(
            "CASE WHEN ",
            $meter,
            "lifetime_from > 9223372036854775807 - ",
            $meter,
            "lifetime_to \
             THEN 9223372036854775807 ELSE ",
            $meter,
            "lifetime_from + ",
            $meter,
            "lifetime_to END"
        )
    };
}

/// SQL for whether the session that a token names is open; a token without one needs none.
macro_rules! session_is_open {
    ($admin:literal, $family:literal, $now:literal) => {
        concat!(
            "(CAST(",
            $family,
            " AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM sessions s WHERE s.family = ",
            $family,
            " AND s.admin_id = ",
            $admin,
            " AND s.expires_at > ",
            $now,
            "))"
        )
    };
}

/// SQL for the revision that the transaction under way makes; every statement that changes a user stores it.
macro_rules! this_revision {
    () => {
        "(SELECT revision + 1 FROM panel_state)"
    };
}

/// SQL for all rows as one text, which [`unpack`] takes apart: whole numbers, names and words, none of which holds a
/// space or a comma. A hundred thousand rows of their own would cost the driver several times as much as the database.
macro_rules! packed {
    ($first:literal $(, $column:literal)*) => {
        concat!("string_agg(", $first, $(" || ' ' || ", $column,)* ", ',')")
    };
}

pub(crate) use {execute, execute_rows, lifetime, packed, query, session_is_open, sql_texts, this_revision, time_at};

/// The rows of a [`packed!`] text, decoded by `row` from their `N` columns. `None` is what no rows give.
fn unpack<const N: usize, T>(text: Option<String>, mut row: impl FnMut([&str; N]) -> Option<T>) -> StoreResult<Vec<T>> {
    let text = text.unwrap_or_default();
    let rows = text.split_terminator(',').map(|columns| {
        let mut columns = columns.split(' ');
        let mut array = [""; N];
        for column in &mut array {
            *column = columns.next()?;
        }
        columns.next().is_none().then(|| row(array))?
    });
    rows.collect::<Option<_>>()
        .ok_or_else(|| StoreError::Database(sqlx::Error::Decode("a row has columns of another form".into())))
}

/// Every SQL text of the store, so that a test can have both engines prepare it.
pub fn all_texts() -> impl Iterator<Item = &'static str> {
    [
        admins::TEXTS,
        audit::TEXTS,
        deadlines::TEXTS,
        departed::TEXTS,
        login_networks::TEXTS,
        metered::TEXTS,
        meters::TEXTS,
        retention::TEXTS,
        sessions::TEXTS,
        state::TEXTS,
        system::TEXTS,
        traffic::TEXTS,
        users::TEXTS,
        written_files::TEXTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Most rows in one statement of [`execute_rows!`], and a power of two.
const MOST_ROWS: usize = 256;

/// The rows in parts whose lengths are powers of two, so that few different statements have to be prepared.
fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = 1 << rows.len().min(MOST_ROWS).checked_ilog2()?;
        let (chunk, rest) = rows.split_at(length);
        rows = rest;
        Some(chunk)
    })
}

/// What stands before and after the `VALUES (…)` of a text.
fn around_values(sql: &'static str) -> (&'static str, &'static str) {
    let (before, rest) = sql.split_once("VALUES (").expect("the text has rows");
    (before, rest.split_once(')').expect("the row ends").1)
}

/// Rows in one statement of a large batch, so that its text stays small.
const BATCH: usize = 5_000;

/// A name as names are compared: without the case of ASCII letters, the only ones they have. PostgreSQL compares with its
/// collation "C" so, whatever the database's own does.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// A JSON object with `names` as keys, [`folded`].
fn json_names<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    json_rows(names.into_iter().map(|name| (folded(name), 0)))
}

/// A JSON object with `names` as keys, for statements that take a set of names.
fn json_keys<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    json_rows(names.into_iter().map(|name| (name, 0)))
}

/// A JSON object of keys and values, for statements that take rows.
fn json_rows<K: serde::Serialize, V: serde::Serialize>(rows: impl IntoIterator<Item = (K, V)>) -> String {
    let mut text = Vec::new();
    serde_json::Serializer::new(&mut text).collect_map(rows).expect("names and numbers have a JSON form");
    String::from_utf8(text).expect("JSON is UTF-8")
}
