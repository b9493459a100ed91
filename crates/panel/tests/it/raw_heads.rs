//! Heads of requests as bytes, and the headers of every answer.

use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::{Answer as _, Engine, TestApp};

const SECURITY: [&str; 7] = [
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "x-frame-options",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
];

async fn ask(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[rstest]
#[case::bare_lf(b"GET /health HTTP/1.1\nhost: panel\n\n", 400)]
#[case::one_bare_lf(b"GET /health HTTP/1.1\r\nhost: panel\nx: y\r\nconnection: close\r\n\r\n", 400)]
#[case::bare_lf_at_the_end(b"GET /health HTTP/1.1\r\nhost: panel\r\nconnection: close\r\n\n", 400)]
#[case::bare_cr(b"GET /health HTTP/1.1\r\nhost: panel\rx: y\r\nconnection: close\r\n\r\n", 400)]
#[case::no_host(b"GET /health HTTP/1.1\r\nconnection: close\r\n\r\n", 400)]
#[case::two_hosts(b"GET /health HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n", 400)]
#[case::the_same_host_twice(b"GET /health HTTP/1.1\r\nhost: a\r\nhost: a\r\nconnection: close\r\n\r\n", 400)]
#[case::two_hosts_of_old(b"GET /health HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", 400)]
#[case::no_http(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", 400)]
#[case::two_lengths(b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx", 400)]
#[case::a_space_before_the_colon(b"GET /health HTTP/1.1\r\nhost : a\r\n\r\n", 400)]
#[tokio::test(flavor = "multi_thread")]
async fn heads_that_two_programs_may_read_differently_are_refused_on_every_listener(
    #[case] head: &[u8],
    #[case] status: u16,
) {
    let app = TestApp::start(Engine::Sqlite).await;
    for address in [app.running().address, app.running().metrics_address] {
        let answer = ask(address, head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) || answer.starts_with("HTTP/1.0 400 "), "{answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("\"code\":\"bad_request\""), "{answer}");
        for header in SECURITY {
            assert!(answer.contains(&format!("\n{header}: ")), "{header} in {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_has_at_most_16_kib_and_old_http_needs_no_host() {
    let app = TestApp::start(Engine::Sqlite).await;
    let head = |length: usize| {
        let head = "GET /health HTTP/1.1\r\nhost: panel\r\nconnection: close\r\nx: ";
        format!("{head}{}\r\n\r\n", "y".repeat(length - head.len() - 4))
    };
    let address = app.running().address;
    assert!(ask(address, head(16 << 10).as_bytes()).await.starts_with("HTTP/1.1 200 "));
    for large in [
        head((16 << 10) + 1),
        head(200_000),
        "GET / HTTP/1.1\r\nhost: a\r\n".to_owned() + &"x: y\r\n".repeat(101) + "\r\n",
    ] {
        let answer = ask(address, large.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 ") && answer.contains("\"head_too_large\""), "{answer}");
    }
    assert!(ask(address, b"GET /health HTTP/1.0\r\n\r\n").await.starts_with("HTTP/1.0 200 "));
    // An empty line before a request is passed over, as the standard advises.
    let after_line = b"\r\nGET /health HTTP/1.1\r\nhost: panel\r\nconnection: close\r\n\r\n";
    assert!(ask(address, after_line).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_security_headers_stand_on_every_answer() {
    let app = TestApp::start(Engine::Sqlite).await;
    for (path, status) in [
        ("/health", 200),
        ("/health/ready", 200),
        ("/", 200),
        ("/api/docs/", 200),
        ("/api/docs/swagger-ui-bundle.js", 200),
        ("/api/openapi.json", 200),
        ("/api/users", 200),
        ("/api/users/nobody", 404),
        ("/nothing", 404),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        for header in SECURITY {
            assert!(answer.headers().contains_key(header), "{header} on {path}");
        }
    }
    for (method, path, status) in [(Method::POST, "/health", 405), (Method::POST, "/api/users", 401)] {
        let answer = app.request(method, path).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(SECURITY.iter().all(|header| answer.headers().contains_key(*header)), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_compressed_for_who_asks_and_answers_with_secrets_never() {
    let app = TestApp::start(Engine::Sqlite).await;
    for n in 0..50 {
        app.create_user(&format!("user-{n}"), json!({"note": "some words"})).await;
    }
    let plain = app.get("/api/users").await;
    assert!(plain.headers().get("content-encoding").is_none());
    assert_eq!(plain.headers()["vary"], "accept-encoding");
    let plain = plain.bytes().await.unwrap();
    let packed = async |path: &str, accept: &str| {
        let request = app.sudo(Method::GET, path).header("accept-encoding", accept);
        request.header("if-none-match", "\"\"").send().await.unwrap()
    };
    for path in ["/api/users", "/api/openapi.json", "/api/audit"] {
        let answer = packed(path, "gzip, deflate").await;
        assert_eq!(answer.headers()["content-encoding"], "gzip", "{path}");
        assert_eq!(answer.headers()["vary"], "accept-encoding", "{path}");
    }
    let answer = packed("/api/users", "gzip").await;
    let tag = answer.headers()["etag"].clone();
    let bytes = answer.bytes().await.unwrap();
    assert!(bytes.len() * 5 < plain.len(), "{} of {}", bytes.len(), plain.len());
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
    assert_eq!(text, plain);
    let again = app.sudo(Method::GET, "/api/users").header("accept-encoding", "gzip").header("if-none-match", tag);
    assert_eq!(again.send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
    for accept in ["gzip;q=0", "br", ""] {
        assert!(packed("/api/users", accept).await.headers().get("content-encoding").is_none(), "{accept}");
    }
    // A text of attackers beside a secret would tell the secret by the length; small answers gain nothing.
    let note = json!({"note": "n".repeat(1_000)});
    app.put("/api/users/user-1", &note).await.expect(StatusCode::OK).await;
    for path in ["/api/users/user-1", "/api/users/user-1/links", "/api/users/user-1/qr.svg", "/health", "/api/admins"] {
        assert!(packed(path, "gzip").await.headers().get("content-encoding").is_none(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_names_the_path_of_the_api_and_can_be_switched_off() {
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| settings.base_path = "/panel".into()).await;
    let document = app.get("/api/openapi.json").await.expect(StatusCode::OK).await;
    assert_eq!(document["servers"], json!([{"url": "/panel"}]));
    let app = TestApp::start(Engine::Sqlite).await;
    let document = app.get("/api/openapi.json").await.expect(StatusCode::OK).await;
    assert_eq!(document["servers"], json!([{"url": "/"}]));
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| settings.api_docs = false).await;
    for path in ["/api/openapi.json", "/api/docs", "/api/docs/", "/api/docs/swagger-ui-bundle.js"] {
        app.get(path).await.problem(StatusCode::NOT_FOUND, "not_found").await;
    }
    app.get("/api/users").await.expect(StatusCode::OK).await;
}
