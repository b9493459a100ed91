//! A planned end: what was decided last is stored and written.

use std::time::{Duration, Instant};

use mtpannel::store::{Store, users};
use rstest::rstest;
use serde_json::json;

use crate::common::{Engine, TestApp, eventually};

/// A panel that scrapes at its start and at its end only.
async fn panel(engine: Engine) -> TestApp {
    let app = TestApp::start_with(engine, |_, settings| settings.scrape_interval = Duration::from_hours(1)).await;
    app.proxy.moves("other", 1, 1);
    let recorded = async || app.get("/health/ready").await.json::<serde_json::Value>().await.unwrap()["scrape"] == true;
    eventually("the first scrape", recorded).await;
    app
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_last_scrape_at_a_planned_end_is_stored_and_whom_it_limits_leaves_the_file(#[case] engine: Engine) {
    let mut app = panel(engine).await;
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    app.create_user("bob", json!({})).await;
    app.proxy.moves("alice", 900, 100);
    app.proxy.moves("bob", 3, 4);
    app.running.take().unwrap().stop().await;
    assert!(app.access("users", "alice").is_none() && app.access("users", "bob").is_some());
    assert_eq!(app.access("user_enabled", "alice").as_deref(), Some("false"));
    let store = Store::open(&app.settings.database, app.clock.now()).await.unwrap();
    let used = async |name| {
        let user = users::by_name(store.read().await.unwrap().db(), name, None).await.unwrap().unwrap();
        (user.profile.data_used, user.profile.status.as_str())
    };
    assert_eq!((used("alice").await, used("bob").await), ((1_000, "limited"), (7, "active")));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_that_hangs_does_not_hold_up_a_planned_end_nor_the_scrape_at_it() {
    let mut app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({"data_limit": 1_000})).await;
    let before = app.proxy.change(|figures| {
        figures.stalled = 1;
        figures.asked
    });
    eventually("the question", async || app.proxy.change(|figures| figures.asked) > before).await;
    app.proxy.moves("alice", 900, 100);
    let told = Instant::now();
    app.running.take().unwrap().stop().await;
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    assert!(app.access("users", "alice").is_none());
}
