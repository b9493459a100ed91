//! Clients that take their time.

use reqwest::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::{Engine, TestApp};

/// Sends a head and the beginning of a body, and waits for the answer.
async fn begin(app: &TestApp, length: usize) -> String {
    let mut socket = TcpStream::connect(app.running().address).await.unwrap();
    let head = format!(
        "{} /api/users/alice HTTP/1.1\r\nhost: panel\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{{",
        Method::PUT,
        app.sudo
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The server closes a connection of which it has not read everything.
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_too_large_or_too_late_and_the_answer_has_the_security_headers() {
    let app = TestApp::start(Engine::Sqlite).await;
    let (large, late) = tokio::join!(begin(&app, 2 << 20), begin(&app, 20));
    assert!(large.starts_with("HTTP/1.1 413 ") && large.contains("\"too_large\""), "{large}");
    assert!(late.starts_with("HTTP/1.1 503 ") && late.contains("\"unavailable\""), "{late}");
    for answer in [large, late] {
        for header in
            ["content-security-policy: default-src 'none'", "x-content-type-options: nosniff", "x-request-id: "]
        {
            assert!(answer.contains(header), "{header} in {answer}");
        }
    }
}
