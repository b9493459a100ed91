//! Answers that are given before the body was read: the connection goes on in order, or its end is announced.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::{Engine, TestApp};

/// A connection over which requests are written by hand.
struct Wire {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    async fn open(app: &TestApp) -> Self {
        Self { socket: TcpStream::connect(app.running().address).await.unwrap(), read: Vec::new() }
    }

    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(bytes).await
    }

    /// The next answer: its head, and its body, which is as long as it says.
    async fn answer(&mut self) -> String {
        loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.read[..end]).to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let whole = end + 4 + length.map_or(0, |length| length.parse::<usize>().unwrap());
                if self.read.len() >= whole {
                    return String::from_utf8_lossy(&self.read.drain(..whole).collect::<Vec<_>>()).into_owned();
                }
            }
            assert_ne!(self.socket.read_buf(&mut self.read).await.unwrap(), 0, "{:?}", self.read);
        }
    }

    /// Whether the server has closed it, with nothing more sent.
    async fn ends(mut self) -> bool {
        let mut rest = Vec::new();
        let _ = self.socket.read_to_end(&mut rest).await;
        rest.is_empty() && self.read.is_empty()
    }
}

fn head(method: &str, path: &str, token: &str, kind: &str, more: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: panel\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}\r\n{more}\r\n"
    )
}

const JSON: &str = "application/json";

/// Requests that are answered without a look at their body: method, path, whether the token is good, kind, status.
const EARLY: [(&str, &str, bool, &str, u16); 9] = [
    ("POST", "/api/users", false, JSON, 401),
    ("PUT", "/api/users/alice", false, JSON, 401),
    ("DELETE", "/api/users/alice", false, JSON, 401),
    ("DELETE", "/api/users/nobody", true, JSON, 404),
    ("POST", "/api/nothing", true, JSON, 404),
    ("POST", "/nothing", true, JSON, 404),
    ("PATCH", "/api/users", true, JSON, 405),
    ("POST", "/api/users", true, "text/plain", 415),
    ("POST", "/api/admin/token", true, "text/plain", 415),
];

fn token(app: &TestApp, is_good: bool) -> &str {
    if is_good { &app.sudo } else { "stale" }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_before_the_body_leaves_the_connection_in_order_or_announces_its_end() {
    let app = TestApp::start(Engine::Sqlite).await;
    let body = format!("{{\"note\": \"{}\"}}", "GET / HTTP/1.1\r\n\r\n".repeat(500));
    for (method, path, is_good, kind, status) in EARLY {
        let what = format!("{method} {path} {status}");
        let (mut wire, token) = (Wire::open(&app).await, token(&app, is_good));
        let length = format!("content-length: {}\r\n", body.len());
        wire.write(head(method, path, token, kind, &length).as_bytes()).await.unwrap();
        let answer = wire.answer().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
        // It was not sent yet, so the server cannot know what comes next.
        assert!(answer.contains("connection: close\r\n"), "{what}: {answer}");
        let _ = wire.write(body.as_bytes()).await;
        assert!(wire.ends().await, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_with_its_head_is_read_before_an_early_answer_and_the_connection_lives_on() {
    let app = TestApp::start(Engine::Sqlite).await;
    let body = format!("{{\"note\": \"{}\"}}", "x".repeat(100_000));
    for (method, path, is_good, kind, status) in EARLY {
        let what = format!("{method} {path} {status}");
        let (mut wire, token) = (Wire::open(&app).await, token(&app, is_good));
        let length = format!("content-length: {}\r\n", body.len());
        let request = head(method, path, token, kind, &length) + &body;
        for _ in 0..2 {
            wire.write(request.as_bytes()).await.unwrap();
            let answer = wire.answer().await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
            assert!(!answer.contains("connection: close"), "{what}: {answer}");
        }
        wire.write(b"GET /health HTTP/1.1\r\nhost: panel\r\n\r\n").await.unwrap();
        assert!(wire.answer().await.ends_with("{\"status\":\"ok\"}"), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_leave_to_send_a_body_is_refused_at_once_with_the_end_announced() {
    let app = TestApp::start(Engine::Sqlite).await;
    let mut wire = Wire::open(&app).await;
    let more = "content-length: 20\r\nexpect: 100-continue\r\n";
    wire.write(head("POST", "/api/users", "stale", JSON, more).as_bytes()).await.unwrap();
    let answer = wire.answer().await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("connection: close\r\n"), "{answer}");
    assert!(wire.ends().await);
    // Whoever may send it gets leave.
    let mut wire = Wire::open(&app).await;
    let body = "{\"username\": \"alice\"}";
    let more = format!("content-length: {}\r\nexpect: 100-continue\r\n", body.len());
    wire.write(head("POST", "/api/users", &app.sudo, JSON, &more).as_bytes()).await.unwrap();
    assert!(wire.answer().await.starts_with("HTTP/1.1 100 "));
    wire.write(body.as_bytes()).await.unwrap();
    let answer = wire.answer().await;
    assert!(answer.starts_with("HTTP/1.1 201 ") && !answer.contains("connection: close"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_unknown_length_is_the_last_of_its_connection_and_requests_behind_each_other_are_answered_in_order() {
    let app = TestApp::start(Engine::Sqlite).await;
    let mut wire = Wire::open(&app).await;
    let more = "transfer-encoding: chunked\r\n";
    let request = head("POST", "/api/users", &app.sudo, JSON, more) + "15\r\n{\"username\": \"alice\"}\r\n0\r\n\r\n";
    // What follows is not taken for a request: its line ends were not looked at.
    wire.write((request + "GET /health HTTP/1.1\nhost: panel\n\n").as_bytes()).await.unwrap();
    let answer = wire.answer().await;
    assert!(answer.starts_with("HTTP/1.1 201 ") && answer.contains("connection: close\r\n"), "{answer}");
    assert!(wire.ends().await);
    let mut wire = Wire::open(&app).await;
    let body = "{\"note\": \"x\"}";
    let put = head("PUT", "/api/users/alice", &app.sudo, JSON, &format!("content-length: {}\r\n", body.len())) + body;
    let get = head("GET", "/api/users/alice", &app.sudo, JSON, "");
    wire.write((put.clone() + &get + &put + "GET /health HTTP/1.1\r\nhost: panel\r\n\r\n").as_bytes()).await.unwrap();
    for expected in ["\"config_sync\"", "\"note\":\"x\"", "\"config_sync\"", "\"status\":\"ok\""] {
        let answer = wire.answer().await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(expected), "{answer}");
    }
}
