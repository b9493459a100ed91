//! The main job, from login to a user who is cut off and comes back.

use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp, eventually};

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_created_served_accounted_cut_off_and_brought_back(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let created = app.create_user("Alice", json!({"data_limit": 1_000, "note": "first"})).await;
    assert_eq!(created["config_sync"], json!({"state": "applied", "detail": null}));
    assert_eq!(created["status"], "active");
    let secret = created["secret"].as_str().unwrap().to_owned();
    assert_eq!(app.access("users", "Alice"), Some(secret.clone()));
    assert_eq!(app.access("user_data_quota", "Alice").as_deref(), Some("1000"));

    let links = app.get("/api/users/alice/links").await.expect(StatusCode::OK).await;
    let query = format!("server=proxy.example.com&port=443&secret=ee{secret}6578616d706c652e636f6d");
    assert_eq!(links["tg_link"], format!("tg://proxy?{query}"));
    assert_eq!(links["https_link"], format!("https://t.me/proxy?{query}"));
    let list = app.get("/api/users?search=LIC").await.expect(StatusCode::OK).await;
    assert_eq!((list["total"].as_i64(), list["users"][0]["username"].as_str()), (Some(1), Some("Alice")));
    assert!(list["users"][0].get("secret").is_none() && list["users"][0].get("proxy_links").is_none());

    app.proxy.moves("Alice", 300, 699);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 999);
    assert_eq!(app.user("alice").await["status"], "active");
    app.proxy.moves("Alice", 1, 0);
    eventually("the cut", async || app.access("users", "Alice").is_none()).await;
    assert_eq!(app.access("user_enabled", "Alice").as_deref(), Some("false"));
    assert_eq!(app.user("alice").await["status"], "limited");

    let raised = app.put("/api/users/alice", &json!({"data_limit": 5_000})).await.expect(StatusCode::OK).await;
    assert_eq!((raised["status"].as_str(), raised["data_used"].as_i64()), (Some("active"), Some(1_000)));
    assert_eq!(app.access("users", "Alice"), Some(secret));
    assert_eq!(app.access("user_enabled", "Alice"), None);

    let history = app.get("/api/users/alice/traffic").await.expect(StatusCode::OK).await;
    let sum =
        |field: &str| -> i64 { history["points"].as_array().unwrap().iter().map(|p| p[field].as_i64().unwrap()).sum() };
    assert_eq!((sum("octets_from"), sum("octets_to")), (301, 699));
    let stats = app.get("/api/system/stats").await.expect(StatusCode::OK).await;
    assert_eq!((stats["total_connections"].as_i64(), stats["bad_connections"].as_i64()), (Some(7), Some(2)));
    assert_eq!(stats["user_traffic"][0]["data_used"], 1_000);

    let deleted = app.delete("/api/users/alice").await;
    assert_eq!(deleted.headers()["config-sync"], "applied");
    assert_eq!(deleted.expect(StatusCode::NO_CONTENT).await, Value::Null);
    assert_eq!(app.access("users", "Alice"), None);
    assert_eq!(app.access("user_enabled", "Alice").as_deref(), Some("false"));
    assert_eq!(app.access("user_enabled", "mtpannel-placeholder").as_deref(), Some("false"));
    app.get("/api/users/alice").await.problem(StatusCode::NOT_FOUND, "not_found").await;
}
