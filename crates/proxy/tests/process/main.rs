//! The log and the limit of open files, which belong to the whole process. This is a program of its own, so that other
//! tests are not affected.
#![allow(clippy::unwrap_used, reason = "tests may")]

#[path = "../it/client.rs"]
#[allow(dead_code, reason = "shared")]
mod client;
#[path = "../it/peers.rs"]
#[allow(dead_code, reason = "shared")]
mod peers;

use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use client::{Client, hello, unix_time};
use peers::{ALICE, BOB, World, users};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Everything that was logged.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log() -> String {
    String::from_utf8(LOG.lock().unwrap().clone()).unwrap()
}

/// A connection to the metrics that stays open.
struct Metrics(TcpStream);

impl Metrics {
    async fn connect(world: &World) -> Self {
        Self(TcpStream::connect(world.proxy.metrics_address.unwrap()).await.unwrap())
    }

    async fn read(&mut self) -> String {
        self.0.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(self.0.read_u8().await.unwrap()));
        }
        let head = head.to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body).await.unwrap();
        String::from_utf8(body).unwrap()
    }

    async fn shows(&mut self, line: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        while !self.read().await.lines().any(|found| found == line) {
            assert!(Instant::now() < end, "no line {line:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn limit_files(limit: u64) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum }).unwrap();
}

/// One test, because both parts change the state of the same process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_has_no_secrets_and_no_revocation_is_lost_when_open_files_run_out() {
    tracing_subscriber::fmt().with_writer(|| Log).with_ansi(false).init();
    let access = users(&[("alice", ALICE), ("bob", BOB)]);
    let world =
        World::start("unheard_of = 1\n[server]\nproxy_protocol = true\nmax_connections = 900000000", &access).await;
    nothing_secret_is_logged(&world, &access).await;
    a_file_that_cannot_be_opened_is_read_as_soon_as_it_can(&world).await;
}

async fn nothing_secret_is_logged(world: &World, access: &str) {
    for (source, secret) in [(7, &ALICE), (8, &[9; 16])] {
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        let header = format!("PROXY TCP4 192.0.2.{source} 192.0.2.1 40000 443\r\n");
        stream.write_all(header.as_bytes()).await.unwrap();
        if source == 7 {
            Client::tunnel(stream, secret, 0).await.unwrap().echo(b"ping").await.unwrap();
        } else {
            stream.write_all(&hello(secret, "mask.example", 0, unix_time())).await.unwrap();
            stream.read_exact(&mut [0; 5]).await.unwrap();
        }
    }
    let slips = "[access.user_data_quota]\nalice = \"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1\"\n";
    world.replace(&format!("{access}{slips}"));
    world.shows("mtproxy_config_reload_failures_total 1").await;
    world.replace(&users(&[("alice", ALICE), ("bob", [0xbb; 16])]));
    world.shows("mtproxy_config_reloads_total 2").await;
    let log = log();
    assert!(log.contains("the proxy listens") && log.contains("configuration applied"), "{log}");
    assert!(log.contains("the configuration is refused"), "{log}");
    assert_eq!(log.matches("unheard_of").count(), 1, "{log}");
    assert!(log.contains("the limit of open files does not allow so many connections"), "{log}");
    for hidden in ["a1a1a1a1", "b0b0b0b0", "bbbbbbbb", "09090909", "192.0.2."] {
        assert!(!log.contains(hidden), "{log}");
    }
}

async fn a_file_that_cannot_be_opened_is_read_as_soon_as_it_can(world: &World) {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(b"PROXY TCP4 192.0.2.9 192.0.2.1 40000 443\r\n").await.unwrap();
    let mut alice = Client::tunnel(stream, &ALICE, 0).await.unwrap();
    alice.echo(b"ping").await.unwrap();
    let mut metrics = Metrics::connect(world).await;
    metrics.shows("mtproxy_config_current 1").await;
    let refused = log().matches("the configuration is refused").count();
    let new = world.directory.path().join(".new");
    std::fs::write(&new, world.text(&users(&[("bob", BOB)]))).unwrap();
    let Rlimit { current, .. } = getrlimit(Resource::Nofile);
    limit_files(0);
    std::fs::rename(&new, world.path()).unwrap();
    metrics.shows("mtproxy_config_reload_failures_total 2").await;
    metrics.shows("mtproxy_config_current 0").await;
    alice.echo(b"ping").await.unwrap();
    limit_files(current.unwrap());
    alice.closed().await;
    metrics.shows("mtproxy_config_current 1").await;
    metrics.shows("mtproxy_config_reload_failures_total 2").await;
    assert_eq!(log().matches("the configuration is refused").count(), refused + 1);
}
