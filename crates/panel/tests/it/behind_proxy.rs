//! Behind a reverse proxy: who the client is, and that he speaks TLS.

use reqwest::header::SET_COOKIE;
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use crate::common::{Answer, Engine, PASSWORD, TestApp};

async fn log_in(app: &TestApp, from: &str, password: &str) -> Response {
    let body = json!({"username": "root", "password": password});
    app.request(Method::POST, "/api/admin/session")
        .header("x-forwarded-for", format!("192.0.2.99, {from}"))
        .header("x-forwarded-proto", "https")
        .json(&body)
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_says_who_the_client_is_and_that_he_speaks_tls() {
    let trust = |networks: &str| vec![networks.parse().unwrap()];
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| settings.trusted_proxies = trust("127.0.0.0/8")).await;
    let answer = log_in(&app, "198.51.100.7", PASSWORD).await;
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    assert!(answer.headers()[SET_COOKIE].to_str().unwrap().contains("; Secure"));
    let entry = app.audit("action=admin.login").await.remove(0);
    assert_eq!(entry["address"], "198.51.100.7");
    // Nine failures from one address, under the names of others, and the tenth: another address is not concerned.
    for n in 0..10 {
        let body = json!({"username": format!("nobody{n}"), "password": "wrong"});
        let request = app.request(Method::POST, "/api/admin/token").header("x-forwarded-for", "203.0.113.5");
        request.json(&body).send().await.unwrap().problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    }
    log_in(&app, "203.0.113.5", PASSWORD).await.problem(StatusCode::TOO_MANY_REQUESTS, "too_many_requests").await;
    log_in(&app, "203.0.113.6", PASSWORD).await.expect(StatusCode::OK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_trusted_is_not_believed() {
    let app = TestApp::start(Engine::Sqlite).await;
    let answer = log_in(&app, "198.51.100.7", PASSWORD).await;
    assert!(answer.headers().get("strict-transport-security").is_none());
    assert!(!answer.headers()[SET_COOKIE].to_str().unwrap().contains("Secure"));
    assert_eq!(app.audit("action=admin.login").await.remove(0)["address"], "127.0.0.1");
}
