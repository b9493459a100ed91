//! A stand-in for the proxy's `/metrics`: counters that a test moves, restarts and breaks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::task::JoinHandle;

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
    server: JoinHandle<()>,
}

impl FakeProxy {
    pub async fn start() -> Self {
        let figures: Shared = Arc::new(Mutex::new(Figures {
            users: BTreeMap::new(),
            began: (Instant::now(), 100.0),
            suppressed: 0,
            raw: None,
            asked: 0,
            on_answer: None,
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/metrics", get(metrics)).with_state(Arc::clone(&figures));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, figures, server }
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
        self.server.abort();
    }
}

async fn metrics(State(figures): State<Shared>) -> Response {
    let mut figures = figures.lock().unwrap();
    figures.asked += 1;
    if let Some((status, text)) = figures.raw.clone() {
        return (status, text).into_response();
    }
    if let Some(mut told) = figures.on_answer.take() {
        told(&mut figures.users);
        figures.on_answer = Some(told);
    }
    text(&figures).into_response()
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
