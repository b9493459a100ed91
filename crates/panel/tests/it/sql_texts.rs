//! Both engines understand every statement.

use mtpannel::store::{DatabaseUrl, Store, all_texts};
use secrecy::ExposeSecret;
use sqlx::{Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};

use crate::common::Engine;

#[expect(clippy::disallowed_methods, reason = "the schema's copy is not looked at")]
async fn migrated(engine: Engine, folder: &std::path::Path) -> DatabaseUrl {
    let url = engine.fresh(folder).await.parse().unwrap();
    Store::open(&url, chrono::Utc::now()).await.unwrap().close().await;
    url
}

#[tokio::test]
async fn sqlite_prepares_every_statement() {
    let folder = tempfile::tempdir().unwrap();
    let DatabaseUrl::Sqlite(path) = migrated(Engine::Sqlite, folder.path()).await else { unreachable!() };
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    for text in all_texts() {
        conn.prepare(text.into_sql_str()).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[tokio::test]
async fn postgres_prepares_every_statement() {
    let folder = tempfile::tempdir().unwrap();
    let DatabaseUrl::Postgres(url) = migrated(Engine::Postgres, folder.path()).await else { unreachable!() };
    let mut conn = PgConnection::connect(url.expose_secret()).await.unwrap();
    for text in all_texts() {
        conn.prepare(text.into_sql_str()).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}
