//! Whoever holds nothing but a token changes no password.

use chrono::TimeDelta;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Method, Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, PASSWORD, TestApp};

const OTHER: &str = "quite another password";

async fn put(app: &TestApp, token: &str, name: &str, body: Value) -> Response {
    app.ask(token, Method::PUT, &format!("/api/admins/{name}"), &body).await
}

async fn not_fresh(answer: Response) -> Value {
    answer.problem(StatusCode::FORBIDDEN, "fresh_login_required").await
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_within_ten_minutes_of_the_login_and_later_with_the_present_one(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let helper = app.create_admin("helper", false).await;
    app.clock.advance(TimeDelta::minutes(10) + TimeDelta::seconds(2));
    let before = app.everything().await;
    // Their own, another's, and a role.
    not_fresh(put(&app, &helper, "helper", json!({"password": OTHER})).await).await;
    not_fresh(put(&app, &app.sudo, "root", json!({"password": OTHER})).await).await;
    not_fresh(put(&app, &app.sudo, "helper", json!({"password": OTHER})).await).await;
    not_fresh(put(&app, &app.sudo, "helper", json!({"is_sudo": true})).await).await;
    let wrong = json!({"password": OTHER, "current_password": "not this one"});
    let told = not_fresh(put(&app, &helper, "helper", wrong).await).await;
    assert_eq!(told["errors"][0]["field"], "current_password");
    // Another administrator's password vouches for nobody.
    app.put("/api/admins/helper", &json!({"password": OTHER, "current_password": PASSWORD}))
        .await
        .expect(StatusCode::OK)
        .await;
    let borrowed = json!({"password": PASSWORD, "current_password": OTHER});
    not_fresh(put(&app, &app.sudo, "root", borrowed).await).await;
    app.put("/api/admins/helper", &json!({"password": PASSWORD, "current_password": PASSWORD}))
        .await
        .expect(StatusCode::OK)
        .await;
    assert_eq!(app.everything().await["admins"], before["admins"]);

    let helper = app.login("helper").await;
    app.clock.advance(TimeDelta::minutes(9));
    put(&app, &helper, "helper", json!({"password": OTHER})).await.expect(StatusCode::OK).await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_token_is_as_old_as_its_login(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let body = json!({"username": "root", "password": PASSWORD});
    let begun = app.request(Method::POST, "/api/admin/session").json(&body).send().await.unwrap();
    let cookie = begun.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    app.clock.advance(TimeDelta::minutes(11));
    let renewed = app.request(Method::POST, "/api/admin/session/refresh").header(COOKIE, cookie).send().await.unwrap();
    let token = renewed.expect(StatusCode::OK).await["access_token"].as_str().unwrap().to_owned();
    not_fresh(put(&app, &token, "root", json!({"password": OTHER})).await).await;
    let proven = json!({"password": OTHER, "current_password": PASSWORD});
    put(&app, &token, "root", proven).await.expect(StatusCode::OK).await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_present_password_is_refused_of_a_fresh_login_too_and_counts(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let wrong = json!({"password": OTHER, "current_password": "not this one"});
    for _ in 0..10 {
        not_fresh(app.put("/api/admins/root", &wrong).await).await;
    }
    let right = json!({"password": OTHER, "current_password": PASSWORD});
    let refused = app.put("/api/admins/root", &right).await;
    refused.problem(StatusCode::TOO_MANY_REQUESTS, "too_many_requests").await;
    let body = json!({"username": "root", "password": PASSWORD});
    let login = app.request(Method::POST, "/api/admin/token").json(&body).send().await.unwrap();
    login.problem(StatusCode::TOO_MANY_REQUESTS, "too_many_requests").await;
    assert_eq!(app.audit("action=admin.login_failed&target=root").await.len(), 10);
    app.clock.advance(TimeDelta::minutes(5));
    app.put("/api/admins/root", &right).await.expect(StatusCode::OK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_change_or_not_allowed_is_told_before_the_password_is_asked_for() {
    let app = TestApp::start(Engine::Sqlite).await;
    let helper = app.create_admin("helper", false).await;
    app.clock.advance(TimeDelta::minutes(11));
    let others = put(&app, &helper, "root", json!({"password": OTHER})).await;
    others.problem(StatusCode::FORBIDDEN, "forbidden").await;
    for body in [json!({}), json!({"current_password": PASSWORD}), json!({"password": "short"})] {
        app.put("/api/admins/root", &body).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    }
}
