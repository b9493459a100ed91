//! Valid clients are served: transports, PROXY headers, upstreams, metrics, and the end of the proxy.

use std::net::SocketAddr;

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{self, Client};
use crate::peers::{ALICE, BOB, World, data_centre, echoing, users};

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

#[tokio::test]
async fn every_byte_of_a_valid_client_arrives_and_is_counted() {
    let world = World::start("", &users(&[("alice", ALICE), ("bob", BOB)])).await;
    let mut alice = Client::connect(world.address(), &ALICE).await.unwrap();
    alice.echo(&bytes(100_000)).await.unwrap();
    alice.echo(&bytes(1)).await.unwrap();
    world.shows("telemt_user_octets_from_client{user=\"alice\"} 100001").await;
    world.shows("telemt_user_octets_to_client{user=\"alice\"} 100001").await;
    world.shows("telemt_user_connections_current{user=\"alice\"} 1").await;
    world.shows("telemt_user_unique_ips_current{user=\"alice\"} 1").await;
    assert!(!world.metrics().await.contains("telemt_user_octets_to_client{user=\"bob\"}"));
    drop(alice);
    world.shows("telemt_user_connections_current{user=\"alice\"} 0").await;
    world.shows("telemt_connections_bad_total 0").await;
}

#[tokio::test]
async fn a_hello_of_any_length_in_any_pieces_is_accepted() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    for padding in [0, 1_500, 16_000] {
        let stream = TcpStream::connect(world.address()).await.unwrap();
        Client::tunnel(stream, &ALICE, padding).await.unwrap().echo(b"ping").await.unwrap();
    }
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in client::hello(&ALICE, "mask.example", 300, client::unix_time()).chunks(7) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut head = [0; 3];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, [0x16, 3, 3]);
}

#[tokio::test]
async fn plain_transports_are_served_only_where_the_modes_allow_them() {
    let settings =
        |classic, secure| format!("general.modes = {{ classic = {classic}, secure = {secure}, tls = true }}");
    for (classic, secure) in [(true, false), (false, true)] {
        let world = World::start(&settings(classic, secure), &users(&[("alice", ALICE)])).await;
        for (tag, served) in [(0xef, classic), (0xee, classic), (0xdd, secure)] {
            let mut alice = Client::plain(world.address(), &ALICE, tag).await.unwrap();
            assert_eq!(alice.echo(b"0123456789").await.is_ok(), served, "{tag:x}");
        }
        Client::connect(world.address(), &ALICE).await.unwrap().echo(b"ping").await.unwrap();
    }
}

#[tokio::test]
async fn a_proxy_header_is_required_if_it_is_on_and_gives_the_address() {
    let world = World::start("[server]\nproxy_protocol = true", &users(&[("alice", ALICE)])).await;
    assert!(Client::connect(world.address(), &ALICE).await.is_err());
    let mut sessions = Vec::new();
    let v2 = |last: u8| {
        let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
        header.extend([192, 0, 2, last, 127, 0, 0, 1, 0, 1, 0, 2]);
        header
    };
    for header in [v2(1), v2(2), b"PROXY TCP4 192.0.2.2 127.0.0.1 1 2\r\n".to_vec()] {
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        stream.write_all(&header).await.unwrap();
        let mut alice = Client::tunnel(stream, &ALICE, 0).await.unwrap();
        alice.echo(b"ping").await.unwrap();
        sessions.push(alice);
    }
    world.shows("telemt_user_unique_ips_current{user=\"alice\"} 2").await;
    world.shows("telemt_connections_bad_by_class_total{class=\"proxy_header\"} 1").await;
}

#[tokio::test]
async fn a_proxy_header_from_an_untrusted_address_is_refused() {
    let settings = "[server]\nproxy_protocol = true\nproxy_protocol_trusted_cidrs = [\"192.0.2.0/24\"]";
    let world = World::start(settings, &users(&[("alice", ALICE)])).await;
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(b"PROXY TCP4 192.0.2.2 127.0.0.1 1 2\r\n").await.unwrap();
    assert!(Client::tunnel(stream, &ALICE, 0).await.is_err());
}

#[rstest]
#[case::without_password("", None)]
#[case::with_password("username = \"u\"\npassword = \"secret\"\n", Some("\x01\x01u\x06secret"))]
#[tokio::test]
async fn data_centres_are_reached_through_a_socks_server(
    #[case] settings: &str,
    #[case] credentials: Option<&'static str>,
) {
    let socks = socks_server(credentials).await;
    let settings = format!("[[upstreams]]\ntype = \"socks5\"\naddress = \"{socks}\"\n{settings}");
    let world = World::start(&settings, &users(&[("alice", ALICE)])).await;
    Client::connect(world.address(), &ALICE).await.unwrap().echo(&bytes(10_000)).await.unwrap();
    world.shows("telemt_upstream_connect_success_total 1").await;
    world.shows("mtproxy_dc_connects_total{dc=\"2\",result=\"success\"} 1").await;
}

