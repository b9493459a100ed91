//! What the proxy counts arrives to the byte.

use chrono::TimeDelta;
use mtpannel::runtime::health::Task;
use mtpannel::store::{NodeId, meters, session_cuts, users};
use mtpannel::task::retention;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;

use crate::common::fake_proxy::Series;
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
    app.proxy.hang_up().await;
    app.proxy.moves("alice", 0, 5);
    let failing = async || app.running().app.health.task(Task::Scrape).failure.is_some();
    eventually("the failure", failing).await;
    app.proxy.answer_again().await;
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 3_125);
    // Answers that break off, also between two lines.
    app.proxy.moves("other", 1, 1);
    app.proxy.change(|figures| figures.torn = 20);
    eventually("the last of them", async || app.proxy.change(|figures| figures.torn) == 0).await;
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 3_125);
    // The proxy has forgotten the name after a day, and counts from zero.
    app.proxy.change(|figures| figures.users.remove("alice"));
    app.scraped().await;
    app.proxy.moves("alice", 3, 4);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 3_132);
    assert_eq!(sums(&app, "/api/users/alice/traffic").await, (123, 3_009));
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

/// `alice` moves 900 bytes of her 1,000, and then the proxy forgets her while it shows others.
async fn alice_is_forgotten(app: &TestApp) {
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    app.proxy.moves("alice", 900, 0);
    app.proxy.moves("other", 1, 1);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 900);
    app.proxy.change(|figures| figures.users.remove("alice"));
    app.scraped().await;
}

