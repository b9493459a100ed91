//! What the proxy counts arrives to the byte.

use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;

use crate::common::{Answer, Engine, TestApp, eventually};

/// What telemt 3.4.25 answered with two users.
const SAMPLE: &str = include_str!("../../../core/testdata/metrics-two-users.txt");

async fn sums(app: &TestApp, path: &str) -> (i64, i64) {
    let history = app.get(path).await.expect(StatusCode::OK).await;
    let points = history["points"].as_array().unwrap();
    let sum = |field: &str| points.iter().map(|point| point[field].as_i64().unwrap()).sum();
    (sum("octets_from"), sum("octets_to"))
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_text_of_a_real_proxy_is_accounted_to_the_byte_and_only_once(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    app.create_user("alice", json!({"data_limit": 412_001})).await;
    app.create_user("bob", json!({"data_limit": 200_000})).await;
    app.proxy.change(|figures| figures.raw = Some((StatusCode::OK, SAMPLE.into())));
    eventually("bob's cut", async || app.access("users", "bob").is_none()).await;
    app.scraped().await;
    app.restart().await;
    app.sudo = app.login("root").await;
    app.scraped().await;
    assert_eq!(sums(&app, "/api/users/alice/traffic").await, (103_000, 309_000));
    assert_eq!(sums(&app, "/api/users/bob/traffic").await, (50_000, 150_000));
    assert_eq!(sums(&app, "/api/system/traffic").await, (153_000, 459_000));
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    assert_eq!((&alice["data_used"], &alice["status"]), (&json!(412_000), &json!("active")));
    assert_eq!((&bob["data_used"], &bob["status"]), (&json!(200_000), &json!("limited")));
    let raised = app.put("/api/users/bob", &json!({"data_limit": 200_001})).await.expect(StatusCode::OK).await;
    assert_eq!(raised["status"], "active");
    assert!(app.access("users", "bob").is_some());

    let metrics = app.get("/api/system/metrics").await;
    assert_eq!(metrics.headers()["content-type"], "text/plain; version=0.0.4");
    assert!(metrics.headers()["age"].to_str().unwrap().parse::<u64>().unwrap() < 60);
    assert_eq!(metrics.text().await.unwrap(), SAMPLE);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn restarts_gaps_and_broken_answers_of_the_proxy_neither_lose_nor_double_bytes(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({})).await;
    app.proxy.moves("alice", 100, 1_000);
    app.scraped().await;
    app.proxy.restart();
    app.proxy.moves("alice", 20, 2_000);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 3_120);
    // Not shown, and the proxy says that it does not show everybody: no conclusion.
    let series = app.proxy.change(|figures| {
        figures.suppressed = 1;
        figures.users.remove("alice").unwrap()
    });
    app.scraped().await;
    app.proxy.change(|figures| figures.users.insert("alice".into(), series));
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 3_120);
    app.proxy.change(|figures| figures.suppressed = 0);
    for (status, text) in
        [(StatusCode::INTERNAL_SERVER_ERROR, SAMPLE), (StatusCode::OK, "<html>"), (StatusCode::OK, "")]
    {
        app.proxy.change(|figures| figures.raw = Some((status, text.into())));
        eventually("the failure", async || {
            app.get("/health/ready").await.json::<serde_json::Value>().await.unwrap()["scrape"] == false
        })
        .await;
        let stats = app.get("/api/system/stats").await.expect(StatusCode::OK).await;
        assert_eq!((&stats["proxy"]["state"], &stats["online"]), (&json!("unreachable"), &json!(null)));
        assert!(stats["proxy"]["failure"].is_string(), "{stats}");
        app.proxy.change(|figures| figures.raw = None);
        app.scraped().await;
        assert_eq!(app.user("alice").await["data_used"], 3_120);
    }
    // The proxy has forgotten the name after a day, and counts from zero.
    app.proxy.moves("other", 1, 1);
    app.proxy.change(|figures| figures.users.remove("alice"));
    app.scraped().await;
    app.proxy.moves("alice", 3, 4);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 3_127);
    assert_eq!(sums(&app, "/api/users/alice/traffic").await, (123, 3_004));
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn open_sessions_show_who_is_online_and_since_when_not(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({})).await;
    app.scraped().await;
    assert_eq!(app.user("alice").await["last_seen_at"], json!(null));
    app.proxy.moves("alice", 0, 0);
    app.proxy.change(|figures| {
        let series = figures.users.get_mut("alice").unwrap();
        (series.connections, series.unique_ips) = (3, 2);
    });
    app.scraped().await;
    let alice = app.user("alice").await;
    assert_eq!((&alice["connections"], &alice["unique_ips"]), (&json!(3), &json!(2)));
    assert!(alice["last_seen_at"].is_string());
    let stats = app.get("/api/system/stats").await.expect(StatusCode::OK).await;
    assert_eq!((&stats["connections"], &stats["online"]), (&json!(3), &json!(1)));
    app.proxy.change(|figures| figures.users.get_mut("alice").unwrap().connections = 0);
    app.scraped().await;
    let alice = app.user("alice").await;
    assert_eq!(alice["connections"], 0);
    assert!(alice["last_seen_at"].is_string());
}