/// Starts a SOCKS5 server (RFC 1928) for one client. It requires these credentials (RFC 1929), if any.
async fn socks_server(credentials: Option<&'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting).await.unwrap();
        let mut methods = vec![0; greeting[1].into()];
        stream.read_exact(&mut methods).await.unwrap();
        let method = if credentials.is_some() { 2 } else { 0 };
        assert!(methods.contains(&method));
        stream.write_all(&[5, method]).await.unwrap();
        if let Some(expected) = credentials {
            let mut given = vec![0; expected.len()];
            stream.read_exact(&mut given).await.unwrap();
            assert_eq!(given, expected.as_bytes());
            stream.write_all(&[1, 0]).await.unwrap();
        }
        let mut request = [0; 10];
        stream.read_exact(&mut request).await.unwrap();
        assert_eq!(request[..4], [5, 1, 0, 1]);
        let ip: [u8; 4] = request[4..8].try_into().unwrap();
        let target = SocketAddr::from((ip, u16::from_be_bytes([request[8], request[9]])));
        let mut target = TcpStream::connect(target).await.unwrap();
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut target).await;
    });
    address
}

#[tokio::test]
async fn an_ipv4_address_counts_once_if_it_is_also_written_as_ipv6() {
    let access = format!("{}[access.user_max_unique_ips]\nalice = 1\n", users(&[("alice", ALICE)]));
    let world = World::start("[server]\nproxy_protocol = true", &access).await;
    let mut sessions = Vec::new();
    for (family, source, served) in [
        ("TCP4", "192.0.2.1", true),
        ("TCP6", "::ffff:192.0.2.1", true),
        ("TCP6", "::ffff:192.0.2.2", false),
        ("TCP4", "192.0.2.2", false),
    ] {
        let target = if family == "TCP4" { "127.0.0.1" } else { "::1" };
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        stream.write_all(format!("PROXY {family} {source} {target} 1 2\r\n").as_bytes()).await.unwrap();
        let client = Client::tunnel(stream, &ALICE, 0).await;
        assert_eq!(client.is_ok(), served, "{source}");
        sessions.push(client);
    }
    world.shows("telemt_user_unique_ips_current{user=\"alice\"} 1").await;
    world.shows("telemt_handshake_failures_by_class_total{class=\"user_max_unique_ips\"} 2").await;
}

#[tokio::test]
async fn another_address_is_tried_when_one_does_not_answer() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let centre = data_centre().await;
    let base = format!(
        "dc_overrides = {{ \"2\" = [\"{closed}\", \"{centre}\"] }}\n[censorship]\ntls_domain = \"mask.example\"\nmask = false\n"
    );
    let world = World::with_base(base, &users(&[("alice", ALICE)])).await;
    for _ in 0..2 {
        Client::connect(world.address(), &ALICE).await.unwrap().echo(b"ping").await.unwrap();
    }
    // The second client has tried the working address first.
    world.shows("telemt_upstream_connect_attempt_total 3").await;
}

#[tokio::test]
async fn clients_of_both_families_reach_a_data_centre_of_one() {
    let centre = echoing(TcpListener::bind("[::1]:0").await.unwrap());
    let base = format!(
        "dc_overrides = {{ \"2\" = \"{centre}\" }}\n[server]\nlisten_addr_ipv6 = \"::1\"\n[censorship]\ntls_domain = \"mask.example\"\nmask = false\n"
    );
    let world = World::with_base(base, &users(&[("alice", ALICE)])).await;
    let addresses = &world.proxy.addresses;
    assert_eq!(addresses.iter().map(SocketAddr::is_ipv6).collect::<Vec<_>>(), [false, true]);
    for &address in addresses {
        Client::connect(address, &ALICE).await.unwrap().echo(&bytes(10_000)).await.unwrap();
    }
    world.shows("telemt_upstream_connect_success_total 2").await;
}

#[tokio::test]
async fn metrics_are_served_several_times_on_one_connection() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let mut stream = TcpStream::connect(world.proxy.metrics_address.unwrap()).await.unwrap();
    for path in ["/metrics", "/metrics", "/other"] {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(stream.read_u8().await.unwrap()));
        }
        assert_eq!(head.starts_with("HTTP/1.1 200"), path == "/metrics", "{head}");
        let length =
            head.to_lowercase().split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().to_owned();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
    }
}

#[tokio::test]
async fn metrics_are_served_during_a_drain_and_hold_the_last_byte_after_it() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let mut alice = Client::connect(world.address(), &ALICE).await.unwrap();
    alice.echo(b"ping").await.unwrap();
    let draining = world.proxy.drain();
    tokio::pin!(draining);
    let during = async {
        // No new connection is accepted, and open ones go on.
        while TcpStream::connect(world.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        alice.echo(&bytes(1_000)).await.unwrap();
        world.shows("telemt_user_octets_to_client{user=\"alice\"} 1004").await;
        alice.echo(b"pong").await.unwrap();
        drop(alice);
    };
    tokio::join!(&mut draining, during);
    world.shows("telemt_user_octets_to_client{user=\"alice\"} 1008").await;
    world.shows("telemt_user_connections_current{user=\"alice\"} 0").await;
}

#[tokio::test]
async fn a_stop_ends_everything() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let address = world.address();
    let mut alice = Client::connect(address, &ALICE).await.unwrap();
    alice.echo(b"ping").await.unwrap();
    let stopping = tokio::spawn(world.proxy.stop());
    alice.closed().await;
    stopping.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
