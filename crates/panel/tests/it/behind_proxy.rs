//! Behind a reverse proxy: who the client is, and that it speaks TLS.

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
async fn a_trusted_proxy_says_who_the_client_is_and_that_it_speaks_tls() {
    let trust = |networks: &str| vec![networks.parse().unwrap()];
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| settings.trusted_proxies = trust("127.0.0.0/8")).await;
    let answer = log_in(&app, "198.51.100.7", PASSWORD).await;
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-mtpannel_refresh=") && cookie.contains("; Secure"), "{cookie}");
    assert!(cookie.contains("; Path=/;") && !cookie.contains("Domain"), "{cookie}");
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

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_bound_to_its_host_behind_tls_and_renews_the_token_under_its_name() {
    let trust = |networks: &str| vec![networks.parse().unwrap()];
    for (base_path, proto, prefix, path) in [
        ("", "https", "__Host-", "/"),
        ("", "http,https", "__Host-", "/"),
        ("/panel", "https", "__Secure-", "/panel/api/admin/session"),
        ("", "https,http", "", "/api/admin/session"),
        ("/panel", "http", "", "/panel/api/admin/session"),
    ] {
        let app = TestApp::start_with(Engine::Sqlite, |_, settings| {
            settings.trusted_proxies = trust("127.0.0.0/8");
            settings.base_path = base_path.into();
        })
        .await;
        let request = |method, path: &str| app.request(method, path).header("x-forwarded-proto", proto);
        let body = json!({"username": "root", "password": PASSWORD});
        let answer = request(Method::POST, "/api/admin/session").json(&body).send().await.unwrap();
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with(&format!("{prefix}mtpannel_refresh=")), "{cookie}");
        assert!(cookie.contains(&format!("; Path={path};")), "{cookie}");
        assert_eq!(cookie.contains("; Secure"), !prefix.is_empty(), "{cookie}");
        let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
        let renew = |name: &str| {
            let request = request(Method::POST, "/api/admin/session/refresh");
            request.header("cookie", format!("{name}={value}")).send()
        };
        if !prefix.is_empty() {
            // Any host of the domain could have set that one.
            renew("mtpannel_refresh").await.unwrap().problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
        }
        renew(&format!("{prefix}mtpannel_refresh")).await.unwrap().expect(StatusCode::OK).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_does_not_get_to_use_the_cookie() {
    let app = TestApp::start(Engine::Sqlite).await;
    let body = json!({"username": "root", "password": PASSWORD});
    for (method, path) in [
        (Method::POST, "/api/admin/session"),
        (Method::POST, "/api/admin/session/refresh"),
        (Method::DELETE, "/api/admin/session"),
    ] {
        let ask = |origin: &str| app.request(method.clone(), path).header("origin", origin).json(&body).send();
        for origin in ["https://evil.example", "http://127.0.0.2", "null", "http://127.0.0.1.evil.example", ""] {
            ask(origin).await.unwrap().problem(StatusCode::FORBIDDEN, "forbidden").await;
        }
        for origin in ["http://127.0.0.1:8080", "https://127.0.0.1"] {
            assert_ne!(ask(origin).await.unwrap().status(), StatusCode::FORBIDDEN, "{path} {origin}");
        }
        // What the browser itself says of the page counts more.
        let request = app.request(method.clone(), path).header("origin", "http://127.0.0.1");
        let answer = request.header("sec-fetch-site", "cross-site").json(&body).send().await.unwrap();
        answer.problem(StatusCode::FORBIDDEN, "forbidden").await;
    }
}
