//! Bulk throughput, and the memory of an idle connection.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mtpannel_proxy::wire::application_header;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bars::{self, verdict};
use crate::client::Client;
use crate::servers::{Proxy, secret};

/// Bytes that are moved for one figure.
const TRANSFER: usize = 1 << 29;
/// Measurements for one figure, which is their median: the speed of a shared machine varies.
const ROUNDS: usize = 5;
const CHUNK: usize = 16_384;
const IDLE: usize = 5_000;

async fn open(address: SocketAddr, framed: bool) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    if framed { Client::tunnel(stream, &secret(0), 400).await.unwrap().stream } else { stream }
}

fn piece(framed: bool, length: usize) -> Vec<u8> {
    let payload = vec![7; length];
    if framed { [&application_header(length)[..], &payload].concat() } else { payload }
}

/// Bytes per second over so many connections: down (the data centre sends) or up (the client sends).
async fn transfer(address: SocketAddr, framed: bool, connections: usize, down: bool) -> f64 {
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(open(address, framed).await);
    }
    let (began, share) = (Instant::now(), TRANSFER / connections);
    let tasks: Vec<_> = streams.into_iter().map(|stream| tokio::spawn(one(stream, framed, share, down))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    TRANSFER as f64 / began.elapsed().as_secs_f64()
}

async fn one(mut stream: TcpStream, framed: bool, share: usize, down: bool) {
    let mut moved = 0;
    if down {
        stream.write_all(&piece(framed, 1)).await.unwrap();
        let mut buffer = vec![0; 1 << 18];
        while moved < share {
            moved += stream.read(&mut buffer).await.unwrap();
        }
    } else {
        let piece = piece(framed, CHUNK).repeat(16);
        while moved < share {
            stream.write_all(&piece).await.unwrap();
            moved += 16 * CHUNK;
        }
    }
}

/// Prints the proxy's speed as a share of the relay's. Measurements of the two alternate, so that both see the same load.
pub(crate) async fn speed(relay: SocketAddr, proxy: SocketAddr) {
    for (connections, down) in [(1, true), (1, false), (64, true), (64, false)] {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let plain = transfer(relay, false, connections, down).await;
            let ours = transfer(proxy, true, connections, down).await;
            rounds.push((ours / plain, ours / 1e6, plain / 1e6));
        }
        rounds.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, ours, plain) = rounds[ROUNDS / 2];
        let (way, least, most) = (if down { "down" } else { "up" }, rounds[0].0, rounds[ROUNDS - 1].0);
        println!(
            "  bulk {way} over {connections}: {ours:.0} MB/s, plain relay {plain:.0} MB/s, \
             ratio {ratio:.2} ({least:.2} to {most:.2}) {}",
            verdict(ratio >= bars::BULK, &format!("at least {}", bars::BULK))
        );
    }
}

/// Prints the memory that an idle connection takes in the proxy.
pub(crate) async fn idle(proxy: &Proxy) {
    let before = proxy.resident();
    let mut open_ones = Vec::new();
    for _ in 0..IDLE {
        open_ones.push(open(proxy.address(), true).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let each = proxy.resident().saturating_sub(before) / IDLE as u64;
    println!("  idle connection: {each} bytes {}", verdict(each < bars::IDLE, &format!("under {}", bars::IDLE)));
}
