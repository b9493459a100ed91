//! What ends with a session: its access tokens, at once.

use chrono::TimeDelta;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Method, Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, PASSWORD, TestApp};

/// A browser: the refresh cookie, and the access tokens that it was given.
struct Browser {
    cookie: String,
    tokens: Vec<String>,
    greeting: Value,
}

impl Browser {
    async fn log_in(app: &TestApp, name: &str) -> Self {
        let body = json!({"username": name, "password": PASSWORD});
        let answer = app.request(Method::POST, "/api/admin/session").json(&body).send().await.unwrap();
        let cookie = refresh_cookie(&answer);
        let greeting = answer.expect(StatusCode::OK).await;
        Self { cookie, tokens: vec![text(&greeting["access_token"])], greeting }
    }

    async fn refresh(&mut self, app: &TestApp) {
        let answer = refresh(app, &self.cookie).await;
        self.cookie = refresh_cookie(&answer);
        self.tokens.push(text(&answer.expect(StatusCode::OK).await["access_token"]));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn refresh_cookie(answer: &Response) -> String {
    let mut all = answer.headers().get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    let found = all.find(|text| text.contains("mtpannel_refresh=")).unwrap();
    found.split(';').next().unwrap().to_owned()
}

async fn refresh(app: &TestApp, cookie: &str) -> Response {
    app.request(Method::POST, "/api/admin/session/refresh").header(COOKIE, cookie).send().await.unwrap()
}

async fn log_out(app: &TestApp, cookie: &str) {
    let answer = app.request(Method::DELETE, "/api/admin/session").header(COOKIE, cookie).send().await.unwrap();
    answer.expect(StatusCode::NO_CONTENT).await;
}

/// Every route that takes a token takes this one, or none does: those that load the administrator alone, and those that
/// load them with a user.
async fn works(app: &TestApp, token: &str) -> bool {
    let mut found = Vec::new();
    for path in ["/api/admin/me", "/api/users", "/api/users/alice", "/api/users/alice/links", "/api/system/stats"] {
        let status = app.ask(token, Method::GET, path, &Value::Null).await.status();
        assert!(matches!(status.as_u16(), 200 | 401), "{path}: {status}");
        found.push(status == 200);
    }
    assert!(found.iter().all(|works| *works == found[0]), "{found:?}");
    found[0]
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_the_access_tokens_of_that_session_and_no_others(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", Value::Null).await;
    let mut left = Browser::log_in(&app, "root").await;
    app.clock.advance(TimeDelta::seconds(61));
    left.refresh(&app).await;
    let kept = Browser::log_in(&app, "root").await;
    for token in left.tokens.iter().chain(&kept.tokens) {
        assert!(works(&app, token).await);
    }
    log_out(&app, &left.cookie).await;
    for token in &left.tokens {
        assert!(!works(&app, token).await, "a token of the session that has ended");
    }
    assert!(works(&app, &kept.tokens[0]).await, "another browser's");
    assert!(works(&app, &app.sudo).await, "a bot's");
    let logged = app.audit("action=admin.logout").await;
    assert_eq!(logged.len(), 1);
    assert_eq!((&logged[0]["actor"], &logged[0]["target"]), (&json!("root"), &json!("root")));
    // Whoever logs out twice, or with a cookie that was never good, writes nothing.
    log_out(&app, &left.cookie).await;
    log_out(&app, "mtpannel_refresh=x").await;
    assert_eq!(app.audit("action=admin.logout").await.len(), 1);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn reuse_of_a_replaced_token_voids_the_account_and_is_told_at_the_next_login(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    app.create_user("alice", Value::Null).await;
    let helper = app.create_admin("helper", true).await;
    let mut browser = Browser::log_in(&app, "root").await;
    assert_eq!(browser.greeting["reuse_detected_at"], Value::Null);
    let stolen = browser.cookie.clone();
    app.clock.advance(TimeDelta::seconds(61));
    browser.refresh(&app).await;
    let other = Browser::log_in(&app, "root").await;
    app.clock.advance(TimeDelta::seconds(61));
    refresh(&app, &stolen).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    for token in browser.tokens.iter().chain(&other.tokens).chain([&app.sudo]) {
        assert!(!works(&app, token).await, "a token of the account");
    }
    for cookie in [&stolen, &browser.cookie, &other.cookie] {
        refresh(&app, cookie).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    }
    assert_eq!(app.ask(&helper, Method::GET, "/api/admin/me", &Value::Null).await.status(), 200, "another account");

    app.sudo = app.login("root").await;
    let logged = app.audit("action=admin.token_reuse").await;
    assert_eq!(logged.len(), 1, "once, however often it is tried again");
    assert_eq!((&logged[0]["actor"], &logged[0]["target"]), (&json!("-"), &json!("root")));
    assert_eq!(logged[0]["address"], "127.0.0.1");
    let told = Browser::log_in(&app, "root").await;
    assert_eq!(told.greeting["reuse_detected_at"], logged[0]["at"]);
    assert_eq!(Browser::log_in(&app, "root").await.greeting["reuse_detected_at"], Value::Null, "told once");
    assert_eq!(Browser::log_in(&app, "helper").await.greeting["reuse_detected_at"], Value::Null);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_over_ends_its_access_tokens_too(#[case] engine: Engine) {
    let app = TestApp::start_with(engine, |_, settings| {
        settings.token_lifetime = std::time::Duration::from_hours(24 * 60);
    })
    .await;
    app.create_user("alice", Value::Null).await;
    let idle = Browser::log_in(&app, "root").await;
    app.clock.advance(TimeDelta::days(6));
    assert!(works(&app, &idle.tokens[0]).await);
    app.clock.advance(TimeDelta::days(2));
    assert!(!works(&app, &idle.tokens[0]).await);
    assert!(works(&app, &app.sudo).await, "a bot's token ends with its own time");
    // An old cookie of a session that is over is no theft.
    refresh(&app, &idle.cookie).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    assert!(app.audit("action=admin.token_reuse").await.is_empty());
}
