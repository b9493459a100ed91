//! What an operator looks at: headers, the page of the API, the panel's own metrics, the audit log.

use std::io::Write as _;
use std::process::{Command, Stdio};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Answer, Engine, PASSWORD, TestApp, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_security_headers_and_an_id() {
    let app = TestApp::start(Engine::Sqlite).await;
    for path in ["/", "/health", "/api/users", "/api/nothing", "/api/docs/", "/api/openapi.json", "/api/admin/token"] {
        let answer =
            app.request(Method::GET, path).header("x-request-id", "chosen by the client").send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        assert!(header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("x-request-id").len(), 16, "{path}");
        assert_eq!(header("strict-transport-security"), "", "{path} is plain HTTP");
        assert!(header("server").is_empty(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_page_is_found_under_the_base_path_with_and_without_a_slash() {
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| settings.base_path = "/panel".into()).await;
    for (path, status) in [("/panel", 200), ("/panel/", 200), ("/", 404), ("/other", 404)] {
        assert_eq!(app.get(path).await.status(), status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_api_comes_from_the_program_itself() {
    let app = TestApp::start(Engine::Sqlite).await;
    let page = app.get("/api/docs/").await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.unwrap();
    for piece in page.split(['"', '\'']).filter(|piece| piece.contains("://")) {
        assert!(piece.starts_with("http://www.w3.org/"), "{piece} is fetched from elsewhere");
    }
    for script in page.split("src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let path = format!("/api/docs/{}", script.trim_start_matches("./"));
        assert_eq!(app.get(&path).await.status(), StatusCode::OK, "{path}");
    }
    let document = app.get("/api/openapi.json").await.expect(StatusCode::OK).await;
    assert_eq!(document["openapi"], "3.1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_panels_own_metrics_are_what_prometheus_wants_and_stand_on_their_own_port() {
    let app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({"data_limit": 1})).await;
    app.proxy.moves("alice", 1, 0);
    eventually("the limit", async || app.user("alice").await["status"] == "limited").await;
    app.get("/api/nothing").await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/metrics", app.running().metrics_address);
    let text = client.get(&url).send().await.unwrap().text().await.unwrap();
    for line in [
        "mtpannel_users{status=\"limited\"} 1",
        "mtpannel_http_requests_total{method=\"POST\",route=\"/api/users\",status=\"201\"} 1",
        "mtpannel_http_requests_total{method=\"GET\",route=\"(none)\",status=\"404\"} 1",
        "mtpannel_task_last_success_age_seconds{task=\"scrape\"}",
        "mtpannel_config_sync_duration_seconds_count",
        "mtpannel_scrape_duration_seconds_count",
        "mtpannel_database_connections",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().expect("promtool is installed");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let verdict = promtool.wait_with_output().unwrap();
    let words = [verdict.stdout, verdict.stderr].concat();
    assert!(verdict.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
    assert_eq!(app.get("/metrics").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_tells_who_did_what_and_never_a_secret() {
    let app = TestApp::start(Engine::Sqlite).await;
    let created = app.create_user("alice", json!({"note": "n"})).await;
    let changed = app.post("/api/users/alice/regenerate-secret", &Value::Null).await.expect(StatusCode::OK).await;
    app.put("/api/users/alice", &json!({"data_limit": 5})).await.expect(StatusCode::OK).await;
    app.post("/api/users/alice/reset-usage", &Value::Null).await.expect(StatusCode::OK).await;
    app.create_admin("helper", false).await;
    app.put("/api/admins/helper", &json!({"password": "another long password"})).await.expect(StatusCode::OK).await;
    app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    let entries = app.audit("").await;
    let actions: Vec<_> = entries.iter().rev().map(|entry| entry["action"].as_str().unwrap()).collect();
    let wanted = [
        "user.create",
        "user.regenerate_secret",
        "user.update",
        "user.reset_usage",
        "admin.create",
        "admin.login",
        "admin.update",
        "user.delete",
    ];
    assert_eq!(actions[actions.len() - wanted.len()..], wanted);
    let text = serde_json::to_string(&entries).unwrap();
    for secret in [&created["secret"], &changed["secret"], &json!(PASSWORD), &json!("another long password")] {
        assert!(!text.contains(secret.as_str().unwrap()), "{text}");
    }
    assert!(!text.contains("$argon2"));
    let of_alice = app.audit("target=alice").await;
    assert!(of_alice.iter().all(|entry| entry["target"] == "alice" && entry["actor"] == "root"));
    assert_eq!(of_alice.len(), 5);
}
