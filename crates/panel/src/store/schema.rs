//! Versions of the schema, and the steps from one to the next.

use sqlx::Connection;
use sqlx::migrate::{Migrate, Migrator};

use super::error::{StoreError, StoreResult};

pub(super) static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

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
