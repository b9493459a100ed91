//! `mtpannel serve` and the other commands beside it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{Connection as _, Executor as _};

use crate::cli_support::{Panel, Place, connect};
use crate::common::{Answer as _, FakeProxy, eventually};

const KEY: &str = "5f0c8a9b7d6e4f3a2b1c0d9e8f7a6b5c4d3e2f1a";

#[test]
fn a_panel_serves_alone_and_the_command_line_works_beside_it() {
    let mut place = Place::new();
    place.set("SECRET_KEY", KEY);
    place.set("BASE_PATH", "/panel");
    let panel = Panel::start(&mut place);
    place.run(&["admin", "create", "root", "--sudo"]).ok();
    place.run(&["backup", "copy.db"]).ok();
    place.run(&["config", "check"]).ok();
    assert_eq!(place.run(&["config", "render"]).ok(), std::fs::read_to_string(place.path("config.toml")).unwrap());
    for arguments in [&["serve"][..], &["restore", "copy.db"], &["import", "panel-db", "copy.db"]] {
        assert!(place.run(arguments).stderr.contains("is in use by another mtpannel"), "{arguments:?}");
    }
    drop(panel);
    place.run(&["healthcheck"]).failed();
    // Killed, it leaves a write-ahead log behind, which goes with the database that is kept.
    place.run(&["restore", "copy.db"]).ok();
    assert!(place.run(&["admin", "list"]).ok().contains("root"));
}

#[test]
fn the_description_of_the_api_is_printed_as_json() {
    let text = Place::new().run(&["openapi"]).ok();
    assert!(text.ends_with("}\n"));
    let description: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_panels_own_metrics_are_what_prometheus_wants_and_stand_on_their_own_port() {
    // A program of its own, because its figures are the process's.
    let proxy = FakeProxy::start().await;
    let mut place = Place::new();
    place.set("SECRET_KEY", KEY);
    place.set("TELEMT_METRICS_URL", &proxy.url());
    place.set("METRICS_SCRAPE_INTERVAL_SECONDS", "1");
    let panel = Panel::start(&mut place);
    let password = place.run(&["admin", "create", "root", "--sudo"]).ok();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = |method, path: &str| client.request(method, format!("http://{}{path}", panel.address));
    let login = json!({"username": "root", "password": password.trim()});
    let login = request(Method::POST, "/api/admin/token").json(&login).send().await.unwrap();
    let token = login.expect(StatusCode::OK).await["access_token"].as_str().unwrap().to_owned();
    let body = json!({"username": "alice", "data_limit": 1});
    let created = request(Method::POST, "/api/users").bearer_auth(&token).json(&body).send().await.unwrap();
    created.expect(StatusCode::CREATED).await;
    proxy.moves("alice", 1, 0);
    eventually("the limit", async || {
        let alice = request(Method::GET, "/api/users/alice").bearer_auth(&token).send().await.unwrap();
        alice.expect(StatusCode::OK).await["status"] == "limited"
    })
    .await;
    request(Method::GET, "/api/nothing").send().await.unwrap();
    let text = client.get(format!("http://{}/metrics", panel.metrics_address)).send().await.unwrap();
    let text = text.text().await.unwrap();
    for line in [
        "mtpannel_users{status=\"limited\"} 1",
        "mtpannel_http_requests_total{method=\"POST\",route=\"/api/users\",status=\"201\"} 1",
        "mtpannel_http_requests_total{method=\"GET\",route=\"(none)\",status=\"404\"} 1",
        "mtpannel_task_last_success_age_seconds{task=\"scrape\"}",
        "mtpannel_config_sync_duration_seconds_count",
        "mtpannel_scrape_duration_seconds_count",
        "mtpannel_database_connections",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().expect("promtool is installed");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let verdict = promtool.wait_with_output().unwrap();
    let words = [verdict.stdout, verdict.stderr].concat();
    assert!(verdict.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
    assert_eq!(request(Method::GET, "/metrics").send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_schema_is_not_changed_under_a_panel_that_runs() {
    let mut place = Place::new();
    place.set("SECRET_KEY", KEY);
    let panel = Panel::start(&mut place);
    // As the first program would have left it.
    let mut conn = place.connect().await;
    conn.execute("DELETE FROM _sqlx_migrations WHERE version > 1").await.unwrap();
    for arguments in [&["user", "list"][..], &["migrate"]] {
        assert!(place.run(arguments).failed().contains("is in use by another mtpannel"), "{arguments:?}");
    }
    panel.end();
    // The tables, too.
    let mut old = connect(&place.path("old.db")).await;
    old.execute(include_str!("../../migrations/sqlite/0001_initial.sql")).await.unwrap();
    let attach = format!("ATTACH '{}' AS present", place.database().display());
    old.execute(sqlx::AssertSqlSafe(attach)).await.unwrap();
    old.execute("CREATE TABLE _sqlx_migrations AS SELECT * FROM present._sqlx_migrations").await.unwrap();
    old.close().await.unwrap();
    conn.close().await.unwrap();
    std::fs::rename(place.path("old.db"), place.database()).unwrap();
    place.run(&["migrate"]).ok();
    place.run(&["user", "list"]).ok();
    let copies = std::fs::read_dir(place.folder.path()).unwrap();
    let is_copy = |name: std::ffi::OsString| name.to_string_lossy().starts_with("panel.db.before-upgrade-1-");
    assert_eq!(copies.filter(|entry| is_copy(entry.as_ref().unwrap().file_name())).count(), 1);
}
