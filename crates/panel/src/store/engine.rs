//! The database as the program sees it: the store, its connections and its transactions.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::error::{StoreError, StoreResult};
use super::readers::{Reader, Readers};
use super::sql::{execute, sql_texts};
use super::writable::Writable;

/// Longest wait for another process's write lock, and for a free connection.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

sql_texts! {
    LOCK = "UPDATE panel_state SET revision = revision WHERE id = 1";
}

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
    /// `panel_state`, so that writers of all panels follow one another and revisions mean an order.
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
            execute!(tx.db(), LOCK)?;
        }
        Ok(tx)
    }

    pub(super) const fn writable(&self) -> &Writable {
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