/// Waits until the usage of `alice` begins, at `base` bytes of her name.
async fn alice_begins_at(app: &TestApp, base: i64) {
    let quota = (base + 1_000).to_string();
    let begun = async || {
        let row = users::by_name(app.store().read().await.unwrap().db(), "alice", None).await.unwrap().unwrap();
        assert!(row.profile.usage_base.is_none_or(|found| found == base), "{row:?}");
        row.profile.usage_base == Some(base) && app.access("user_data_quota", "alice").as_ref() == Some(&quota)
    };
    eventually("the base of her usage", begun).await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_given_again_that_the_proxy_has_forgotten_begins_where_the_one_before_ended(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    alice_is_forgotten(&app).await;
    app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    alice_begins_at(&app, 900).await;
    app.proxy.moves("alice", 5, 0);
    app.scraped().await;
    let alice = app.user("alice").await;
    assert_eq!((&alice["data_used"], &alice["status"]), (&json!(5), &json!("active")));
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn while_the_proxy_leaves_a_name_out_its_new_owner_waits_for_their_usage_to_begin(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    app.proxy.moves("alice", 900, 0);
    app.proxy.moves("other", 1, 1);
    app.scraped().await;
    // The last bytes of the one before are not shown.
    let mut series = app.proxy.change(|figures| {
        figures.suppressed = 1;
        figures.users.remove("alice").unwrap()
    });
    app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    eventually("the end of the cut", async || app.access("user_enabled", "alice").is_none()).await;
    app.scraped().await;
    series.to += 70;
    app.proxy.change(|figures| figures.users.insert("alice".into(), series));
    alice_begins_at(&app, 970).await;
    app.proxy.moves("alice", 5, 0);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 5);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_no_scrape_saw_before_the_session_cut_ended_are_not_the_next_owners(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    app.scraped().await;
    app.proxy.change(|figures| figures.raw = Some((StatusCode::BAD_GATEWAY, String::new())));
    app.proxy.moves("alice", 900, 0);
    app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    app.clock.advance(TimeDelta::minutes(2));
    app.create_user("bob", json!({})).await;
    assert_eq!(app.access("user_enabled", "alice"), None);
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    app.proxy.change(|figures| figures.raw = None);
    alice_begins_at(&app, 900).await;
    app.proxy.moves("alice", 5, 0);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 5);
    // Once the end was seen, nothing of it is kept, and not for ever either if it is not shown.
    app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    app.clock.advance(TimeDelta::minutes(2));
    let cuts = async || session_cuts::all(app.store().read().await.unwrap().db(), NodeId::LOCAL).await.unwrap();
    eventually("the end of the memory", async || cuts().await.is_empty()).await;
    app.proxy.change(|figures| {
        figures.suppressed = 1;
        figures.users.remove("alice");
    });
    app.delete("/api/users/bob").await.expect(StatusCode::NO_CONTENT).await;
    for (hours, is_kept) in [(24, true), (2, false)] {
        app.shift(TimeDelta::hours(hours)).await;
        app.scraped().await;
        retention::tidy(&app.running().app).await.unwrap();
        assert_eq!(cuts().await.is_empty(), !is_kept);
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_of_very_many_names_leaves_alone_whom_it_does_not_show(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    alice_is_forgotten(&app).await;
    app.put("/api/users/alice", &json!({"data_limit": 900})).await.expect(StatusCode::OK).await;
    app.create_user("Carol", json!({})).await;
    app.proxy.moves("Carol", 30, 40);
    app.scraped().await;
    // From so many on, every user is read.
    app.proxy.change(|figures| {
        figures.users.remove("Carol");
        let series = Series { from: 1, to: 1, ..Series::default() };
        figures.users.extend((0..20_000).map(|n| (format!("crowd-{n}"), series)));
        figures.users.insert("carol".into(), series);
    });
    app.scraped().await;
    let everybody = meters::of_names(app.store().read().await.unwrap().db(), NodeId::LOCAL, ["crowd-0", "crowd-19999"])
        .await
        .unwrap();
    assert_eq!(everybody.len(), 2);
    let (alice, carol) = (app.user("alice").await, app.user("Carol").await);
    assert_eq!((&alice["data_used"], &alice["status"]), (&json!(900), &json!("limited")));
    // The proxy tells names apart by case.
    assert_eq!(carol["data_used"], 70);
    app.proxy.moves("carol", 1, 1);
    app.scraped().await;
    assert_eq!(app.user("Carol").await["data_used"], 70);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_the_clock_while_the_panel_runs_is_no_restart_of_the_proxy(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    app.create_user("alice", json!({})).await;
    app.proxy.moves("alice", 100, 1_000);
    app.scraped().await;
    app.clock.advance(TimeDelta::days(3));
    app.sudo = app.login("root").await;
    app.proxy.moves("alice", 1, 0);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 1_101);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn lifetimes_near_the_largest_number_are_read_as_the_largest(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let most = u64::try_from(i64::MAX).unwrap();
    app.create_user("alice", json!({})).await;
    app.proxy.moves("alice", most, most);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], i64::MAX);
    let limited = app.put("/api/users/alice", &json!({"data_limit": 5})).await.expect(StatusCode::OK).await;
    assert_eq!((&limited["status"], &limited["config_sync"]["state"]), (&json!("limited"), &json!("applied")));
    app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    let again = app.create_user("alice", json!({"data_limit": 5})).await;
    assert_eq!(again["config_sync"]["state"], "applied");
    assert_eq!(app.access("user_data_quota", "alice"), Some(i64::MAX.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_that_hang_hold_nobody_up_and_lose_nothing() {
    let app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({})).await;
    app.proxy.moves("alice", 1, 2);
    app.scraped().await;
    let before = app.proxy.change(|figures| {
        figures.stalled = 1;
        figures.asked
    });
    eventually("the question", async || app.proxy.change(|figures| figures.asked) > before).await;
    app.proxy.moves("alice", 10, 20);
    let created = app.create_user("bob", json!({})).await;
    assert_eq!(created["config_sync"]["state"], "applied");
    assert_eq!(app.user("alice").await["data_used"], 3);
    app.proxy.hang_up().await;
    app.proxy.answer_again().await;
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 33);
}
