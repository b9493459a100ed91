//! What stands in the audit log besides what administrators change.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::cli_support::Place;
use crate::common::{Answer, Engine, TestApp, eventually};

const SHOWN: [(&str, &str, Option<&str>); 4] = [
    ("/api/users/ALICE/links", "user.show_links", Some("alice")),
    ("/api/users/alice/qr.svg", "user.show_qr", Some("alice")),
    ("/api/system/settings", "system.show_settings", None),
    ("/api/system/metrics", "system.show_metrics", None),
];

async fn show_all(app: &TestApp, token: &str) {
    for (path, _, _) in SHOWN {
        let answer = app.ask(token, Method::GET, path, &Value::Null).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_are_shown_stand_in_the_audit_log_once_in_ten_minutes(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", Value::Null).await;
    let helper = app.create_admin("helper", true).await;
    app.scraped().await;
    // Pages read users all the time.
    for path in ["/api/users", "/api/users/alice", "/api/users/alice/traffic", "/api/system/stats"] {
        app.get(path).await.expect(StatusCode::OK).await;
    }
    let before = app.audit("").await.len();
    for _ in 0..3 {
        show_all(&app, &app.sudo).await;
    }
    show_all(&app, &helper).await;
    let entries = app.audit("").await;
    assert_eq!(entries.len(), before + 8, "{entries:?}");
    for (_, action, target) in SHOWN {
        let entries = app.audit(&format!("action={action}")).await;
        let actors: Vec<&Value> = entries.iter().map(|entry| &entry["actor"]).collect();
        assert_eq!(actors, [&json!("helper"), &json!("root")], "{action}");
        assert!(entries.iter().all(|entry| entry["target"] == json!(target)), "{entries:?}");
        assert!(entries.iter().all(|entry| entry["address"] == "127.0.0.1"), "{entries:?}");
    }
    app.clock.advance(TimeDelta::minutes(10));
    app.get("/api/users/alice/links").await.expect(StatusCode::OK).await;
    assert_eq!(app.audit("action=user.show_links").await.len(), 3);
    // Nothing was shown to whoever may not see it.
    let missing = app.get("/api/users/nobody/links").await;
    missing.problem(StatusCode::NOT_FOUND, "not_found").await;
    assert!(app.audit("target=nobody").await.is_empty());
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn reads_do_not_wait_for_the_writer_and_their_entries_survive_a_stop(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    app.create_user("alice", Value::Null).await;
    let writing = app.store().write().await.unwrap();
    app.get("/api/users/alice/links").await.expect(StatusCode::OK).await;
    drop(writing);
    app.get("/api/users/alice/qr.svg").await.text().await.unwrap();
    app.restart().await;
    assert_eq!(app.audit("action=user.show_links").await.len(), 1);
    assert_eq!(app.audit("action=user.show_qr").await.len(), 1);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn statuses_that_a_rule_changes_stand_in_the_audit_log(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    let end = (app.clock.now() + TimeDelta::hours(1)).to_rfc3339();
    app.create_user("ends", json!({"expire_at": end})).await;
    app.create_user("daily", json!({"data_limit": 10, "reset_strategy": "daily"})).await;
    app.create_user("calm", json!({"data_limit": 1_000, "reset_strategy": "daily"})).await;
    app.scraped().await;
    app.proxy.moves("daily", 100, 0);
    app.proxy.moves("calm", 100, 0);
    eventually("the limit", async || app.user("daily").await["status"] == "limited").await;
    app.pass(TimeDelta::days(2)).await;
    eventually("the reset", async || app.user("daily").await["status"] == "active").await;
    eventually("the end", async || app.user("ends").await["status"] == "expired").await;
    let change = |before: &str, after: &str| (json!({"status": before}), json!({"status": after}));
    for (name, expected) in [
        ("daily", vec![change("limited", "active"), change("active", "limited")]),
        ("ends", vec![change("active", "expired")]),
        ("calm", vec![]),
    ] {
        let entries = app.audit(&format!("action=user.status&target={name}")).await;
        let found: Vec<_> = entries.iter().map(|entry| (entry["before"].clone(), entry["after"].clone())).collect();
        assert_eq!(found, expected, "{name}");
        assert!(entries.iter().all(|entry| entry["actor"] == "the panel"), "{entries:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_command_line_shows_stands_in_the_audit_log() {
    let place = Place::new();
    place.run_with_input(&["admin", "create", "root", "--sudo", "--password-stdin"], "a long password").ok();
    let mut conn = place.connect().await;
    sqlx::query(
        "INSERT INTO users (username, secret, status, created_at, updated_at) VALUES \
         ('Zoe', '0123456789abcdef0123456789abcdef', 'active', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    for command in [
        ["user", "list"].as_slice(),
        &["user", "links", "zoe"],
        &["admin", "list"],
        &["config", "render"],
        &["backup", "copy.db"],
    ] {
        place.run(command).ok();
    }
    place.run(&["user", "links", "nobody"]).failed();
    let entries: Vec<(String, String, Option<String>)> =
        sqlx::query_as("SELECT actor, action, target FROM audit_log WHERE action <> 'admin.create' ORDER BY id")
            .fetch_all(&mut conn)
            .await
            .unwrap();
    let entry = |action: &str, target: Option<&str>| ("command line".into(), action.into(), target.map(str::to_owned));
    assert_eq!(
        entries,
        [
            entry("user.list", None),
            entry("user.show_links", Some("Zoe")),
            entry("admin.list", None),
            entry("config.render", None),
            entry("database.backup", None),
        ]
    );
}
