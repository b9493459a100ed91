//! Opening a PostgreSQL database.

use std::collections::BTreeMap;
use std::future::ready;

use secrecy::{ExposeSecret, SecretString};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection, PgPool};

use super::engine::{BUSY_TIMEOUT, Store};
use super::error::{StoreError, StoreResult};
use super::schema::pending_from;
use super::sql::folded;
use super::writable::Writable;

const CONNECTIONS: u32 = 16;
/// From this version of the schema on names are compared as ASCII, whatever the locale of the database.
const NAMES_ARE_ASCII: i64 = 3;

/// Opens it and brings its schema up to date.
pub(super) async fn open(url: &SecretString, migrations: &Migrator) -> StoreResult<Store> {
    let options: PgConnectOptions = url.expose_secret().parse()?;
    // The driver asks for UTC by itself. Poolers refuse the setting of the digits, which numbers in binary form do not need.
    let options = options.disable_statement_logging().extra_float_digits(None);
    let writable = Writable::default();
    let known = writable.clone();
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(BUSY_TIMEOUT)
        .before_acquire(move |_, connection| Box::pin(ready(Ok(!known.leads_to_read_only(connection.age)))))
        .connect_with(options)
        .await?;
    check_sessions(&pool).await?;
    let mut conn = pool.acquire().await?;
    if pending_from(migrations, &mut *conn).await?.is_some_and(|found| found < NAMES_ARE_ASCII) {
        check_names(&mut conn).await?;
    }
    drop(conn);
    migrations.run(&pool).await?;
    Ok(Store::Postgres { pool, writable })
}

/// Refuses a pooler that changes the session below a connection: prepared statements and the lock of the migrations live in
/// the session. Two connections that are open at once must have a session each, and keep it.
async fn check_sessions(pool: &PgPool) -> StoreResult<()> {
    let (mut one, mut other) = (pool.acquire().await?, pool.acquire().await?);
    let (first, second) = (session(&mut one).await?, session(&mut other).await?);
    let (third, fourth) = (session(&mut one).await?, session(&mut other).await?);
    let has_own = first != second && first == third && second == fourth;
    if has_own { Ok(()) } else { Err(StoreError::SharedSessions) }
}

/// The server's process behind a connection, asked for without a prepared statement.
async fn session(conn: &mut PgConnection) -> sqlx::Result<i32> {
    use sqlx::Row as _;
    sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(conn).await?.try_get(0)
}

/// Refuses a database that holds names which its locale took for different ones and this program does not: a Turkish one does
/// so with ALI and ali.
async fn check_names(conn: &mut PgConnection) -> StoreResult<()> {
    let mut collisions = Vec::new();
    for (table, text) in [("users", "SELECT username FROM users"), ("admins", "SELECT username FROM admins")] {
        let names: Vec<(String,)> = sqlx::query_as(text).fetch_all(&mut *conn).await?;
        let mut same: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name,) in names {
            same.entry(folded(&name)).or_default().push(name);
        }
        collisions.extend(same.into_values().filter(|names| names.len() > 1).map(|names| (table, names)));
    }
    if collisions.is_empty() { Ok(()) } else { Err(StoreError::NamesCollide(collisions)) }
}
