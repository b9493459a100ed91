//! What time alone does to users.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveTime, TimeDelta, Utc};
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;

use crate::common::{Answer, Engine, TestApp, eventually};

fn text(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_user_whose_time_is_over_leaves_the_file_without_traffic_and_comes_back_with_a_later_date(
    #[case] engine: Engine,
) {
    let mut app = TestApp::start(engine).await;
    let end = app.clock.now() + TimeDelta::hours(2);
    app.create_user("alice", json!({"expire_at": text(end)})).await;
    app.create_user("later", json!({"expire_at": text(end + TimeDelta::hours(2))})).await;
    app.create_user("off", json!({"expire_at": text(end)})).await;
    app.put("/api/users/off", &json!({"status": "disabled"})).await.expect(StatusCode::OK).await;
    app.pass(TimeDelta::hours(1)).await;
    app.scraped().await;
    assert!(app.access("users", "alice").is_some());
    app.pass(TimeDelta::hours(1)).await;
    eventually("the cut", async || app.access("users", "alice").is_none()).await;
    assert_eq!(app.access("user_enabled", "alice").as_deref(), Some("false"));
    assert_eq!(app.user("alice").await["status"], "expired");
    assert_eq!(
        (&app.user("later").await["status"], &app.user("off").await["status"]),
        (&json!("active"), &json!("disabled"))
    );
    let list = app.get("/api/users?status=expired").await.expect(StatusCode::OK).await;
    assert_eq!((&list["total"], &list["users"][0]["username"]), (&json!(1), &json!("alice")));
    let moved = json!({"expire_at": text(end + TimeDelta::hours(9))});
    assert_eq!(app.put("/api/users/alice", &moved).await.expect(StatusCode::OK).await["status"], "active");
    assert!(app.access("users", "alice").is_some() && app.access("user_enabled", "alice").is_none());
    // Without a mutation or a wake: the timer itself.
    let soon = app.clock.now() + TimeDelta::seconds(2);
    app.put("/api/users/alice", &json!({"expire_at": text(soon)})).await.expect(StatusCode::OK).await;
    eventually("the timer", async || app.access("users", "alice").is_none()).await;
    let late = app.clock.now() - soon;
    assert!(late < TimeDelta::seconds(3), "{late}");
    assert_eq!(app.user("alice").await["status"], "expired");
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn expiry_while_the_panel_was_down_is_made_up_for_at_its_start(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    let now = app.clock.now();
    app.create_user("alice", json!({"expire_at": text(now + TimeDelta::hours(5))})).await;
    app.create_user("daily", json!({"reset_strategy": "daily", "data_limit": 10})).await;
    app.proxy.moves("daily", 5, 6);
    eventually("the limit", async || app.user("daily").await["status"] == "limited").await;
    app.shift(TimeDelta::days(40)).await;
    app.restart().await;
    eventually("the cut", async || app.access("users", "alice").is_none()).await;
    eventually("the reset", async || app.access("users", "daily").is_some()).await;
    app.sudo = app.login("root").await;
    assert_eq!(app.user("alice").await["status"], "expired");
    let daily = app.user("daily").await;
    assert_eq!((&daily["status"], &daily["data_used"]), (&json!("active"), &json!(0)));
    assert!(daily["next_reset_at"].as_str().unwrap() > text(app.clock.now()).as_str());
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn usage_goes_back_to_zero_by_the_day_the_week_and_the_month(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    for strategy in ["daily", "weekly", "monthly", "none"] {
        app.create_user(strategy, json!({"reset_strategy": strategy, "data_limit": 100})).await;
        app.proxy.moves(strategy, 60, 40);
    }
    app.scraped().await;
    for name in ["daily", "weekly", "monthly", "none"] {
        assert_eq!(app.user(name).await["status"], "limited");
    }
    let today = app.clock.now().date_naive();
    let monday = today + Days::new(7 - u64::from(today.weekday().num_days_from_monday()));
    let first = today.with_day(1).unwrap() + Months::new(1);
    let midnight = |date: chrono::NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let due = [("daily", midnight(today + Days::new(1))), ("weekly", midnight(monday)), ("monthly", midnight(first))];
    for (name, moment) in due {
        assert_eq!(app.user(name).await["next_reset_at"], text(moment), "{name}");
    }
    assert_eq!(app.user("none").await["next_reset_at"], json!(null));
    let mut moments: Vec<_> = due.iter().map(|(_, moment)| *moment).collect();
    moments.sort_unstable();
    moments.dedup();
    for moment in moments {
        let wait = moment - app.clock.now();
        app.pass(wait + TimeDelta::seconds(1)).await;
        for (name, _) in due.iter().filter(|(_, due)| *due <= moment) {
            let done = async || app.user(name).await["next_reset_at"].as_str().unwrap() > text(moment).as_str();
            eventually("the reset", done).await;
            eventually("the file", async || app.access("users", name).is_some()).await;
            let user = app.user(name).await;
            assert_eq!((&user["data_used"], &user["status"]), (&json!(0), &json!("active")), "{name}");
            assert_eq!(app.access("user_data_quota", name).as_deref(), Some("200"), "{name}");
        }
        for (name, _) in due.iter().filter(|(_, due)| *due > moment) {
            assert_eq!(app.user(name).await["status"], "limited", "{name} at {moment}");
        }
    }
    assert_eq!(app.user("none").await["status"], "limited");
    app.proxy.moves("monthly", 1, 1);
    app.scraped().await;
    assert_eq!(app.user("monthly").await["data_used"], 2);
    // Another strategy, another moment.
    let changed = app.put("/api/users/none", &json!({"reset_strategy": "weekly"})).await.expect(StatusCode::OK).await;
    assert!(changed["next_reset_at"].is_string() && changed["status"] == "limited");
}
