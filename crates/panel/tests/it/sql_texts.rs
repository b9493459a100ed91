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
async fn the_audit_log_is_found_by_the_index_of_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let DatabaseUrl::Sqlite(path) = migrated(Engine::Sqlite, folder.path()).await else { unreachable!() };
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    for (known, index) in [
        ("lower(target) = $3", "audit_log_target"),
        ("lower(actor) = $1", "audit_log_actor"),
        ("action = $2", "audit_log_action"),
    ] {
        let texts: Vec<_> = all_texts().filter(|text| text.contains(&format!("WHERE {known} AND"))).collect();
        assert_eq!(texts.len(), 2, "a page and a count by {known}");
        for text in texts {
            let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
            let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(plan).fetch_all(&mut conn).await.unwrap();
            assert!(plan.iter().any(|step| step.3.contains(index)), "{text}: {plan:?}");
            assert!(!plan.iter().any(|step| step.3.contains("TEMP B-TREE")), "{text}: {plan:?}");
        }
    }
}

#[tokio::test]
async fn whom_a_wrong_clock_has_judged_is_found_without_reading_every_user() {
    let folder = tempfile::tempdir().unwrap();
    let DatabaseUrl::Sqlite(path) = migrated(Engine::Sqlite, folder.path()).await else { unreachable!() };
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    for (known, index) in [
        ("MAX(expire_at) FROM users", "users_status_expire_at"),
        ("MAX(next_reset_at) FROM users", "users_schedules"),
        ("u.status = 'expired' AND u.expire_at >", "users_status_expire_at"),
        ("u.reset_strategy = 'daily' AND u.next_reset_at >", "users_schedules"),
    ] {
        let text = all_texts().find(|text| text.contains(known)).unwrap();
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(plan).fetch_all(&mut conn).await.unwrap();
        assert!(plan.iter().any(|step| step.3.contains(index)), "{text}: {plan:?}");
        assert!(!plan.iter().any(|step| step.3 == "SCAN u" || step.3 == "SCAN users"), "{text}: {plan:?}");
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
