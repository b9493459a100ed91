//! Counters that the proxy shows under other names, or not at all.

use mtpannel::runtime::health::Task;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp, eventually};

/// What telemt 3.4.25 answered with two users, and the same with the names of telemt 3.5.
const OLDER: &str = include_str!("../../../core/testdata/metrics-two-users.txt");
const NEWER: &str = include_str!("../../../core/testdata/metrics-3.5.txt");

fn answers(app: &TestApp, text: &str) {
    app.proxy.change(|figures| figures.raw = Some((StatusCode::OK, text.to_owned())));
}

/// A text without the samples of the metrics whose names begin so.
fn without(text: &str, families: &[&str]) -> String {
    let is_left = |line: &&str| !families.iter().any(|family| line.starts_with(family));
    text.lines().filter(is_left).flat_map(|line| [line, "\n"]).collect()
}

async fn ready(app: &TestApp) -> (StatusCode, Value) {
    let answer = app.get("/health/ready").await;
    (answer.status(), answer.json().await.unwrap())
}

async fn stats(app: &TestApp) -> Value {
    app.get("/api/system/stats").await.expect(StatusCode::OK).await
}

/// The codes and levels of the warnings in force.
async fn warnings(app: &TestApp) -> Vec<(String, String)> {
    let stats = stats(app).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    stats["warnings"].as_array().unwrap().iter().map(|each| (text(&each["code"]), text(&each["level"]))).collect()
}

/// The panel's own metrics.
async fn metrics(app: &TestApp) -> String {
    let address = app.running().metrics_address;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(format!("http://{address}/metrics")).send().await.unwrap().text().await.unwrap()
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn traffic_is_counted_under_either_name_and_once_across_an_upgrade(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({"data_limit": 412_000})).await;
    app.create_user("bob", json!({})).await;
    answers(&app, NEWER);
    eventually("alice's limit", async || app.access("users", "alice").is_none()).await;
    assert_eq!(app.user("alice").await["status"], "limited");
    assert_eq!(app.user("bob").await["data_used"], 200_000);
    // The same counters under the other name, and then under both, are no new traffic.
    let both = without(NEWER, &["#"])
        + &without(OLDER, &["#", "telemt_uptime", "telemt_user_connections", "telemt_user_unique"]);
    for text in [OLDER, &both, NEWER] {
        answers(&app, text);
        app.scraped().await;
        assert_eq!(app.user("bob").await["data_used"], 200_000);
        assert_eq!(app.user("alice").await["data_used"], 412_000);
    }
    assert_eq!(ready(&app).await.0, StatusCode::OK);
    assert_eq!(warnings(&app).await, []);
}

#[rstest]
#[case::no_octets(&["telemt_user_octets_"], "telemt_user_octets_from_client")]
#[case::one_direction(&["telemt_user_octets_to_client"], "telemt_user_octets_to_client")]
#[case::no_connections(&["telemt_user_connections_current"], "telemt_user_connections_current")]
#[case::nothing_but_messages(
    &["telemt_user_octets_", "telemt_user_connections_"],
    "telemt_user_octets_from_client"
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_counter_that_is_missing_beside_others_fails_the_scrape_and_is_shown_everywhere(
    #[case] left_out: &[&str],
    #[case] missing: &str,
) {
    let app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({})).await;
    answers(&app, OLDER);
    eventually("alice's bytes", async || app.user("alice").await["data_used"] == 412_000).await;
    let last_success = app.running().app.health.task(Task::Scrape).last_success;
    answers(&app, &without(NEWER, left_out));
    eventually("the failure", async || app.running().app.health.task(Task::Scrape).failure.is_some()).await;
    app.scraped().await;

    let (status, body) = ready(&app).await;
    assert_eq!(
        (status, &body["ready"], &body["scrape"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(false), &json!(false))
    );
    assert_eq!(body["accounting"], false);
    let shown = stats(&app).await;
    let failure = shown["proxy"]["failure"].as_str().unwrap();
    assert!(failure.contains(missing) && failure.contains("telemt 3.4 or telemt 3.5"), "{failure}");
    assert_eq!((&shown["online"], &shown["proxy"]["version"]), (&Value::Null, &json!("3.4.25")));
    assert_eq!(warnings(&app).await, [("counters_missing".to_owned(), "warning".to_owned())]);
    assert!(shown["warnings"][0]["params"]["missing"].as_str().unwrap().starts_with(missing), "{shown}");
    assert!(metrics(&app).await.contains("mtpannel_warning{code=\"counters_missing\"} 1"));
    // Nothing of it was recorded: figures stay and grow old.
    assert_eq!(app.user("alice").await["data_used"], 412_000);
    let age = app.running().app.health.task(Task::Scrape).last_success;
    assert!(age.unwrap() <= last_success.unwrap() + chrono::TimeDelta::seconds(2));

    answers(&app, NEWER);
    app.scraped().await;
    assert_eq!(ready(&app).await.0, StatusCode::OK);
    assert_eq!(app.user("alice").await["data_used"], 412_000);
    assert_eq!(warnings(&app).await, []);
    assert!(metrics(&app).await.contains("mtpannel_warning{code=\"counters_missing\"} 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_that_are_switched_off_are_no_traffic_of_zero() {
    let app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({})).await;
    let off = without(OLDER, &["telemt_user_", "telemt_telemetry_user_enabled"]) + "telemt_telemetry_user_enabled 0\n";
    answers(&app, &off);
    eventually("the failure", async || ready(&app).await.0 == StatusCode::SERVICE_UNAVAILABLE).await;
    let failure = stats(&app).await["proxy"]["failure"].as_str().unwrap().to_owned();
    assert!(failure.contains("general.telemetry.user_enabled = true"), "{failure}");
    assert_eq!(warnings(&app).await, [("counters_switched_off".to_owned(), "warning".to_owned())]);
    // A proxy that does not answer at all is shown, no more.
    app.proxy.hang_up().await;
    eventually("the silence", async || ready(&app).await.0 == StatusCode::OK).await;
    assert_eq!(ready(&app).await.1["scrape"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_to_which_nobody_has_connected_yet_is_well() {
    let app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({})).await;
    answers(
        &app,
        &without(NEWER, &["telemt_user_connections", "telemt_user_octets", "telemt_user_msgs", "telemt_telemetry"]),
    );
    app.scraped().await;
    assert_eq!(ready(&app).await.0, StatusCode::OK);
    assert_eq!(stats(&app).await["proxy"]["state"], "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_than_those_that_were_checked_is_named_without_alarm() {
    let app = TestApp::start(Engine::Sqlite).await;
    for (version, is_named) in [("3.6.1", true), ("3.5.14", false), ("4.0.0", true), ("3.4.25", false)] {
        answers(&app, &NEWER.replace("3.5.14", version));
        app.scraped().await;
        let expected = is_named.then(|| ("proxy_version_untested".to_owned(), "info".to_owned()));
        assert_eq!(warnings(&app).await, expected.into_iter().collect::<Vec<_>>(), "{version}");
        assert_eq!(ready(&app).await.0, StatusCode::OK);
        if is_named {
            assert_eq!(stats(&app).await["warnings"][0]["params"], json!({"version": version}));
        }
    }
}
