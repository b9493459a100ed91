//! Limits of visitors: they see the masked site, and cannot use up the proxy.

use std::net::SocketAddr;
use std::time::Duration;

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::client::{hello, unix_time};
use crate::masking::sees_the_site;
use crate::peers::{ALICE, World, users};

const FIVE_MEBIBYTES: usize = 5 << 20;

#[rstest]
#[case::of_a_visitor(9, true)]
#[case::of_a_valid_hello(9, false)]
#[case::of_a_visitor_forty_times(40, true)]
#[case::of_a_valid_hello_forty_times(40, false)]
#[tokio::test]
async fn every_replay_sees_the_site_while_all_are_open(#[case] times: usize, #[case] of_visitor: bool) {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let sent = hello(&if of_visitor { [9; 16] } else { ALICE }, "mask.example", 0, unix_time());
    if !of_visitor {
        let mut first = TcpStream::connect(world.address()).await.unwrap();
        first.write_all(&sent).await.unwrap();
        first.read_exact(&mut [0; 3]).await.unwrap();
    }
    let mut open = Vec::new();
    for _ in 0..times {
        open.push(sees_the_site(&world, &sent).await);
    }
    for stream in &mut open {
        stream.write_all(b"still").await.unwrap();
        let mut still = [0; 5];
        stream.read_exact(&mut still).await.unwrap();
        assert_eq!(&still, b"still");
    }
}

/// A site that reads everything and sends `length` bytes. It reports how many bytes it has read from each visitor.
async fn site_with(length: usize) -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let (mut read, mut write) = stream.into_split();
                let sending = async {
                    let _ = write.write_all(&vec![7; length]).await;
                    let _ = write.shutdown().await;
                };
                let taking = async {
                    let (mut buffer, mut taken) = (vec![0; 65_536], 0);
                    while let Ok(more @ 1..) = read.read(&mut buffer).await {
                        taken += more;
                    }
                    taken
                };
                let ((), taken) = tokio::join!(sending, taking);
                let _ = tell.send(taken);
            });
        }
    });
    (address, told)
}

/// A proxy with more settings, also of masking.
async fn world(site: SocketAddr, settings: &str, censorship: &str) -> World {
    let base = format!(
        "{settings}\n[server]\n[censorship]\ntls_domain = \"mask.example\"\nmask_host = \"127.0.0.1\"\nmask_port = {}\n{censorship}\n",
        site.port()
    );
    World::with_base(base, &users(&[("alice", ALICE)])).await
}

#[rstest]
#[case::a_page_is_whole("", 4_000_000, 4_000_000)]
#[case::five_mebibytes_are_the_most("", 7_000_000, FIVE_MEBIBYTES)]
#[case::the_file_allows_less("mask_relay_max_bytes = 100_000", 7_000_000, 100_000)]
#[case::the_file_allows_more("mask_relay_max_bytes = 8_000_000", 7_000_000, 7_000_000)]
#[tokio::test]
async fn a_visitor_gets_a_limited_number_of_bytes(
    #[case] censorship: &str,
    #[case] length: usize,
    #[case] expected: usize,
) {
    let (site, _told) = site_with(length).await;
    let world = world(site, "", censorship).await;
    let mut visitor = TcpStream::connect(world.address()).await.unwrap();
    visitor.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut page = Vec::new();
    timeout(Duration::from_mins(1), visitor.read_to_end(&mut page)).await.unwrap().unwrap();
    assert_eq!(page.len(), expected);
}

#[rstest]
#[case("", FIVE_MEBIBYTES)]
#[case("mask_relay_max_bytes = 100_000", 100_000)]
#[tokio::test]
async fn the_site_gets_a_limited_number_of_bytes(#[case] censorship: &str, #[case] expected: usize) {
    let (site, mut told) = site_with(0).await;
    let world = world(site, "", censorship).await;
    let mut visitor = TcpStream::connect(world.address()).await.unwrap();
    let sent = [hello(&[9; 16], "mask.example", 0, unix_time()), vec![5; 7_000_000]].concat();
    let _ = visitor.write_all(&sent).await;
    let _ = visitor.shutdown().await;
    assert_eq!(timeout(Duration::from_mins(1), told.recv()).await.unwrap(), Some(expected));
}

#[tokio::test]
async fn a_visit_ends_when_its_time_is_up_even_if_bytes_move() {
    let site = crate::peers::site().await;
    let world = world(site, "", "mask_relay_timeout_ms = 400").await;
    let mut visitor = sees_the_site(&world, b"GET / HTTP/1.1\r\n\r\n").await;
    let talking = async {
        let mut buffer = [0; 64];
        while visitor.write_all(b"x").await.is_ok() && matches!(visitor.read(&mut buffer).await, Ok(1..)) {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), talking).await.expect("the visit ends");
}

#[tokio::test]
async fn a_silent_visit_ends_after_the_time_of_the_file() {
    let site = crate::peers::site().await;
    let world = world(site, "", "mask_relay_idle_timeout_ms = 200").await;
    let mut visitor = sees_the_site(&world, b"GET / HTTP/1.1\r\n\r\n").await;
    let end = timeout(Duration::from_secs(20), visitor.read(&mut [0])).await.expect("the visit ends");
    assert!(matches!(end, Ok(0) | Err(_)));
}

/// A visitor from this address, after it has seen the site.
async fn visitor_from(world: &World, address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let family = if address.contains(':') { "TCP6" } else { "TCP4" };
    let target = if address.contains(':') { "::1" } else { "127.0.0.1" };
    stream.write_all(format!("PROXY {family} {address} {target} 1000 443\r\n").as_bytes()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut seen = [0; 5];
    stream.read_exact(&mut seen).await.unwrap();
    assert_eq!(&seen, b"site:");
    stream
}

#[rstest]
#[case::of_ipv4("198.51.100.1", "192.0.2.")]
#[case::of_ipv6("2001:db8:1::1", "2001:db8:2::")]
#[case::of_many_networks_of_one_ipv6_owner("2001:db8:1::1", "2001:db8:2:9")]
#[tokio::test]
async fn the_network_with_most_visitors_makes_room_first(#[case] single: &str, #[case] crowd: &str) {
    let settings = "max_connections = 12\nproxy_protocol = true";
    let site = crate::peers::site().await;
    let base = format!(
        "[server]\n{settings}\n[censorship]\ntls_domain = \"mask.example\"\nmask_host = \"127.0.0.1\"\nmask_port = {}\n",
        site.port()
    );
    let world = World::with_base(base, &users(&[("alice", ALICE)])).await;
    let mut first = visitor_from(&world, single).await;
    let mut others = Vec::new();
    for number in 1..20 {
        let address = if crowd.ends_with('9') { format!("{crowd}{number}::1") } else { format!("{crowd}{number}") };
        others.push(visitor_from(&world, &address).await);
    }
    first.write_all(b"still here").await.unwrap();
    let mut answer = vec![0; 18 + 10];
    first.read_exact(&mut answer).await.unwrap();
    assert!(answer.ends_with(b"still here"));
}
