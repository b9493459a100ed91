//! One user's life over the API, and what the proxy's file says of them meanwhile.

use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp, eventually};

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_in_any_case_and_collide_in_any_case(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("Alice.B", json!({"note": "first"})).await;
    let before = app.everything().await;
    for name in ["Alice.B", "alice.b", "ALICE.B"] {
        app.post("/api/users", &json!({"username": name})).await.problem(StatusCode::CONFLICT, "conflict").await;
        assert_eq!(app.user(name).await["username"], "Alice.B");
    }
    assert_eq!(app.everything().await, before);
    let changed = app.put("/api/users/aLICE.b", &json!({"note": "second"})).await.expect(StatusCode::OK).await;
    assert_eq!((&changed["username"], &changed["note"]), (&json!("Alice.B"), &json!("second")));
    app.delete("/api/users/ALICE.b").await.expect(StatusCode::NO_CONTENT).await;
    app.delete("/api/users/ALICE.b").await.problem(StatusCode::NOT_FOUND, "not_found").await;
    assert_eq!(app.create_user("alice.B", Value::Null).await["username"], "alice.B");
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_absent_stays_and_null_clears_each_field_by_itself(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let full = json!({
        "data_limit": 5_000, "max_connections": 3, "max_unique_ips": 2, "expire_at": "2090-05-06T07:08:09Z",
        "note": "a note", "reset_strategy": "monthly",
    });
    let created = app.create_user("alice", full.clone()).await;
    let fields = ["data_limit", "max_connections", "max_unique_ips", "expire_at", "note", "reset_strategy"];
    // A user with every limit set survives the round trip, in the answer, later, and in the file.
    for shown in [&created, &app.user("alice").await] {
        for field in fields {
            assert_eq!(shown[field], full[field], "{field}");
        }
    }
    assert!(created["next_reset_at"].as_str().unwrap().ends_with("-01T00:00:00Z"));
    for (table, expected) in [
        ("user_data_quota", "5000"),
        ("user_max_tcp_conns", "3"),
        ("user_max_unique_ips", "2"),
        ("user_expirations", "2090-05-06T07:08:09Z"),
    ] {
        assert_eq!(app.access(table, "alice").as_deref(), Some(expected), "{table}");
    }
    let cleared = json!({"note": "", "reset_strategy": "none"});
    for field in fields {
        app.put("/api/users/alice", &full).await.expect(StatusCode::OK).await;
        let changed = app.put("/api/users/alice", &json!({field: null})).await.expect(StatusCode::OK).await;
        for other in fields {
            let expected = if other == field { &cleared[field] } else { &full[other] };
            assert_eq!(changed[other], *expected, "{other} after {field} was cleared");
        }
        assert_eq!(changed["config_sync"]["state"], "applied");
    }
    let tables = ["user_data_quota", "user_max_tcp_conns", "user_max_unique_ips", "user_expirations"];
    for (table, field) in tables.iter().zip(["data_limit", "max_connections", "max_unique_ips", "expire_at"]) {
        app.put("/api/users/alice", &json!({field: null})).await.expect(StatusCode::OK).await;
        assert_eq!(app.access(table, "alice"), None);
    }
    let before = app.user("alice").await;
    let same = app.put("/api/users/alice", &json!({})).await.expect(StatusCode::OK).await;
    assert_eq!(same["note"], before["note"]);
    // A status of null is no word that it can be set to.
    let null = app.put("/api/users/alice", &json!({"status": null})).await;
    null.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert_eq!(app.user("alice").await["status"], "active");
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn disabled_comes_before_expired_before_limited_and_each_lifts_by_itself(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({"data_limit": 100})).await;
    app.proxy.moves("alice", 60, 40);
    eventually("the limit", async || app.user("alice").await["status"] == "limited").await;
    let put = async |body: Value| {
        let changed = app.put("/api/users/alice", &body).await.expect(StatusCode::OK).await;
        assert_eq!(changed["config_sync"]["state"], "applied");
        let status = changed["status"].as_str().unwrap().to_owned();
        assert_eq!(app.access("users", "alice").is_some(), status == "active", "{body}");
        assert_eq!(app.access("user_enabled", "alice").is_some(), status != "active", "{body}");
        status
    };
    assert_eq!(put(json!({"expire_at": "2020-01-01T00:00:00Z"})).await, "expired");
    assert_eq!(put(json!({"status": "disabled"})).await, "disabled");
    assert_eq!(put(json!({"expire_at": null, "data_limit": null})).await, "disabled");
    assert_eq!(put(json!({"expire_at": "2020-01-01T00:00:00Z", "data_limit": 100})).await, "disabled");
    assert_eq!(put(json!({"status": "active"})).await, "expired");
    assert_eq!(put(json!({"expire_at": "2090-01-01T00:00:00Z"})).await, "limited");
    assert_eq!(put(json!({"status": "active"})).await, "limited");
    assert_eq!(put(json!({"data_limit": 101})).await, "active");
    assert_eq!(put(json!({"data_limit": 100})).await, "limited");
    assert_eq!(put(json!({"data_limit": null})).await, "active");
    assert_eq!(put(json!({"data_limit": 1})).await, "limited");
    let reset = app.post("/api/users/alice/reset-usage", &Value::Null).await.expect(StatusCode::OK).await;
    assert_eq!((&reset["status"], &reset["data_used"]), (&json!("active"), &json!(0)));
    assert!(app.access("users", "alice").is_some());
    // What the name had moved before is in the proxy's own counter.
    assert_eq!(app.access("user_data_quota", "alice").as_deref(), Some("101"));
    app.proxy.moves("alice", 1, 0);
    eventually("the next limit", async || app.user("alice").await["status"] == "limited").await;
    assert_eq!(app.user("alice").await["data_used"], 1);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_has_new_links_and_cuts_the_sessions_of_the_old_one(#[case] engine: Engine) {
    let app = Arc::new(TestApp::start(engine).await);
    let created = app.create_user("alice", json!({"data_limit": 7})).await;
    let old = created["secret"].as_str().unwrap().to_owned();
    // Every revision that the file has meanwhile, as the proxy would see them.
    let done = Arc::new(AtomicBool::new(false));
    let (watched, ended) = (Arc::clone(&app), Arc::clone(&done));
    let watcher = tokio::spawn(async move {
        let mut revisions = vec![watched.config()];
        while !ended.load(Ordering::SeqCst) {
            let text = watched.config();
            if revisions.last() != Some(&text) {
                revisions.push(text);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        revisions
    });
    let changed = app.post("/api/users/alice/regenerate-secret", &Value::Null).await.expect(StatusCode::OK).await;
    let new = changed["secret"].as_str().unwrap().to_owned();
    assert_eq!(changed["config_sync"]["state"], "applied");
    assert!(new != old && new.len() == 32 && new.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    assert_eq!(app.access("user_enabled", "alice").as_deref(), Some("false"));
    assert_eq!(app.access("users", "alice"), Some(new.clone()));
    for link in ["tg_link", "https_link"] {
        let link = changed["proxy_links"][link].as_str().unwrap();
        assert!(link.contains(&new) && !link.contains(&old));
    }
    eventually("the end of the cut", async || app.access("user_enabled", "alice").is_none()).await;
    assert_eq!(app.access("users", "alice"), Some(new.clone()));
    tokio::time::sleep(Duration::from_millis(20)).await;
    done.store(true, Ordering::SeqCst);
    let revisions = watcher.await.unwrap();
    assert_eq!(revisions.len(), 3, "{revisions:#?}");
    assert!(revisions[1..].iter().all(|text| !text.contains(&old)));
    let links = app.get("/api/users/alice/links").await.expect(StatusCode::OK).await;
    assert_eq!(links, changed["proxy_links"]);
    let picture = app.get("/api/users/alice/qr.svg").await;
    assert_eq!(picture.headers()["content-type"], "image/svg+xml");
    let picture = picture.text().await.unwrap();
    assert!(picture.contains("<svg") && !picture.contains(&new) && !picture.contains("<script"));
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_given_again_is_not_charged_with_the_bytes_of_the_one_before(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    app.proxy.moves("alice", 700, 200);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 900);
    app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    // The old session moves on until the proxy has cut it, and its counter stays.
    app.proxy.moves("alice", 50, 0);
    app.scraped().await;
    let created = app.create_user("alice", json!({"data_limit": 1_000})).await;
    assert_eq!((&created["data_used"], &created["status"]), (&json!(0), &json!("active")));
    let secret = created["secret"].as_str().unwrap().to_owned();
    eventually("the end of the cut", async || app.access("user_enabled", "alice").is_none()).await;
    assert_eq!(app.access("users", "alice"), Some(secret));
    eventually("the quota", async || app.access("user_data_quota", "alice").as_deref() == Some("1950")).await;
    // Usage begins at the first scrape after the cut.
    app.scraped().await;
    app.proxy.moves("alice", 900, 99);
    app.scraped().await;
    let user = app.user("alice").await;
    assert_eq!((&user["data_used"], &user["status"]), (&json!(999), &json!("active")));
    let history = app.get("/api/users/alice/traffic").await.expect(StatusCode::OK).await;
    let sum: i64 = history["points"].as_array().unwrap().iter().map(|p| p["octets_from"].as_i64().unwrap()).sum();
    assert_eq!(sum, 900);
    app.proxy.moves("alice", 0, 1);
    eventually("the cut", async || app.access("users", "alice").is_none()).await;
    assert_eq!(app.user("alice").await["status"], "limited");
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_quota_is_what_the_name_has_moved_and_the_limit_on_top(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    // Traffic before the panel knows the user is nobody's.
    app.proxy.moves("early", 11, 22);
    app.create_user("alice", json!({"data_limit": 500})).await;
    app.proxy.moves("alice", 100, 20);
    app.scraped().await;
    assert_eq!(app.access("user_data_quota", "alice").as_deref(), Some("500"));
    app.post("/api/users/alice/reset-usage", &Value::Null).await.expect(StatusCode::OK).await;
    assert_eq!(app.access("user_data_quota", "alice").as_deref(), Some("620"));
    app.put("/api/users/alice", &json!({"data_limit": 50})).await.expect(StatusCode::OK).await;
    assert_eq!(app.access("user_data_quota", "alice").as_deref(), Some("170"));
    app.proxy.moves("alice", 10, 10);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 20);
    // Usage moves on; the quota is about the lifetime and stays.
    assert_eq!(app.access("user_data_quota", "alice").as_deref(), Some("170"));
    let written = || {
        let file = std::fs::metadata(app.config_path()).unwrap();
        (app.config(), file.ino(), file.modified().unwrap())
    };
    let before = written();
    app.proxy.moves("alice", 1, 1);
    app.scraped().await;
    assert_eq!(written(), before);
    app.put("/api/users/alice", &json!({"data_limit": null})).await.expect(StatusCode::OK).await;
    assert_eq!(app.access("user_data_quota", "alice"), None);
    let early = app.create_user("early", json!({"data_limit": 100})).await;
    assert_eq!(early["data_used"], 0);
    assert_eq!(app.access("user_data_quota", "early").as_deref(), Some("133"));
    let answer = app.sudo(Method::POST, "/api/users/early/reset-usage").send().await.unwrap();
    assert_eq!(answer.expect(StatusCode::OK).await["config_sync"]["state"], "applied");
}
