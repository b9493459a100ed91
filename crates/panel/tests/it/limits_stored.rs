//! Limits that no version of the program stores: whoever has one is never served without any.

use mtpannel::store::Db;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;
use sqlx::Executor as _;

use crate::common::{Answer, Engine, TestApp, eventually};

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_limit_that_is_none_is_the_tightest_and_never_no_limit(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    for name in ["zero", "negative"] {
        let fields = json!({"data_limit": 1_000, "max_connections": 5, "max_unique_ips": 6});
        app.create_user(name, fields).await;
    }
    app.proxy.moves("negative", 1, 1);
    eventually("their traffic", async || app.user("negative").await["data_used"] == 2).await;
    let mut tx = app.store().write().await.unwrap();
    let change = "UPDATE users SET data_limit = CASE username WHEN 'zero' THEN 0 ELSE -7 END, max_connections = 0, \
        max_unique_ips = -1, \
        revision = (SELECT revision + 1 FROM panel_state)";
    match tx.db() {
        Db::Sqlite(conn) => {
            conn.execute("PRAGMA ignore_check_constraints = on").await.unwrap();
            conn.execute(change).await.unwrap();
            conn.execute("PRAGMA ignore_check_constraints = off").await.unwrap();
        }
        Db::Postgres(conn) => {
            for column in ["data_limit", "max_connections", "max_unique_ips"] {
                let drop = format!("ALTER TABLE users DROP CONSTRAINT users_{column}_check");
                conn.execute(sqlx::AssertSqlSafe(drop)).await.unwrap();
            }
            conn.execute(change).await.unwrap();
        }
    }
    mtpannel::store::state::bump(tx.db()).await.unwrap();
    tx.commit().await.unwrap();
    // A scrape judges the one that moves bytes, and the file holds tables for the other.
    app.proxy.moves("negative", 1, 1);
    eventually("the status after a scrape", async || app.user("negative").await["status"] == "limited").await;
    app.create_user("other", json!({})).await;
    assert_eq!(app.access("user_enabled", "negative").as_deref(), Some("false"), "{}", app.config());
    for table in ["user_data_quota", "user_max_tcp_conns", "user_max_unique_ips"] {
        assert_eq!(app.access(table, "zero").as_deref(), Some("1"), "{table}\n{}", app.config());
    }
    app.proxy.moves("zero", 1, 1);
    eventually("the status of the other", async || app.user("zero").await["status"] == "limited").await;
    // They can be given limits again.
    let limits = json!({"data_limit": 1_000, "max_connections": 5, "max_unique_ips": 6});
    app.put("/api/users/zero", &limits).await.expect(StatusCode::OK).await;
    assert_eq!(app.user("zero").await["status"], "active");
}
