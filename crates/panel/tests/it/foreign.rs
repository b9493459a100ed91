//! What others write into the proxy's file: never written over half-way, never lost without a trace.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp, eventually};

const SECRET: &str = "6384e2b2184bcbf58eccf10ca7a6563c";

/// The copies beside the file, the oldest first.
fn copies(app: &TestApp) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(app.config_path().parent().unwrap()).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("config.toml.before-"));
    paths.sort();
    paths
}

/// The warning of a copy in the answer for the dashboard.
async fn warning(app: &TestApp) -> Option<Value> {
    let stats = app.get("/api/system/stats").await.expect(StatusCode::OK).await;
    let warnings = stats["warnings"].as_array().unwrap();
    warnings.iter().find(|warning| warning["code"] == "file_changes_replaced").cloned()
}

/// Somebody who writes a file in place, slowly: the beginning, and then a bit more every 100 ms.
async fn write_slowly(path: PathBuf, parts: Vec<String>) {
    let mut file = std::fs::OpenOptions::new().write(true).truncate(true).open(path).unwrap();
    for part in parts {
        file.write_all(part.as_bytes()).unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_is_writing_in_place_is_not_written_over(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({})).await;
    let mut parts = vec![format!("# mine\n{}", app.config())];
    parts.extend((0..80).map(|number| format!("# line {number}\n")));
    let expected = parts.concat();
    let writer = tokio::spawn(write_slowly(app.config_path(), parts));
    eventually("the beginning", async || app.config().starts_with("# mine")).await;
    let created = app.create_user("bob", json!({})).await;
    assert_eq!(created["config_sync"]["state"], "pending", "{created}");
    let why = created["config_sync"]["detail"].as_str().unwrap();
    assert!(why.contains("somebody else is writing it"), "{why}");
    writer.await.unwrap();
    assert_eq!(app.config(), expected);
    eventually("the file with bob", async || app.access("users", "bob").is_some()).await;
    assert!(app.config().starts_with("# mine") && app.config().ends_with("# line 79\n"));
    // Only lines outside of the managed tables were new.
    assert!(copies(&app).is_empty() && warning(&app).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_a_file_that_is_still_being_written_at_the_first_start_are_all_taken_over() {
    let row = |number: usize| format!("\"user-{number}\" = \"{SECRET}\"\n");
    let mut writer = None;
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| {
        let path = settings.proxy.config_path.clone();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        let parts = std::iter::once("[access.users]\n".to_owned()).chain((0..25).map(row)).collect();
        writer = Some(tokio::spawn(write_slowly(path, parts)));
    })
    .await;
    writer.unwrap().await.unwrap();
    eventually("the take-over", async || app.get("/api/users/user-24").await.status() == StatusCode::OK).await;
    let users = app.get("/api/users?limit=100").await.expect(StatusCode::OK).await;
    assert_eq!(users["total"], 25, "{users}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_written_at_once_as_long_as_nobody_else_touches_the_file() {
    let mut app = TestApp::start(Engine::Sqlite).await;
    let began = Instant::now();
    app.create_user("alice", json!({})).await;
    app.restart().await;
    app.create_user("bob", json!({})).await;
    // Nobody waits for two seconds of quiet, neither now nor after a restart.
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(copies(&app).is_empty());
}

#[rstest]
#[case::a_user("[access.users]\n", "[access.users]\n\"eve\" = \"6384e2b2184bcbf58eccf10ca7a6563c\"\n")]
#[case::a_comment("[access.users]\n", "[access.users]\n# paid until May\n")]
#[case::a_comment_behind_a_row("\"\n\n[access.user_data_quota]", "\" # paid\n\n[access.user_data_quota]")]
#[case::another_limit("\"alice\" = 1000", "\"alice\" = 2000")]
#[case::another_table(
    "[access.user_data_quota]",
    "[access.user_max_unique_ips]\nalice = 1\n\n[access.user_data_quota]"
)]
#[tokio::test(flavor = "multi_thread")]
async fn what_others_put_into_managed_tables_is_kept_in_a_copy_and_told(#[case] from: &str, #[case] to: &str) {
    let mut app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    let edited = app.config().replacen(from, to, 1);
    assert_ne!(edited, app.config());
    std::fs::write(app.config_path(), &edited).unwrap();
    app.create_user("bob", json!({})).await;
    eventually("the file", async || app.access("users", "bob").is_some()).await;
    let [copy] = copies(&app).try_into().unwrap();
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), edited);
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    let warning = warning(&app).await.unwrap();
    assert_eq!(warning["params"]["copy"], copy.to_str().unwrap());
    // The panel's own changes make no copies, after a restart neither.
    app.create_user("carol", json!({})).await;
    app.restart().await;
    app.create_user("dave", json!({})).await;
    eventually("the file", async || app.access("users", "dave").is_some()).await;
    assert_eq!(copies(&app), [copy]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_while_the_panel_was_stopped_is_kept_too() {
    let mut app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({})).await;
    app.running.take().unwrap().stop().await;
    let edited = app.config().replacen("[access.users]\n", "[access.users]\n# by hand\n", 1);
    std::fs::write(app.config_path(), &edited).unwrap();
    app.running = Some(mtpannel::serve::start(app.settings.clone(), mtpannel::clock::Clock::system()).await.unwrap());
    eventually("the file of the panel", async || !app.config().contains("# by hand")).await;
    assert_eq!(copies(&app).len(), 1);
    assert_eq!(std::fs::read_to_string(&copies(&app)[0]).unwrap(), edited);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_copies_are_kept_and_the_warning_goes_with_the_last_one() {
    let app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({})).await;
    let folder = app.config_path().parent().unwrap().to_owned();
    for number in 1..=6 {
        std::fs::write(folder.join(format!("config.toml.before-2020010{number}T000000000Z")), "old").unwrap();
    }
    let other = folder.join("config.toml.before-mine");
    std::fs::write(&other, "mine").unwrap();
    let edited = app.config().replacen("[access.users]\n", "[access.users]\n# by hand\n", 1);
    std::fs::write(app.config_path(), edited).unwrap();
    app.create_user("bob", json!({})).await;
    eventually("the warning", async || warning(&app).await.is_some()).await;
    assert!(other.exists());
    std::fs::remove_file(other).unwrap();
    let kept = copies(&app);
    assert_eq!(kept.len(), 5, "{kept:?}");
    assert!(kept[0].to_str().unwrap().ends_with("before-20200103T000000000Z"));
    std::fs::remove_file(&kept[4]).unwrap();
    app.create_user("carol", json!({})).await;
    eventually("no warning", async || warning(&app).await.is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_of_a_users_line_become_the_note_at_the_take_over() {
    let file = "[server]\nport = 1\n[access.users]\n# a friend\nalice = \"6384e2b2184bcbf58eccf10ca7a6563c\" # paid\n\
        \noff = \"6384e2b2184bcbf58eccf10ca7a6563c\" # left\n[access.user_enabled]\noff = false\n";
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| {
        let path = &settings.proxy.config_path;
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file).unwrap();
    })
    .await;
    eventually("the take-over", async || app.get("/api/users/off").await.status() == StatusCode::OK).await;
    assert_eq!(app.user("alice").await["note"], "a friend\npaid");
    assert_eq!(app.user("off").await["note"], "disabled in the file\nleft");
    eventually("the copy", async || copies(&app).len() == 1).await;
    assert_eq!(std::fs::read_to_string(&copies(&app)[0]).unwrap(), file);
}
