//! A masked site that leads back to the proxy through another address.

use std::net::SocketAddr;
use std::time::Duration;

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::client::{hello, unix_time};
use crate::peers::{ALICE, World, users};

/// What a router on the way back to the proxy says about the connection in a PROXY header.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Tells {
    BothEnds,
    OtherEnds,
    Nothing,
}

/// Starts a router that has the address of the masked site and passes everything on to the proxy.
async fn router(proxy: oneshot::Receiver<SocketAddr>, tells: Tells) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let proxy = proxy.await.unwrap();
        while let Ok((mut near, peer)) = listener.accept().await {
            let source = if tells == Tells::BothEnds { peer } else { "192.0.2.1:4000".parse().unwrap() };
            tokio::spawn(async move {
                let mut far = TcpStream::connect(proxy).await.unwrap();
                let line = format!("PROXY TCP4 {} 127.0.0.1 {} {}\r\n", source.ip(), source.port(), address.port());
                if tells != Tells::Nothing {
                    far.write_all(line.as_bytes()).await.unwrap();
                }
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    address
}

/// The number of connections that the proxy has accepted.
async fn connections(world: &World) -> usize {
    let text = world.metrics().await;
    let line = text.lines().find_map(|line| line.strip_prefix("telemt_connections_total ")).unwrap();
    line.parse().unwrap()
}

#[rstest]
#[case::a_hello_when_both_ends_are_told(Tells::BothEnds, true)]
#[case::a_hello_when_a_router_hides_the_ends(Tells::OtherEnds, true)]
#[case::a_hello_through_a_plain_relay(Tells::Nothing, true)]
#[case::http_through_a_plain_relay(Tells::Nothing, false)]
#[case::http_when_a_router_hides_the_ends(Tells::OtherEnds, false)]
#[tokio::test]
async fn a_loop_ends_after_a_few_rounds(#[case] tells: Tells, #[case] speaks_tls: bool) {
    let (tell, told) = oneshot::channel();
    let site = router(told, tells).await;
    let proxied = tells != Tells::Nothing;
    let world =
        World::with_site(site, &format!("[server]\nproxy_protocol = {proxied}"), &users(&[("alice", ALICE)])).await;
    tell.send(world.address()).unwrap();
    let mut visitor = TcpStream::connect(world.address()).await.unwrap();
    if proxied {
        visitor.write_all(b"PROXY TCP4 192.0.2.9 127.0.0.1 1 2\r\n").await.unwrap();
    }
    if speaks_tls {
        visitor.write_all(&hello(&[9; 16], "mask.example", 0, unix_time())).await.unwrap();
    } else {
        visitor.write_all(b"GET / HTTP/1.1\r\nHost: mask.example\r\n\r\n").await.unwrap();
    }
    let ended = timeout(Duration::from_secs(20), visitor.read(&mut [0])).await.expect("the loop ends");
    assert!(matches!(ended, Ok(0) | Err(_)));
    let rounds = connections(&world).await;
    if tells == Tells::BothEnds {
        assert_eq!(rounds, 2);
    }
    assert!(rounds < 50, "{rounds} rounds");
    assert!(world.metrics().await.contains("class=\"own_relay\""));
}

#[tokio::test]
async fn visitors_are_not_relayed_to_a_site_that_was_a_loop() {
    let (tell, told) = oneshot::channel();
    let site = router(told, Tells::Nothing).await;
    let world = World::with_site(site, "", &users(&[("alice", ALICE)])).await;
    tell.send(world.address()).unwrap();
    let mut before = 0;
    for first in [true, false, false] {
        let mut visitor = TcpStream::connect(world.address()).await.unwrap();
        visitor.write_all(b"GET / HTTP/1.1\r\nHost: mask.example\r\n\r\n").await.unwrap();
        let ended = timeout(Duration::from_secs(20), visitor.read(&mut [0])).await.expect("the loop ends");
        assert!(matches!(ended, Ok(0) | Err(_)));
        let now = connections(&world).await;
        assert!(first || now == before + 1);
        before = now;
    }
}
