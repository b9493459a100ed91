//! A stand-in for the proxy: telemt's `/metrics` for many users, made before it is asked for.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::fill;

/// For how many users telemt shows series at most.
pub(crate) const SHOWN: usize = 4_096;

/// Who is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowd {
    /// As many as telemt shows.
    Shown,
    /// Everybody.
    All,
}

/// The server; it ends when this is dropped.
pub(crate) struct FakeProxy {
    address: SocketAddr,
    users: usize,
    text: Arc<Mutex<Arc<String>>>,
    asked: watch::Receiver<Option<Instant>>,
    /// How often everybody who is shown has moved.
    moves: Mutex<usize>,
    server: JoinHandle<()>,
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeProxy {
    /// Shows [`Crowd::Shown`], of whom nobody moves until [`Self::advance`].
    pub(crate) async fn start(users: usize) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let text = Arc::new(Mutex::new(Arc::new(exposition(users, Crowd::Shown, 1))));
        let (asked, receiver) = watch::channel(None);
        let server = tokio::spawn(serve(listener, Arc::clone(&text), asked));
        Ok(Self { address, users, text, asked: receiver, moves: Mutex::new(1), server })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    /// Every user of `crowd` has moved bytes when the proxy is asked next. The text is made here and not when it is
    /// asked for, so that a scrape takes no longer for it.
    pub(crate) fn advance(&self, crowd: Crowd) {
        let mut moves = lock(&self.moves);
        *moves += 1;
        *lock(&self.text) = Arc::new(exposition(self.users, crowd, *moves));
    }

    /// The next time that the panel asks, from now on.
    pub(crate) fn next(&self) -> Next {
        let mut next = self.asked.clone();
        next.mark_unchanged();
        Next(next)
    }
}

/// See [`FakeProxy::next`].
pub(crate) struct Next(watch::Receiver<Option<Instant>>);

impl Next {
    /// Waits until it does, and tells when.
    pub(crate) async fn asked(mut self) -> anyhow::Result<Instant> {
        self.0.changed().await?;
        let moment = *self.0.borrow();
        moment.context("it was asked without a moment")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, text: Arc<Mutex<Arc<String>>>, asked: watch::Sender<Option<Instant>>) {
    let began = Instant::now();
    while let Ok((stream, _)) = listener.accept().await {
        asked.send_replace(Some(Instant::now()));
        let text = Arc::clone(&lock(&text));
        // An answer that breaks off fails the scrape, which the bench notices.
        let _ = answer(stream, began, &text).await;
    }
}

/// One request, one answer: the panel opens a connection for each.
async fn answer(mut stream: TcpStream, began: Instant, text: &str) -> std::io::Result<()> {
    let mut request = [0; 4_096];
    let _ = stream.read(&mut request).await?;
    let uptime = format!("telemt_uptime_seconds {:.3}\n", 100.0 + began.elapsed().as_secs_f64());
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        uptime.len() + text.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(uptime.as_bytes()).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

fn exposition(users: usize, crowd: Crowd, moves: usize) -> String {
    let (shown, stride) = match crowd {
        Crowd::All => (users, 1),
        Crowd::Shown => (users.min(SHOWN), (users / SHOWN).max(1)),
    };
    let mut text = String::with_capacity(600 * shown);
    let _ = write!(
        text,
        "telemt_build_info{{version=\"3.4.25\"}} 1\ntelemt_connections_total {}\ntelemt_connections_bad_total 2\n\
         telemt_telemetry_user_series_users{{family=\"stats\",status=\"suppressed\"}} {}\n",
        moves * shown,
        users - shown
    );
    for number in (0..shown).map(|number| number * stride) {
        user(&mut text, &fill::name(number, users), moves);
    }
    text
}

/// All series that telemt shows of a user.
fn user(text: &mut String, name: &str, moves: usize) {
    let (from, to) = (moves * 103_000, moves * 309_000);
    let series: [(&str, usize); 9] = [
        ("connections_total", moves),
        ("connections_current", 1),
        ("octets_from_client", from),
        ("octets_to_client", to),
        ("msgs_from_client", from / 4_000),
        ("msgs_to_client", to / 8_000),
        ("unique_ips_current", 1),
        ("unique_ips_recent_window", 1),
        ("unique_ips_limit", 0),
    ];
    for (family, value) in series {
        let _ = writeln!(text, "telemt_user_{family}{{user=\"{name}\"}} {value}");
    }
    let _ = writeln!(text, "telemt_user_unique_ips_utilization{{user=\"{name}\"}} 0.000000");
}
