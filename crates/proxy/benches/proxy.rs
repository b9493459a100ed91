//! Speed and size, against a plain relay of the same runtime through the same loopback path. Each server is a process of
//! its own: this program started again with other arguments. `cargo bench -p mtpannel-proxy`.
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::format_push_string,
    missing_docs,
    reason = "a benchmark"
)]

#[path = "../tests/it/client.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod client;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use client::{Client, hello, init, random, unix_time};
use mtpannel_proxy::faketls::application_header;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const TRANSFER: usize = 1 << 30;
const CHUNK: usize = 16_384;

fn secret(number: u32) -> [u8; 16] {
    let mut secret = [0x55; 16];
    secret[..4].copy_from_slice(&number.to_be_bytes());
    secret
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Server(Child, SocketAddr);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    async fn start(port: u16, arguments: &[&str]) -> Self {
        let child = Command::new(std::env::current_exe().unwrap()).args(arguments).spawn().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self(child, address)
    }

    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
    }
}

fn write_config(path: &Path, port: u16, metrics: u16, centre: SocketAddr, users: u32) {
    let mut text = format!(
        "dc_overrides = {{ \"2\" = \"{centre}\" }}\n[server]\nport = {port}\nlisten_addr_ipv4 = \"127.0.0.1\"\nmax_connections = 0\nmetrics_port = {metrics}\n[censorship]\ntls_domain = \"mask.example\"\nmask = false\n"
    );
    let tables = [
        ("users", &(|n| format!("\"{}\"", hex::encode(secret(n)))) as &dyn Fn(u32) -> String),
        ("user_max_tcp_conns", &|_| "100000".to_owned()),
        ("user_data_quota", &|_| "1000000000000000".to_owned()),
        ("user_expirations", &|_| "\"2050-01-01T00:00:00Z\"".to_owned()),
        ("user_max_unique_ips", &|_| "5".to_owned()),
    ];
    for (table, value) in tables {
        text.push_str(&format!("[access.{table}]\n"));
        (0..users).for_each(|number| text.push_str(&format!("\"user-{number}\" = {}\n", value(number))));
    }
    std::fs::write(path.with_extension("new"), text).unwrap();
    std::fs::rename(path.with_extension("new"), path).unwrap();
}

/// A data centre: what it is told by the first byte after the init, it sends or swallows.
async fn centre(raw: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if !raw {
                    stream.read_exact(&mut [0; 64]).await.ok()?;
                }
                let mut buffer = vec![0; 1 << 18];
                let first = stream.read(&mut buffer).await.ok().filter(|&read| read > 0)?;
                if first == 1 {
                    loop {
                        stream.write_all(&buffer).await.ok()?;
                    }
                }
                let mut total = first;
                while total < TRANSFER / 64 || !total.is_multiple_of(1 << 40) {
                    let read = stream.read(&mut buffer).await.ok().filter(|&read| read > 0)?;
                    total += read;
                }
                Some(())
            });
        }
    });
    address
}

async fn open(address: SocketAddr, framed: bool) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    if framed {
        let client = Client::tunnel(stream, &secret(0), 400).await.unwrap();
        return client.stream;
    }
    stream.flush().await.unwrap();
    stream
}

fn pieces(framed: bool, length: usize) -> Vec<u8> {
    let payload = vec![7; length];
    if framed { [&application_header(length)[..], &payload].concat() } else { payload }
}

