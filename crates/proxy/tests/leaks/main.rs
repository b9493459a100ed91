//! Connections that were closed leave nothing behind. This is a program of its own, because it counts what its process
//! holds.
#![allow(clippy::unwrap_used, reason = "tests may")]

#[path = "../it/client.rs"]
#[allow(dead_code, reason = "shared")]
mod client;
#[path = "../it/peers.rs"]
#[allow(dead_code, reason = "shared")]
mod peers;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use client::{Client, hello, random, unix_time};
use mtpannel_proxy::wire::application_header;
use peers::{ALICE, World, users};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

const CONNECTIONS: u32 = 24_000;
/// Connections before the first measurement. After them the buffers that are kept for later use exist.
const WARM_UP: u32 = 4_000;
const AT_ONCE: usize = 64;
/// How much memory may grow after the warm-up, in bytes. If each broken connection left a task behind, it would grow
/// eight times as much.
const GROWTH: u64 = 4 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_connections_leave_no_task_no_descriptor_and_no_memory_behind() {
    let access = format!("{}\n[access]\nreplay_check_len = 64\n", users(&[("alice", ALICE)]));
    let world = World::start("", &access).await;
    let (tasks, descriptors) = (alive_tasks(), open_descriptors());
    come_and_go(world.address(), 0..WARM_UP).await;
    until_only(tasks, descriptors).await;
    let memory = resident();
    come_and_go(world.address(), WARM_UP..CONNECTIONS).await;
    until_only(tasks, descriptors).await;
    let grown = resident().saturating_sub(memory);
    println!("{tasks} tasks, {descriptors} descriptors, {memory} bytes; {grown} bytes more at the end");
    assert!(grown < GROWTH, "{grown} bytes more after {CONNECTIONS} connections than after {WARM_UP}");
    world.shows("telemt_user_connections_current{user=\"alice\"} 0").await;
}

async fn come_and_go(proxy: SocketAddr, numbers: std::ops::Range<u32>) {
    let mut going = JoinSet::new();
    for number in numbers {
        if going.len() == AT_ONCE {
            going.join_next().await.unwrap().unwrap();
        }
        going.spawn(async move {
            let stream = connect(proxy, number).await.unwrap();
            if number.is_multiple_of(2) { whole(stream).await.unwrap() } else { broken(stream).await }
        });
    }
    while let Some(gone) = going.join_next().await {
        gone.unwrap();
    }
}

/// Connects from one of several addresses, so that connections that have just ended do not use up the ports.
async fn connect(proxy: SocketAddr, number: u32) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let last = u8::try_from(number % 16).unwrap() + 2;
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0)))?;
    socket.connect(proxy).await
}

/// A client that is served and closes its connection in order.
async fn whole(stream: TcpStream) -> io::Result<()> {
    let mut client = Client::tunnel(stream, &ALICE, 200).await?;
    client.echo(&[7; 1_500]).await?;
    client.stream.shutdown().await?;
    client.closed().await;
    Ok(())
}

/// Sends a part of what a client or a visitor would send, and disappears: at random with or without a reset. Any answer
/// of the proxy is accepted.
async fn broken(mut stream: TcpStream) {
    let [kind, cut, linger]: [u8; 3] = random();
    if linger.is_multiple_of(2) {
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    let part = |bytes: &[u8]| bytes[..bytes.len() * usize::from(cut) / 255].to_vec();
    let _ = match kind % 5 {
        0 => Ok(()),
        1 => stream.write_all(&part(&hello(&ALICE, "mask.example", 200, unix_time()))).await,
        2 => stream.write_all(&hello(&ALICE, "mask.example", 200, unix_time())).await,
        3 => {
            let visitor = hello(&random(), "mask.example", 200, unix_time());
            let sent = stream.write_all(&visitor).await;
            sent.and(stream.read_exact(&mut part(&visitor)).await.map(|_| ()))
        }
        _ => match Client::tunnel(stream, &ALICE, 200).await {
            Ok(mut client) => {
                let record = [&application_header(3_000)[..], &[1; 3_000]].concat();
                client.stream.write_all(&part(&record)).await
            }
            Err(error) => Err(error),
        },
    };
}

fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

/// Waits until there are no more tasks and descriptors than before.
async fn until_only(tasks: usize, descriptors: usize) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let now = (alive_tasks(), open_descriptors());
        if now.0 <= tasks && now.1 <= descriptors {
            return;
        }
        assert!(Instant::now() < end, "(tasks, descriptors) are {now:?}, were {:?}", (tasks, descriptors));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
