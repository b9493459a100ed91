//! Connections that read a SQLite file.
//!
//! sqlx's own pool checks every connection that comes back, which is right for a server. For a file a connection is a
//! thread of this process, and waking it costs more than most reads: this pool checks only now and then.

use std::fmt;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::error::StoreResult;

/// A connection is checked after this many loans. It is dead only if its thread has panicked.
const LOANS_BETWEEN_CHECKS: usize = 64;

/// The pool; cloning gives another handle to the same one.
#[derive(Debug, Clone)]
pub struct Readers(Pool<Opener>);

/// A connection on loan.
pub type Reader = Object<Opener>;

/// Opens connections for the pool.
pub struct Opener(SqliteConnectOptions);

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

impl Manager for Opener {
    type Type = SqliteConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> sqlx::Result<SqliteConnection> {
        self.0.connect().await
    }

    async fn recycle(&self, conn: &mut SqliteConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        // The end of its last transaction may still be under way.
        if conn.is_in_transaction() || metrics.recycle_count.is_multiple_of(LOANS_BETWEEN_CHECKS) {
            conn.ping().await?;
        }
        // SQLite has ended it by itself, after an error. With this connection every later snapshot would begin inside of one
        // that never ends, and show the same state for ever.
        if conn.is_in_transaction() { Err(RecycleError::message("its transaction did not end")) } else { Ok(()) }
    }
}

impl Readers {
    /// A pool of at most `most` connections with these options, opened as they are needed. A caller that finds none free waits
    /// for at most `wait`.
    pub(super) fn new(options: SqliteConnectOptions, most: usize, wait: Duration) -> Self {
        // The last to come back is the first to go: its thread and its pages are at hand.
        let pool = Pool::builder(Opener(options.read_only(true)))
            .runtime(Runtime::Tokio1)
            .max_size(most)
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(wait))
            .build();
        Self(pool.expect("there is a runtime for the timeout"))
    }

    /// One of the connections.
    pub(super) async fn get(&self) -> StoreResult<Reader> {
        Ok(self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Closed => sqlx::Error::PoolClosed,
            _ => sqlx::Error::PoolTimedOut,
        })?)
    }

    /// How many are open, and how many of those are free.
    pub(super) fn size(&self) -> (u32, usize) {
        let status = self.0.status();
        (status.size.try_into().unwrap_or(u32::MAX), status.available)
    }

    /// Closes all of them after the statements under way.
    pub(super) async fn close(&self) {
        let mut open = Vec::new();
        while open.len() < self.0.status().size
            && let Ok(reader) = self.get().await
        {
            open.push(reader);
        }
        self.0.close();
        for reader in open {
            // Nothing is lost with a connection that only reads.
            let _ = Object::take(reader).close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Conn;

    async fn number(conn: &mut SqliteConnection) -> i64 {
        sqlx::query_scalar("SELECT number FROM numbers").fetch_one(conn).await.unwrap()
    }

    #[tokio::test]
    async fn readers_see_what_is_written_after_a_snapshot_is_dropped_and_end_when_they_are_closed() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("a.db")).create_if_missing(true);
        let mut writer = options.clone().pragma("journal_mode", "wal").connect().await.unwrap();
        sqlx::raw_sql("CREATE TABLE numbers (number INTEGER); INSERT INTO numbers VALUES (1)")
            .execute(&mut writer)
            .await
            .unwrap();
        let readers = Readers::new(options, 1, Duration::from_millis(50));
        for written in 2..200 {
            let mut conn = Conn::Sqlite(readers.get().await.unwrap());
            let mut tx = conn.snapshot().await.unwrap();
            let crate::store::Db::Sqlite(snapshot) = tx.db() else { unreachable!("it is a file") };
            let before = number(snapshot).await;
            sqlx::query("UPDATE numbers SET number = $1").bind(written).execute(&mut writer).await.unwrap();
            assert_eq!((before, number(snapshot).await), (written - 1, written - 1));
        }
        // What SQLite does by itself when memory or the disk fails in the middle of a snapshot.
        for written in 200..203 {
            let mut conn = Conn::Sqlite(readers.get().await.unwrap());
            let mut tx = conn.snapshot().await.unwrap();
            let crate::store::Db::Sqlite(snapshot) = tx.db() else { unreachable!("it is a file") };
            assert_eq!(number(snapshot).await, written - 1);
            if written == 200 {
                sqlx::query("ROLLBACK").execute(&mut *snapshot).await.unwrap();
            }
            sqlx::query("UPDATE numbers SET number = $1").bind(written).execute(&mut writer).await.unwrap();
        }
        let mut reader = readers.get().await.unwrap();
        assert_eq!((number(&mut reader).await, readers.size()), (202, (1, 0)));
        let refused = readers.get().await.unwrap_err();
        assert!(refused.to_string().contains("timed out"), "{refused}");
        drop(reader);
        readers.close().await;
        assert_eq!(readers.size().0, 0);
        assert!(readers.get().await.is_err());
    }
}
