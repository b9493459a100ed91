//! Latencies with their moments, which wrk does not tell: eight connections of one thread, each with one request at a
//! time, as wrk has them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::panel::Panel;

const CONNECTIONS: usize = 8;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// One answered request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) at: Instant,
    pub(crate) took: Duration,
}

/// A load that runs until it is asked for its samples.
pub(crate) struct Probe {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<anyhow::Result<Vec<Sample>>>>,
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Probe {
    pub(crate) fn start(panel: &Panel, paths: &[String]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let address = panel.address();
        let requests: Arc<Vec<String>> = Arc::new(paths.iter().map(|path| request(path, &panel.token)).collect());
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connections = JoinSet::new();
                for number in 0..CONNECTIONS {
                    let stream = TcpStream::connect(address).await?;
                    stream.set_nodelay(true)?;
                    connections.spawn(ask(stream, Arc::clone(&requests), number, Arc::clone(&told)));
                }
                let mut samples = Vec::new();
                while let Some(ended) = connections.join_next().await {
                    samples.extend(ended??);
                }
                Ok(samples)
            })
        });
        Self { stop, thread: Some(thread) }
    }

    pub(crate) fn stop(mut self) -> anyhow::Result<Vec<Sample>> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().context("it runs")?;
        thread.join().map_err(|_| anyhow!("the probe panicked"))?
    }
}

fn request(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
}

async fn ask(
    mut stream: TcpStream,
    requests: Arc<Vec<String>>,
    number: usize,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    for request in requests.iter().cycle().skip(number * requests.len() / CONNECTIONS) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let at = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        answer(&mut stream, &mut buffer).await?;
        samples.push(Sample { at, took: at.elapsed() });
    }
    Ok(samples)
}

/// Reads one answer to its end; it must be a good one that tells its length and fits the buffer.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<()> {
    let (mut have, mut want) = (0, usize::MAX);
    while have < want {
        let read = stream.read(&mut buffer[have..]).await?;
        ensure!(read > 0, "the answer breaks off");
        have += read;
        let head_end = buffer[..have].windows(HEAD_END.len()).position(|bytes| bytes == HEAD_END);
        if let Some(end) = head_end.filter(|_| want == usize::MAX) {
            let head = str::from_utf8(&buffer[..end])?;
            ensure!(head.starts_with("HTTP/1.1 200 "), "the answer is not 200: {head}");
            want = end + HEAD_END.len() + content_length(head).context("the answer does not tell its length")?;
        }
    }
    Ok(())
}

fn content_length(head: &str) -> Option<usize> {
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next()?.1.trim().parse().ok()
}

/// Median and 99th percentile, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Latency {
    pub(crate) fn of(samples: impl Iterator<Item = Sample>) -> anyhow::Result<Self> {
        let mut all: Vec<f64> = samples.map(|sample| sample.took.as_secs_f64() * 1e3).collect();
        ensure!(all.len() >= 100, "there are only {} latencies", all.len());
        all.sort_by(f64::total_cmp);
        Ok(Self { p50: all[all.len() / 2], p99: all[all.len() * 99 / 100] })
    }
}
