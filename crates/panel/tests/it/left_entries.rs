//! What deleted users leave in tables of the file that the panel does not manage.

use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;

use crate::common::{Answer, Engine, TestApp, eventually};

/// Tables by user that telemt has besides the managed ones, one that it may get, and another form for each.
const TABLES: &str = "\n[access.user_rate_limits]\nalice = { up_bps = 8, down_bps = 9 } # slow\nbob = { up_bps = 8, down_bps = 9 }\n\
    \n[access.user_ad_tags]\n\"alice\" = \"00112233445566778899aabbccddeeff\"\n\
    \n[access.user_source_deny]\nalice = [\n  \"192.0.2.0/24\",\n]\n\
    \n[access.user_of_tomorrow.alice]\nx = 1\n\n[access.user_of_tomorrow.bob]\nx = 2\n\
    \n[access.cidr_rate_limits]\n\"192.0.2.0/24\" = { up_bps = 8, down_bps = 9 }\n";
const LEFT: &str = "\n[access.user_rate_limits]\nbob = { up_bps = 8, down_bps = 9 }\n\
    \n[access.user_ad_tags]\n\n[access.user_source_deny]\n\n\n[access.user_of_tomorrow.bob]\nx = 2\n\
    \n[access.cidr_rate_limits]\n\"192.0.2.0/24\" = { up_bps = 8, down_bps = 9 }\n";

/// A panel with `alice` and `bob`, and with these tables in its file.
async fn start(engine: Engine, tables: &str) -> TestApp {
    let app = TestApp::start_with(engine, |_, settings| {
        let path = &settings.proxy.config_path;
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("[server]\nport = 443\n{tables}")).unwrap();
    })
    .await;
    for name in ["alice", "bob"] {
        app.create_user(name, json!({})).await;
    }
    eventually("the file", async || app.access("users", "bob").is_some()).await;
    app
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_deleted_user_go_from_every_table_and_all_others_stay(#[case] engine: Engine) {
    let app = start(engine, TABLES).await;
    assert!(app.config().contains(TABLES));
    app.put("/api/users/alice", &json!({"status": "disabled"})).await.expect(StatusCode::OK).await;
    app.post("/api/users/alice/regenerate-secret", &json!(null)).await.expect(StatusCode::OK).await;
    assert!(app.config().contains(TABLES), "{}", app.config());
    app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    assert!(app.config().contains(LEFT), "{}", app.config());
    // What an operator writes for the next owner of the name stays.
    let edited = app
        .config()
        .replace("[access.user_ad_tags]\n", "[access.user_ad_tags]\nalice = \"ffeeddccbbaa99887766554433221100\"\n");
    std::fs::write(app.config_path(), edited).unwrap();
    app.create_user("alice", json!({})).await;
    eventually("the file", async || app.access("users", "alice").is_some()).await;
    assert!(app.access("user_ad_tags", "alice").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_created_again_at_once_inherits_nothing_although_the_file_could_not_be_written_between() {
    let mut app = start(Engine::Sqlite, TABLES).await;
    // Root writes everywhere, so what stands in the way is a file that does not parse.
    let good = app.config();
    std::fs::write(app.config_path(), "[access\n").unwrap();
    app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    app.create_user("alice", json!({})).await;
    app.post("/api/users/alice/regenerate-secret", &json!(null)).await.expect(StatusCode::OK).await;
    app.restart().await;
    std::fs::write(app.config_path(), good).unwrap();
    eventually("the file", async || app.config().contains(LEFT)).await;
    assert!(app.access("users", "alice").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_many_deleted_users_go_and_those_of_names_that_nobody_had_stay() {
    let tables = "[access]\nuser_ad_tags = { alice = \"00112233445566778899aabbccddeeff\", eve = \"00112233445566778899aabbccddeeff\", \
        bob = \"00112233445566778899aabbccddeeff\" }\nuser_rate_limits.bob.up_bps = 5\n";
    let app = start(Engine::Sqlite, tables).await;
    let body = json!({"usernames": ["alice", "bob"], "action": "delete"});
    app.post("/api/users/bulk", &body).await.expect(StatusCode::OK).await;
    let left = "[access]\nuser_ad_tags = { eve = \"00112233445566778899aabbccddeeff\" }\n";
    assert!(app.config().contains(left) && !app.config().contains("up_bps"), "{}", app.config());
    // A name in the file that no user has is cut, and keeps what it has besides.
    let eve = "[access.users]\n\"eve\" = \"00112233445566778899aabbccddeeff\"\n";
    std::fs::write(app.config_path(), app.config().replacen("[access.users]\n", eve, 1)).unwrap();
    app.create_user("carol", json!({})).await;
    eventually("the file", async || app.access("users", "carol").is_some()).await;
    assert_eq!(app.access("users", "eve"), None);
    assert!(app.config().contains(left), "{}", app.config());
}
