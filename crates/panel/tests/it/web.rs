//! What the web interface asks for besides the users themselves.

use std::collections::BTreeSet;

use chrono::{SecondsFormat, TimeDelta};
use reqwest::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use reqwest::{Method, Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp};

/// A GET that knows the answer with this tag.
async fn ask(app: &TestApp, path: &str, tag: &str) -> Response {
    app.sudo(Method::GET, path).header(IF_NONE_MATCH, tag).send().await.unwrap()
}

fn tag(answer: &Response) -> String {
    answer.headers()[ETAG].to_str().unwrap().to_owned()
}

fn names(users: &Value) -> Vec<&str> {
    users.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_an_answer_hears_that_it_is_the_same_until_something_changes() {
    let mut app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({})).await;
    for path in ["/api/users", "/api/users/alice", "/api/system/traffic", "/api/system/soon", "/api/admins"] {
        let first = ask(&app, path, "\"\"").await;
        assert_eq!(first.status(), StatusCode::OK, "{path}");
        let known = tag(&first);
        let again = ask(&app, path, &known).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!((tag(&again), &again.headers()[CACHE_CONTROL]), (known, &"no-store".parse().unwrap()), "{path}");
        assert_eq!(again.text().await.unwrap(), "", "{path}");
    }
    let known = tag(&ask(&app, "/api/users", "\"\"").await);
    app.put("/api/users/alice", &json!({"note": "changed"})).await.expect(StatusCode::OK).await;
    let changed = ask(&app, "/api/users", &known).await;
    assert_eq!(changed.status(), StatusCode::OK);
    assert_eq!(changed.expect(StatusCode::OK).await["users"][0]["note"], "changed");
    assert!(app.get("/api/users").await.headers().get(ETAG).is_none(), "nobody pays who did not ask");
    // A token that has ended is worth no more than without a tag.
    let known = tag(&ask(&app, "/api/users", "\"\"").await);
    app.clock.advance(TimeDelta::hours(2));
    ask(&app, "/api/users", &known).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    app.sudo = app.login("root").await;
    // Changes are never taken for known, nor what is not there.
    let post = app.sudo(Method::POST, "/api/users/alice/reset-usage").header(IF_NONE_MATCH, &known).send().await;
    assert_eq!(post.unwrap().status(), StatusCode::OK);
    ask(&app, "/api/users/nobody", &known).await.problem(StatusCode::NOT_FOUND, "not_found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_that_only_grow_older_are_the_same() {
    let app = TestApp::start(Engine::Sqlite).await;
    app.scraped().await;
    // From here on every scrape fails alike, so that nothing changes but the ages.
    app.proxy.change(|figures| figures.raw = Some((StatusCode::SERVICE_UNAVAILABLE, String::new())));
    app.scraped().await;
    let first = ask(&app, "/api/system/stats", "\"\"").await;
    let known = tag(&first);
    let before = first.expect(StatusCode::OK).await;
    app.clock.advance(TimeDelta::seconds(5));
    let again = ask(&app, "/api/system/stats", &known).await;
    let after = app.get("/api/system/stats").await.expect(StatusCode::OK).await;
    assert_ne!(before["proxy"]["scrape_age_seconds"], after["proxy"]["scrape_age_seconds"]);
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{before} {after}");
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_runs_out_soon_is_found_among_all(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let in_days = |days: i64| (app.clock.now() + TimeDelta::days(days)).to_rfc3339_opts(SecondsFormat::Secs, true);
    for (name, fields) in [
        ("tomorrow", json!({"expire_at": in_days(1)})),
        ("in-a-month", json!({"expire_at": in_days(30)})),
        ("in-six-days", json!({"expire_at": in_days(6), "data_limit": 10})),
        ("over", json!({"expire_at": in_days(-1)})),
        ("nearly", json!({"data_limit": 100})),
        ("half", json!({"data_limit": 100})),
        ("all", json!({"data_limit": 100})),
        ("endless", json!({})),
    ] {
        app.create_user(name, fields).await;
    }
    for (name, bytes) in [("nearly", 80), ("half", 79), ("all", 100), ("endless", 9_000), ("in-six-days", 9)] {
        app.proxy.moves(name, bytes, 0);
    }
    app.scraped().await;
    let soon = app.get("/api/system/soon").await.expect(StatusCode::OK).await;
    assert_eq!(names(&soon["by_time"]), ["tomorrow", "in-six-days"]);
    assert_eq!(names(&soon["by_traffic"]), ["in-six-days", "nearly"]);

    let helper = app.create_admin("helper", false).await;
    app.ask(&helper, Method::POST, "/api/users", &json!({"username": "helpers-own", "expire_at": in_days(2)})).await;
    let soon = app.ask(&helper, Method::GET, "/api/system/soon", &Value::Null).await.expect(StatusCode::OK).await;
    assert_eq!((names(&soon["by_time"]), names(&soon["by_traffic"])), (vec!["helpers-own"], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_the_last_write_of_the_file_are_shown_without_secrets() {
    let app = TestApp::start(Engine::Sqlite).await;
    let settings = app.get("/api/system/settings").await.expect(StatusCode::OK).await;
    let path = app.config_path().display().to_string();
    assert_eq!(
        settings,
        json!({
            "proxy_host": "proxy.example.com", "proxy_port": 443, "tls_domain": "example.com", "proxy": "external",
            "config_path": path, "database": "sqlite", "scrape_interval_seconds": 0, "token_lifetime_seconds": 3600,
        })
    );
    let before = app.clock.now().timestamp();
    app.create_user("alice", json!({})).await;
    let stats = app.get("/api/system/stats").await.expect(StatusCode::OK).await;
    let written = stats["config_written_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!(written.timestamp() >= before, "{stats}");
}

#[test]
fn every_operation_of_the_document_has_an_id_of_its_own() {
    let document = serde_json::to_value(mtpannel::http::openapi()).unwrap();
    let mut ids = BTreeSet::new();
    for operation in document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values())
    {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} stands twice");
    }
    assert!(ids.contains("users_list") && ids.contains("system_show"), "{ids:?}");
}
