//! The proxy's file: what was there before, what others do to it, and what happens while it cannot be written.

use std::os::unix::fs::PermissionsExt as _;

use chrono::TimeDelta;
use mtpannel::runtime::health::Task;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp, eventually};

const OLD: &str = "# kept by hand\r\n[server]\r\nport = 1234 # not ours\r\n\r\n[access.users]\r\n\
    # the first\r\n\"alice\" = \"6384e2b2184bcbf58eccf10ca7a6563c\"\r\noff = \"0123456789abcdef0123456789abcdef\"\r\n\
    \r\n[access.user_enabled]\r\noff = false\r\n\r\n[access.user_data_quota]\r\nalice = 5000\r\n\r\n\
    [access.user_rate_limits]\r\nalice = { up_bps = 8, down_bps = 9 }\r\n\r\n[general]\r\nuse_middle_proxy = false";

async fn ready(app: &TestApp) -> (StatusCode, Value) {
    let answer = app.get("/health/ready").await;
    (answer.status(), answer.json().await.unwrap())
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn users_of_a_file_from_before_the_panel_are_taken_over_and_the_rest_survives(#[case] engine: Engine) {
    let app = TestApp::start_with(engine, |_, settings| {
        let path = &settings.proxy.config_path;
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, OLD).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o604)).unwrap();
    })
    .await;
    eventually("the take-over", async || app.get("/api/users/off").await.status() == StatusCode::OK).await;
    let alice = app.user("alice").await;
    assert_eq!((&alice["data_limit"], &alice["status"]), (&json!(5_000), &json!("active")));
    let links = app.get("/api/users/alice/links").await.expect(StatusCode::OK).await;
    assert!(links["tg_link"].as_str().unwrap().contains("=ee6384e2b2184bcbf58eccf10ca7a6563c"));
    assert_eq!(app.user("off").await["status"], "disabled");
    let created = app.create_user("bob", json!({})).await;
    assert_eq!(created["config_sync"]["state"], "applied");
    let text = app.config();
    for kept in [
        "# kept by hand\r\n[server]\r\nport = 1234 # not ours\r\n",
        "[access.user_rate_limits]\r\nalice = { up_bps = 8, down_bps = 9 }\r\n\r\n[general]\r\nuse_middle_proxy = false",
    ] {
        assert!(text.contains(kept), "{text}");
    }
    assert!(text.replace("\r\n", "").find('\n').is_none() && !text.ends_with('\n'), "{text:?}");
    assert!(app.access("users", "bob").is_some() && app.access("users", "off").is_none());
    let mode = std::fs::metadata(app.config_path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o604);
    app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    assert!(app.access("users", "alice").is_none());
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_parse_is_left_alone_and_said_so_until_it_is_mended(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({})).await;
    let good = app.config();
    let broken = good.replacen("[access.users]", "[access.users", 1);
    std::fs::write(app.config_path(), &broken).unwrap();
    let created = app.create_user("bob", json!({})).await;
    assert_eq!(created["config_sync"]["state"], "pending", "{created}");
    let why = created["config_sync"]["detail"].as_str().unwrap();
    assert!(why.contains("config.toml") && why.contains("line"), "{why}");
    assert!(!why.contains(created["secret"].as_str().unwrap()));
    assert_eq!(app.config(), broken);
    let (status, body) = ready(&app).await;
    assert_eq!((status, &body["config_sync"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));
    let stats = app.get("/api/system/stats").await.expect(StatusCode::OK).await;
    assert_eq!(stats["config_sync"]["state"], "pending");
    app.user("bob").await;

    std::fs::write(app.config_path(), &good).unwrap();
    eventually("the file with bob", async || app.access("users", "bob").is_some()).await;
    eventually("readiness", async || ready(&app).await.0 == StatusCode::OK).await;
    let names = std::fs::read_dir(app.config_path().parent().unwrap()).unwrap();
    assert_eq!(names.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>(), ["config.toml"]);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_at_the_first_start_is_left_alone_and_its_users_are_taken_over_once_it_is_mended(
    #[case] engine: Engine,
) {
    let broken = OLD.replacen("port = 1234", "port = ", 1);
    let app = TestApp::start_with(engine, |_, settings| {
        let path = &settings.proxy.config_path;
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &broken).unwrap();
    })
    .await;
    let created = app.create_user("bob", json!({})).await;
    assert_eq!(created["config_sync"]["state"], "pending");
    assert_eq!(app.config(), broken);
    std::fs::write(app.config_path(), OLD).unwrap();
    eventually("the file with bob", async || app.access("users", "bob").is_some()).await;
    assert_eq!(app.access("users", "alice").as_deref(), Some("6384e2b2184bcbf58eccf10ca7a6563c"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_written_keeps_the_user_and_is_written_when_it_can_be() {
    let app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({})).await;
    // Root writes everywhere, so what stands in the way is a directory of the file's name.
    let aside = app.folder.path().join("aside.toml");
    std::fs::rename(app.config_path(), &aside).unwrap();
    std::fs::create_dir(app.config_path()).unwrap();
    let created = app.create_user("bob", json!({})).await;
    assert_eq!(created["config_sync"]["state"], "pending", "{created}");
    let deleted = app.delete("/api/users/alice").await;
    assert_eq!(deleted.headers()["config-sync"], "pending");
    deleted.expect(StatusCode::NO_CONTENT).await;
    std::fs::remove_dir(app.config_path()).unwrap();
    std::fs::rename(&aside, app.config_path()).unwrap();
    eventually("the file with bob", async || app.access("users", "bob").is_some()).await;
    assert!(app.access("users", "alice").is_none());
    assert_eq!(app.access("user_enabled", "alice").as_deref(), Some("false"));
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn as_long_as_there_is_no_user_an_old_file_put_in_place_is_taken_over(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    eventually("a file of the panel's", async || ready(&app).await.0 == StatusCode::OK).await;
    app.restart().await;
    eventually("the same file", async || ready(&app).await.0 == StatusCode::OK).await;
    std::fs::write(app.config_path(), OLD).unwrap();
    app.running().app.sync.request(i64::MAX);
    eventually("the take-over", async || app.get("/api/users/off").await.status() == StatusCode::OK).await;
    assert_eq!(app.user("alice").await["status"], "active");
    assert_eq!(app.access("users", "alice").as_deref(), Some("6384e2b2184bcbf58eccf10ca7a6563c"));
    // Once, and not again: an operator may delete all users.
    for name in ["alice", "off"] {
        app.delete(&format!("/api/users/{name}")).await.expect(StatusCode::NO_CONTENT).await;
    }
    std::fs::write(app.config_path(), OLD).unwrap();
    app.restart().await;
    eventually("the file without them", async || app.access("users", "alice").is_none()).await;
    app.get("/api/users/alice").await.problem(StatusCode::NOT_FOUND, "not_found").await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn names_in_the_file_that_the_database_does_not_have_are_removed_and_cut(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({})).await;
    let eve = "[access.users]\n\"eve\" = \"00112233445566778899aabbccddeeff\"\n\"Alice\" = \"00112233445566778899aabbccddeeff\"";
    std::fs::write(app.config_path(), app.config().replacen("[access.users]", eve, 1)).unwrap();
    app.create_user("bob", json!({})).await;
    for name in ["eve", "Alice"] {
        assert_eq!(app.access("users", name), None);
        assert_eq!(app.access("user_enabled", name).as_deref(), Some("false"));
    }
    for name in ["alice", "bob"] {
        assert!(app.access("users", name).is_some() && app.access("user_enabled", name).is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_finds_the_file_as_it_should_be_is_a_success_although_usage_has_moved() {
    // On PostgreSQL, which other panels may share, the writer looks every two seconds.
    let app = TestApp::start(Engine::Postgres).await;
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    eventually("readiness", async || ready(&app).await.0 == StatusCode::OK).await;
    let attempts = async || {
        let metrics = format!("http://{}/metrics", app.running().metrics_address);
        let text = reqwest::get(metrics).await.unwrap().text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with("mtpannel_config_sync_duration_seconds_count")).unwrap();
        line.rsplit_once(' ').unwrap().1.to_owned()
    };
    let before = attempts().await;
    app.shift(TimeDelta::minutes(20)).await;
    app.proxy.moves("alice", 1, 1);
    app.scraped().await;
    let moved = app.clock.now();
    eventually("a look", async || app.running().app.health.task(Task::ConfigSync).last_success > Some(moved)).await;
    assert_eq!(attempts().await, before);
    // One that cannot be made is a failure.
    app.store().close().await;
    eventually("the failure", async || app.running().app.health.task(Task::ConfigSync).failure.is_some()).await;
}
