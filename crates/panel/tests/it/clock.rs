//! A clock that is wrong for a moment: what it has decided is decided again when it is right.

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel::runtime::health::Task;
use mtpannel::store::system::{self, SystemStats};
use mtpannel::store::traffic::{self, Moved};
use mtpannel::store::{Db, users};
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, PASSWORD, TestApp, eventually};

const FAR: TimeDelta = TimeDelta::days(400);
const SCHEDULES: [&str; 3] = ["daily", "weekly", "monthly"];

fn text(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

async fn status(app: &TestApp, name: &str) -> Value {
    app.user(name).await["status"].clone()
}

async fn next_reset(app: &TestApp, name: &str) -> String {
    app.user(name).await["next_reset_at"].as_str().unwrap().to_owned()
}

/// The cookie of a browser that logs in.
async fn browser(app: &TestApp) -> String {
    let body = json!({"username": "root", "password": PASSWORD});
    let answer = app.request(Method::POST, "/api/admin/session").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// What a browser is answered that wants to stay logged in.
async fn refresh(app: &TestApp, cookie: &str) -> StatusCode {
    let request = app.request(Method::POST, "/api/admin/session/refresh").header(COOKIE, cookie);
    request.send().await.unwrap().status()
}

/// The number that a query gives.
async fn count(app: &TestApp, query: &'static str, moment: DateTime<Utc>) -> i64 {
    let mut conn = app.store().read().await.unwrap();
    let (count,) = match conn.db() {
        Db::Sqlite(conn) => sqlx::query_as(query).bind(moment).fetch_one(conn).await.unwrap(),
        Db::Postgres(conn) => sqlx::query_as(query).bind(moment).fetch_one(conn).await.unwrap(),
    };
    count
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_start_with_the_clock_far_ahead_expires_nobody_for_good(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    let end = text(app.clock.now() + TimeDelta::days(10));
    app.create_user("dated", json!({"expire_at": end})).await;
    app.create_user("full", json!({"expire_at": end, "data_limit": 10})).await;
    app.create_user("off", json!({"expire_at": end})).await;
    app.create_user("over", json!({"expire_at": text(app.clock.now() - TimeDelta::days(1))})).await;
    app.put("/api/users/off", &json!({"status": "disabled"})).await.expect(StatusCode::OK).await;
    app.proxy.moves("full", 5, 6);
    eventually("the limit", async || status(&app, "full").await == "limited").await;
    app.restart_with_clock(FAR).await;
    for name in ["dated", "full"] {
        eventually("the wrong end", async || status(&app, name).await == "expired").await;
    }
    // What is asked for meanwhile is judged by the wrong clock, too.
    app.create_user("late", json!({"expire_at": end})).await;
    app.put("/api/users/dated", &json!({"note": "changed meanwhile"})).await.expect(StatusCode::OK).await;
    let bulk = json!({"action": "add_bytes", "value": 100, "usernames": ["full"]});
    app.post("/api/users/bulk", &bulk).await.expect(StatusCode::OK).await;
    app.scraped().await;
    assert_eq!((status(&app, "late").await, status(&app, "dated").await), (json!("expired"), json!("expired")));
    app.set_clock(-FAR).await;
    for name in ["dated", "full", "late"] {
        eventually("the right time", async || status(&app, name).await == "active").await;
        eventually("the file", async || app.access("users", name).is_some()).await;
        assert_eq!(app.access("user_enabled", name), None, "{name}");
    }
    assert_eq!((status(&app, "off").await, status(&app, "over").await), (json!("disabled"), json!("expired")));
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_far_ahead_puts_no_reset_off(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    let mut right = Vec::new();
    for strategy in SCHEDULES {
        app.create_user(strategy, json!({"reset_strategy": strategy})).await;
        right.push(next_reset(&app, strategy).await);
    }
    app.restart_with_clock(FAR).await;
    for (name, right) in SCHEDULES.iter().zip(&right) {
        eventually("the wrong reset", async || next_reset(&app, name).await > *right).await;
    }
    app.create_user("new", json!({"reset_strategy": "weekly"})).await;
    app.set_clock(-FAR).await;
    for (name, right) in SCHEDULES.iter().zip(&right).chain([(&"new", &right[1])]) {
        eventually("the right reset", async || next_reset(&app, name).await == *right).await;
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_far_behind_resets_nobody_twice(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    app.create_user("daily", json!({"reset_strategy": "daily"})).await;
    app.create_user("over", json!({"expire_at": text(app.clock.now() - TimeDelta::days(1))})).await;
    app.proxy.moves("daily", 30, 0);
    app.scraped().await;
    let due: DateTime<Utc> = next_reset(&app, "daily").await.parse().unwrap();
    app.pass(due - app.clock.now() + TimeDelta::seconds(1)).await;
    eventually("the reset", async || app.user("daily").await["data_used"] == 0).await;
    app.proxy.moves("daily", 40, 0);
    app.scraped().await;
    let right = next_reset(&app, "daily").await;
    app.restart_with_clock(-FAR).await;
    eventually("the wrong reset", async || next_reset(&app, "daily").await < right).await;
    app.set_clock(FAR).await;
    eventually("the right reset", async || next_reset(&app, "daily").await == right).await;
    assert_eq!(app.user("daily").await["data_used"], 40);
    eventually("the end of the other's time", async || status(&app, "over").await == "expired").await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_far_ahead_cuts_nobody_for_longer_than_it_is_wrong(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    for name in ["renewed", "again"] {
        app.create_user(name, json!({})).await;
    }
    app.restart_with_clock(FAR).await;
    app.post("/api/users/renewed/regenerate-secret", &Value::Null).await.expect(StatusCode::OK).await;
    app.delete("/api/users/again").await.expect(StatusCode::NO_CONTENT).await;
    eventually("the cut", async || app.access("user_enabled", "renewed").is_none()).await;
    app.set_clock(-FAR).await;
    app.create_user("again", json!({})).await;
    app.create_user("another", json!({})).await;
    for name in ["renewed", "again"] {
        let is_served = async || app.access("users", name).is_some() && app.access("user_enabled", name).is_none();
        eventually("the service", is_served).await;
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn logins_of_a_clock_far_ahead_are_void_and_those_of_right_time_are_not(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    let right = browser(&app).await;
    app.restart_with_clock(FAR).await;
    assert_eq!(refresh(&app, &right).await, StatusCode::UNAUTHORIZED);
    let ahead = browser(&app).await;
    let token = std::mem::take(&mut app.sudo);
    app.set_clock(-FAR).await;
    let me = app.ask(&token, Method::GET, "/api/admin/me", &Value::Null).await;
    me.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    assert_eq!(refresh(&app, &ahead).await, StatusCode::UNAUTHORIZED);
    assert_eq!(refresh(&app, &right).await, StatusCode::OK);
    // The same the other way round.
    app.restart_with_clock(-FAR).await;
    let right = browser(&app).await;
    app.set_clock(FAR).await;
    assert_eq!(refresh(&app, &right).await, StatusCode::UNAUTHORIZED);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_that_the_panel_did_not_live_through_deletes_nothing(#[case] engine: Engine) {
    const OLD: &str = "SELECT COUNT(*) FROM traffic_logs WHERE recorded_at < $1";
    const TOTALS: &str = "SELECT COUNT(*) FROM traffic_totals WHERE recorded_at < $1";
    const FIGURES: &str = "SELECT COUNT(*) FROM system_stats WHERE recorded_at < $1";
    const SESSIONS: &str = "SELECT COUNT(*) FROM sessions WHERE created_at < $1";
    let mut app = TestApp::start(engine).await;
    app.create_user("alice", json!({})).await;
    browser(&app).await;
    let tidied = async |app: &TestApp| app.running().app.health.task(Task::Retention).last_success.is_some();
    eventually("the first turn", async || tidied(&app).await).await;
    let (id, now) = {
        let user = users::by_name(app.store().read().await.unwrap().db(), "alice", None).await.unwrap().unwrap();
        (user.id, app.clock.now())
    };
    // Nothing of it is old enough to be deleted or, of the last day, to be rolled up.
    let ages = [TimeDelta::days(360), TimeDelta::days(100), TimeDelta::minutes(2), TimeDelta::minutes(1)];
    let moved = ages.map(|age| Moved { recorded_at: now - age, octets_from: 1, octets_to: 2 });
    let mut tx = app.store().write().await.unwrap();
    traffic::insert_many(tx.db(), &moved.map(|moved| (id, moved))).await.unwrap();
    traffic::insert_totals(tx.db(), &moved).await.unwrap();
    let recorded_at = now - TimeDelta::days(20);
    system::insert(tx.db(), &SystemStats { uptime: 1.0, total_connections: 1, bad_connections: 0, recorded_at })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for step in [FAR, -FAR, TimeDelta::days(40), TimeDelta::days(-40)] {
        app.restart_with_clock(step).await;
        eventually("a turn", async || tidied(&app).await).await;
        assert_eq!(count(&app, OLD, now + TimeDelta::seconds(1)).await, 4, "{step}");
        assert_eq!(count(&app, TOTALS, now + TimeDelta::seconds(1)).await, 4, "{step}");
        assert!(count(&app, FIGURES, now - TimeDelta::days(10)).await == 1, "{step}");
        assert_eq!(count(&app, SESSIONS, now + TimeDelta::seconds(1)).await, 1, "{step}");
    }
}
