//! A stand-in for the proxy's `/metrics`: counters that a test moves, restarts and breaks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What one user shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Series {
    pub from: u64,
    pub to: u64,
    pub connections: u64,
    pub unique_ips: u64,
}

type OnAnswer = Box<dyn FnMut(&mut BTreeMap<String, Series>) + Send>;

pub struct Figures {
    pub users: BTreeMap<String, Series>,
    /// When the counters began, and the uptime that the proxy had then, in seconds.
    began: (Instant, f64),
    pub suppressed: u64,
    /// Answers this instead of the metrics.
    pub raw: Option<(StatusCode, String)>,
    /// As many of the next questions get no answer.
    pub stalled: u64,
    /// As many of the next answers break off in the middle.
    pub torn: u64,
    pub asked: u64,
    /// Told of every answer, before it is written.
    pub on_answer: Option<OnAnswer>,
}

impl Figures {
    pub fn uptime(&self) -> f64 {
        self.began.0.elapsed().as_secs_f64() + self.began.1
    }

    pub fn set_uptime(&mut self, seconds: f64) {
        self.began = (Instant::now(), seconds);
    }
}

type Shared = Arc<Mutex<Figures>>;

/// The server; it ends with the test.
pub struct FakeProxy {
    pub address: SocketAddr,
    figures: Shared,
    server: Mutex<JoinHandle<()>>,
}

impl FakeProxy {
    pub async fn start() -> Self {
        let figures: Shared = Arc::new(Mutex::new(Figures {
            users: BTreeMap::new(),
            began: (Instant::now(), 100.0),
            suppressed: 0,
            raw: None,
            stalled: 0,
            torn: 0,
            asked: 0,
            on_answer: None,
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Mutex::new(tokio::spawn(serve(listener, Arc::clone(&figures))));
        Self { address, figures, server }
    }

    /// Refuses and breaks off every connection; the counters live on.
    pub async fn hang_up(&self) {
        let server = std::mem::replace(&mut *self.server.lock().unwrap(), tokio::spawn(async {}));
        server.abort();
        let _ = server.await;
    }

    /// Answers again, at the same address.
    pub async fn answer_again(&self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        *self.server.lock().unwrap() = tokio::spawn(serve(listener, Arc::clone(&self.figures)));
    }

    pub fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut Figures) -> T) -> T {
        change(&mut self.figures.lock().unwrap())
    }

    /// Bytes that a user moves.
    pub fn moves(&self, name: &str, from: u64, to: u64) {
        self.change(|figures| {
            let series = figures.users.entry(name.into()).or_default();
            series.from += from;
            series.to += to;
        });
    }

    /// A restart of the process: every counter begins again.
    pub fn restart(&self) {
        self.change(|figures| {
            figures.users.clear();
            figures.set_uptime(0.0);
        });
    }
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        self.server.lock().unwrap().abort();
    }
}

async fn serve(listener: TcpListener, figures: Shared) {
    let mut connections = JoinSet::new();
    loop {
        let (connection, _) = listener.accept().await.unwrap();
        connections.spawn(answer(connection, Arc::clone(&figures)));
    }
}

async fn answer(mut connection: TcpStream, figures: Shared) -> std::io::Result<()> {
    let mut question = Vec::new();
    while !question.ends_with(b"\r\n\r\n") {
        if connection.read_buf(&mut question).await? == 0 {
            return Ok(());
        }
    }
    let answer = figures.lock().unwrap().answer();
    let Some(answer) = answer else { return std::future::pending().await };
    connection.write_all(&answer).await?;
    connection.shutdown().await
}

impl Figures {
    /// The bytes of the next answer; `None` if there is to be none.
    fn answer(&mut self) -> Option<Vec<u8>> {
        self.asked += 1;
        if self.stalled > 0 {
            self.stalled -= 1;
            return None;
        }
        let is_torn = self.torn > 0;
        let (status, text) = self.raw.clone().unwrap_or_else(|| {
            if let Some(mut told) = self.on_answer.take() {
                // What breaks off tells nobody anything.
                if !is_torn {
                    told(&mut self.users);
                }
                self.on_answer = Some(told);
            }
            (StatusCode::OK, text(self))
        });
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
        let mut answer = head.into_bytes();
        let whole = answer.len() + text.len();
        answer.extend(text.into_bytes());
        if is_torn {
            self.torn -= 1;
            // Here and there, also between two lines.
            answer.truncate(usize::try_from(self.asked).unwrap() * 7_919 % whole);
        }
        Some(answer)
    }
}

fn text(figures: &Figures) -> String {
    let mut text = format!(
        "telemt_build_info{{version=\"3.4.25\"}} 1\ntelemt_uptime_seconds {:.1}\ntelemt_connections_total 7\n\
         telemt_connections_bad_total 2\n\
         telemt_telemetry_user_series_users{{family=\"stats\",status=\"suppressed\"}} {}\n",
        figures.uptime(),
        figures.suppressed
    );
    for (name, series) in &figures.users {
        let Series { from, to, connections, unique_ips } = series;
        let _ = writeln!(text, "telemt_user_octets_from_client{{user=\"{name}\"}} {from}");
        let _ = writeln!(text, "telemt_user_octets_to_client{{user=\"{name}\"}} {to}");
        let _ = writeln!(text, "telemt_user_connections_current{{user=\"{name}\"}} {connections}");
        let _ = writeln!(text, "telemt_user_unique_ips_current{{user=\"{name}\"}} {unique_ips}");
    }
    text
}
