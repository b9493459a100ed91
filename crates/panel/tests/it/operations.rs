//! What an operator looks at: headers, the page of the API, the panel's own metrics, the audit log.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Answer, Engine, PASSWORD, TestApp};

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
/// The page of the API styles its elements itself.
const DOCS_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_security_headers_and_an_id() {
    let app = TestApp::start(Engine::Sqlite).await;
    for path in ["/", "/health", "/api/users", "/api/nothing", "/api/docs/", "/api/openapi.json", "/api/admin/token"] {
        let answer =
            app.request(Method::GET, path).header("x-request-id", "chosen by the client").send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let page = path.starts_with("/api/docs/");
        assert_eq!(header("content-security-policy"), if page { DOCS_CSP } else { CSP }, "{path}");
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