/// MB per second down (the far end sends) or up (we send) over so many connections.
async fn bulk(address: SocketAddr, framed: bool, connections: usize, down: bool) -> f64 {
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(open(address, framed).await);
    }
    let (began, share) = (Instant::now(), TRANSFER / connections);
    let tasks: Vec<_> = streams
        .into_iter()
        .map(|mut stream| {
            tokio::spawn(async move {
                let mut moved = 0;
                if down {
                    stream.write_all(&pieces(framed, 1)).await.unwrap();
                    let mut buffer = vec![0; 1 << 18];
                    while moved < share {
                        moved += stream.read(&mut buffer).await.unwrap();
                    }
                } else {
                    let piece = pieces(framed, CHUNK).repeat(16);
                    while moved < share {
                        stream.write_all(&piece).await.unwrap();
                        moved += 16 * CHUNK;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    TRANSFER as f64 / 1e6 / began.elapsed().as_secs_f64()
}

async fn handshakes(address: SocketAddr, users: u32, count: u32) -> (f64, Duration) {
    let (began, mut times) = (Instant::now(), Vec::new());
    for number in 0..count {
        let one = Instant::now();
        drop(Client::connect(address, &secret((number * 7_919) % users)).await.unwrap());
        times.push(one.elapsed());
    }
    times.sort_unstable();
    (f64::from(count) / began.elapsed().as_secs_f64(), times[times.len() / 2])
}

async fn reload(path: &Path, port: u16, metrics: u16, centre: SocketAddr, users: u32) -> Duration {
    let reloads = async || {
        let mut stream = TcpStream::connect(("127.0.0.1", metrics)).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await.unwrap();
        let mut text = vec![0; 6_000];
        let _ = stream.read_exact(&mut text).await;
        String::from_utf8_lossy(&text)
            .lines()
            .find(|line| line.starts_with("mtproxy_config_reloads_total"))
            .unwrap()
            .to_owned()
    };
    let before = reloads().await;
    write_config(path, port, metrics, centre, users);
    let began = Instant::now();
    while reloads().await == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    began.elapsed()
}

async fn measure() {
    let directory = tempfile::TempDir::new().unwrap();
    let path: PathBuf = directory.path().join("config.toml");
    let (port, metrics, relay_port) = (free_port(), free_port(), free_port());
    let (framed_centre, raw_centre) = (centre(false).await, centre(true).await);
    write_config(&path, port, metrics, framed_centre, 10);
    let proxy = Server::start(port, &["proxy", path.to_str().unwrap()]).await;
    let relay = Server::start(relay_port, &["relay", &relay_port.to_string(), &raw_centre.to_string()]).await;
    for (connections, down) in [(1, true), (1, false), (64, true), (64, false)] {
        let plain = bulk(relay.1, false, connections, down).await;
        let ours = bulk(proxy.1, true, connections, down).await;
        let way = if down { "down" } else { "up" };
        println!(
            "bulk {way} over {connections}: {ours:.0} MB/s, plain relay {plain:.0} MB/s, ratio {:.2}",
            ours / plain
        );
    }
    let before = proxy.resident();
    let mut idle = Vec::new();
    for _ in 0..5_000 {
        idle.push(open(proxy.1, true).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!("idle connection: {} bytes", (proxy.resident().saturating_sub(before)) / 5_000);
    drop(idle);
    for users in [10, 1_000, 10_000, 100_000] {
        let took = reload(&path, port, metrics, framed_centre, users).await;
        let (rate, quiet) = handshakes(proxy.1, users, 300).await;
        println!("{users} users: reload {took:.0?}, {rate:.0} handshakes/s one after the other, median {quiet:.2?}");
        if users <= 10_000 {
            for pause in [20, 5] {
                let storm = tokio::spawn(storm(proxy.1, Duration::from_millis(pause)));
                let (_, median) = handshakes(proxy.1, users, 300).await;
                storm.abort();
                let ratio = median.as_secs_f64() / quiet.as_secs_f64();
                println!("  a stranger every {pause} ms: median {median:.2?}, ratio {ratio:.2}");
            }
        }
    }
}

async fn storm(address: SocketAddr, pause: Duration) {
    let mut ticks = tokio::time::interval(pause);
    loop {
        ticks.tick().await;
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.ok()?;
            stream.write_all(&hello(&random(), "mask.example", 400, unix_time())).await.ok()?;
            stream.read(&mut [0]).await.ok()
        });
    }
}

async fn plain_relay(port: u16, target: SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    while let Ok((mut client, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut target = TcpStream::connect(target).await.ok()?;
            tokio::io::copy_bidirectional_with_sizes(&mut client, &mut target, 65_536, 65_536).await.ok()
        });
    }
}

#[tokio::main]
async fn main() {
    let _ = init;
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("proxy") => mtpannel_proxy::run(Path::new(&arguments[2]), CancellationToken::new()).await.unwrap(),
        Some("relay") => plain_relay(arguments[2].parse().unwrap(), arguments[3].parse().unwrap()).await,
        _ => measure().await,
    }
}
