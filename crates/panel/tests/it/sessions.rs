//! Browser sessions and failed logins.

use chrono::TimeDelta;
use reqwest::header::{COOKIE, RETRY_AFTER, SET_COOKIE};
use reqwest::{Method, Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, PASSWORD, TestApp};

/// `name=value` of the cookie that an answer sets, and its attributes.
fn cookie(answer: &Response) -> (String, String) {
    let text = answer.headers()[SET_COOKIE].to_str().unwrap();
    let (pair, attributes) = text.split_once(';').unwrap();
    (pair.to_owned(), attributes.to_owned())
}

async fn begin(app: &TestApp) -> (String, String) {
    let body = json!({"username": "root", "password": PASSWORD});
    let answer = app.request(Method::POST, "/api/admin/session").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    cookie(&answer)
}

async fn refresh(app: &TestApp, cookie: &str) -> Response {
    app.request(Method::POST, "/api/admin/session/refresh").header(COOKIE, cookie).send().await.unwrap()
}

async fn me(app: &TestApp, token: &Value) -> StatusCode {
    app.ask(token.as_str().unwrap(), Method::GET, "/api/admin/me", &Value::Null).await.status()
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_stays_logged_in_by_a_cookie_that_changes_with_every_use(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let (first, attributes) = begin(&app).await;
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api/admin/session", "Expires="] {
        assert!(attributes.contains(attribute), "{attributes}");
    }
    let answer = refresh(&app, &first).await;
    let (second, _) = cookie(&answer);
    assert_ne!(first, second);
    let token = answer.expect(StatusCode::OK).await["access_token"].clone();
    assert_eq!(me(&app, &token).await, StatusCode::OK);
    // Another tab that asked at the same time, or the same one that never got the answer, gets the second once more.
    assert_eq!(cookie(&refresh(&app, &first).await).0, second);
    app.clock.advance(TimeDelta::seconds(61));
    refresh(&app, &first).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    // Somebody has a token that was used before: nobody keeps the session.
    refresh(&app, &second).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_cookie_ends_all_sessions_however_long_ago_it_was_replaced(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    for stolen in 0..4 {
        let mut generations = vec![begin(&app).await.0];
        for _ in 0..4 {
            app.clock.advance(TimeDelta::seconds(61));
            let answer = refresh(&app, generations.last().unwrap()).await;
            generations.push(cookie(&answer).0);
        }
        app.clock.advance(TimeDelta::seconds(61));
        let (other, _) = begin(&app).await;
        for token in [&generations[stolen], &generations[4]] {
            refresh(&app, token).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
        }
        refresh(&app, &other).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn tabs_that_ask_at_the_same_time_all_stay_logged_in(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let (first, _) = begin(&app).await;
    let (second, _) = cookie(&refresh(&app, &first).await);
    // One that has the new cookie already does not replace it at once, so that the late ones are not two behind.
    for late in [&second, &first, &second, &first] {
        assert_eq!(cookie(&refresh(&app, late).await).0, second);
    }
    app.clock.advance(TimeDelta::seconds(61));
    assert_ne!(cookie(&refresh(&app, &second).await).0, second);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_cookie_ends_nothing_and_keeps_no_writer_waiting(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let (held, _) = begin(&app).await;
    let (unsigned, _) = held.split_once('=').unwrap().1.rsplit_once('.').unwrap();
    let odd = ["", ".", "x", "1", "%00.x", "%C3%A4.x", unsigned, &format!("{unsigned}."), &"f".repeat(5_000)];
    let writing = app.store().write().await.unwrap();
    for token in odd {
        let cookie = format!("mtpannel_refresh={token}");
        refresh(&app, &cookie).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
        let out = app.request(Method::DELETE, "/api/admin/session").header(COOKIE, cookie).send().await.unwrap();
        assert_eq!(out.status(), StatusCode::NO_CONTENT);
    }
    drop(writing);
    refresh(&app, &held).await.expect(StatusCode::OK).await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_by_log_out_by_idleness_by_age_and_by_a_new_password(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    let (left, _) = begin(&app).await;
    let (kept, _) = begin(&app).await;
    let out = app.request(Method::DELETE, "/api/admin/session").header(COOKIE, &left).send().await.unwrap();
    assert!(cookie(&out).0.ends_with('='), "the browser forgets it");
    refresh(&app, &left).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    let (mut kept, _) = cookie(&refresh(&app, &kept).await);
    let (idle, _) = begin(&app).await;
    for _ in 0..4 {
        app.clock.advance(TimeDelta::days(6));
        kept = cookie(&refresh(&app, &kept).await).0;
    }
    refresh(&app, &idle).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    app.clock.advance(TimeDelta::days(6) + TimeDelta::seconds(1));
    refresh(&app, &kept).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;

    app.sudo = app.login("root").await;
    let (before, _) = begin(&app).await;
    app.put("/api/admins/root", &json!({"password": PASSWORD})).await.expect(StatusCode::OK).await;
    refresh(&app, &before).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    app.sudo = app.login("root").await;
    let (before, _) = begin(&app).await;
    app.delete("/api/admin/sessions").await.expect(StatusCode::NO_CONTENT).await;
    refresh(&app, &before).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    app.get("/api/admin/me").await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_cannot_use_the_cookie() {
    let app = TestApp::start(Engine::Sqlite).await;
    let (held, _) = begin(&app).await;
    for site in ["cross-site", "same-site"] {
        for (method, path) in [(Method::POST, "/api/admin/session/refresh"), (Method::DELETE, "/api/admin/session")] {
            let request = app.request(method, path).header(COOKIE, &held).header("sec-fetch-site", site);
            request.send().await.unwrap().problem(StatusCode::FORBIDDEN, "forbidden").await;
        }
    }
    refresh(&app, &held).await.expect(StatusCode::OK).await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn ten_failed_logins_close_the_door_and_say_for_how_long_while_tokens_work_on(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    for attempt in 0..10 {
        let name = if attempt % 2 == 0 { "root" } else { "nobody" };
        let body = json!({"username": name, "password": "guess"});
        let answer = app.request(Method::POST, "/api/admin/token").json(&body).send().await.unwrap();
        let told = answer.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
        assert_eq!(told["detail"], "wrong user name or password");
    }
    let right = json!({"username": "root", "password": PASSWORD});
    for path in ["/api/admin/token", "/api/admin/session"] {
        let answer = app.request(Method::POST, path).json(&right).send().await.unwrap();
        let wait: u64 = answer.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((1..=300).contains(&wait));
        answer.problem(StatusCode::TOO_MANY_REQUESTS, "too_many_requests").await;
    }
    app.get("/api/admin/me").await.expect(StatusCode::OK).await;
    let failed = app.audit("action=admin.login_failed").await;
    assert_eq!(failed.len(), 10);
    assert!(!serde_json::to_string(&failed).unwrap().contains("nobody"), "typed names are not written down");
    app.clock.advance(TimeDelta::minutes(5));
    app.login("root").await;
}
