//! Restarts of the proxy beside suspensions of the machine and a clock that is wrong at the panel's start.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;

use crate::common::{Engine, TestApp};

const NIGHT: TimeDelta = TimeDelta::hours(8);

/// `alice` has moved 1,100 bytes, and a scrape has seen it.
async fn alice_has_moved(engine: Engine) -> TestApp {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({})).await;
    app.proxy.moves("alice", 100, 1_000);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 1_100);
    app
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_while_the_machine_was_suspended_loses_no_byte(#[case] engine: Engine) {
    let mut app = alice_has_moved(engine).await;
    app.unseen(|| {
        app.clock.suspend(NIGHT);
        app.proxy.restart();
        app.proxy.change(|figures| figures.set_uptime((NIGHT - TimeDelta::hours(1)).as_seconds_f64()));
        app.proxy.moves("alice", 200, 2_000);
    })
    .await;
    app.sudo = app.login("root").await;
    assert_eq!(app.user("alice").await["data_used"], 3_300);
}

#[rstest]
#[case::counts_it(true)]
#[case::stands_still(false)]
#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_is_no_restart_of_a_proxy_whose_uptime_counts_it_or_stands_still(#[case] counts: bool) {
    let mut app = alice_has_moved(Engine::Sqlite).await;
    for _ in 0..2 {
        app.unseen(|| {
            app.clock.suspend(NIGHT);
            if counts {
                app.proxy.change(|figures| figures.set_uptime(figures.uptime() + NIGHT.as_seconds_f64()));
            }
        })
        .await;
    }
    app.sudo = app.login("root").await;
    app.proxy.moves("alice", 5, 0);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 1_105);
}

#[rstest]
#[case::ahead(Engine::Sqlite, TimeDelta::days(400))]
#[case::ahead(Engine::Postgres, TimeDelta::days(400))]
#[case::behind(Engine::Sqlite, TimeDelta::days(-400))]
#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_a_wrong_clock_counts_nothing_twice(#[case] engine: Engine, #[case] step: TimeDelta) {
    let mut app = alice_has_moved(engine).await;
    app.restart_with_clock(step).await;
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 1_100);
    app.set_clock(-step).await;
    app.proxy.moves("alice", 5, 0);
    app.scraped().await;
    app.restart_with_clock(TimeDelta::zero()).await;
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 1_105);
}
