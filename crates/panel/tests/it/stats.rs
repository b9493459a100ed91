//! The dashboard's figures: whose they are, and whether the proxy has read the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::http::{HeaderMap, StatusCode as Status};
use axum::routing::get;
use chrono::TimeDelta;
use mtpannel::settings::ProxyApi;
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp, eventually};

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_counted_over_the_users_that_the_administrator_sees(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let helper = app.create_admin("helper", false).await;
    for name in ["own", "own-idle"] {
        app.ask(&helper, Method::POST, "/api/users", &json!({"username": name}))
            .await
            .expect(StatusCode::CREATED)
            .await;
    }
    app.create_user("others", Value::Null).await;
    for name in ["own", "own-idle", "others"] {
        app.proxy.moves(name, 1, 1);
    }
    app.proxy.change(|figures| {
        figures.users.get_mut("own").unwrap().connections = 3;
        figures.users.get_mut("others").unwrap().connections = 40;
    });
    app.scraped().await;
    let figures = async |token: &str| {
        let stats = app.ask(token, Method::GET, "/api/system/stats", &Value::Null).await.expect(StatusCode::OK).await;
        json!([stats["online"], stats["connections"]])
    };
    assert_eq!(figures(&helper).await, json!([1, 3]));
    assert_eq!(figures(&app.sudo).await, json!([2, 43]));
}

/// telemt's control API, as far as the panel asks it: it tells when the file was read last.
async fn control_api(read_at: Arc<AtomicI64>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let info = async move |headers: HeaderMap| {
        if headers.get("authorization").is_none_or(|value| value != "Bearer for the proxy") {
            return Err(Status::UNAUTHORIZED);
        }
        let read_at = read_at.load(Ordering::SeqCst);
        Ok(axum::Json(json!({"ok": true, "data": {
            "process_started_at_epoch_secs": 0, "last_config_reload_epoch_secs": read_at,
        }})))
    };
    let router = Router::new().route("/v1/system/info", get(info));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxys_control_api_tells_whether_it_has_read_the_last_file() {
    let read_at = Arc::new(AtomicI64::new(0));
    let url = control_api(Arc::clone(&read_at)).await;
    let api = ProxyApi { url, auth: Some("Bearer for the proxy".into()) };
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| settings.proxy_api = Some(api)).await;
    app.create_user("alice", Value::Null).await;
    let accepted =
        async || app.get("/api/system/stats").await.expect(StatusCode::OK).await["proxy"]["config_accepted"].clone();
    assert_eq!(accepted().await, Value::Null, "it has time to read it");
    app.clock.advance(TimeDelta::seconds(5));
    eventually("the refusal", async || accepted().await == false).await;
    read_at.store(app.clock.now().timestamp(), Ordering::SeqCst);
    eventually("the reading", async || accepted().await == true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_proxys_word_on_the_file_is_shown_with_its_time_as_long_as_it_refuses_it() {
    let app = TestApp::start(Engine::Sqlite).await;
    let shown = async || {
        let proxy = app.get("/api/system/stats").await.expect(StatusCode::OK).await["proxy"].clone();
        ["config_accepted", "config_failure", "config_failed_at"].map(|field| proxy[field].clone())
    };
    let says = |is_current: u8| {
        let text = format!(
            "telemt_uptime_seconds 100\nmtproxy_config_current {is_current}\n\
             mtproxy_config_last_reload_failure_timestamp_seconds 1777982400\n\
             mtproxy_config_last_reload_failure_info{{error=\"line 3, column 5: no\"}} 1\n"
        );
        app.proxy.change(|figures| figures.raw = Some((StatusCode::OK, text)));
    };
    says(0);
    let refused = [json!(false), json!("line 3, column 5: no"), json!("2026-05-05T12:00:00Z")];
    eventually("the refusal", async || shown().await == refused).await;
    says(1);
    eventually("its end", async || shown().await == [json!(true), Value::Null, Value::Null]).await;
}
