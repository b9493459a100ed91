//! Visitors see the masked site.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Client, hello, unix_time};
use crate::peers::{ALICE, BOB, World, quiet_site, users};

/// Sends bytes, and checks that the site has answered and has got exactly these. Returns the connection.
pub(crate) async fn sees_the_site(world: &World, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut received = vec![0; 5 + sent.len()];
    stream.read_exact(&mut received).await.unwrap();
    assert_eq!(received[..5], *b"site:");
    assert!(received[5..] == *sent);
    stream.write_all(b"more").await.unwrap();
    let mut more = [0; 4];
    stream.read_exact(&mut more).await.unwrap();
    assert_eq!(&more, b"more");
    stream
}

#[tokio::test]
async fn everybody_without_a_valid_hello_sees_the_site_byte_for_byte() {
    let access = format!("{}[access.user_enabled]\nbob = false\n", users(&[("alice", ALICE), ("bob", BOB)]));
    let world = World::start("", &access).await;
    let now = unix_time();
    sees_the_site(&world, &hello(&[9; 16], "mask.example", 0, now)).await;
    sees_the_site(&world, &hello(&ALICE, "other.example", 0, now)).await;
    sees_the_site(&world, &hello(&ALICE, "mask.example", 0, now - 200)).await;
    sees_the_site(&world, &hello(&ALICE, "mask.example", 0, now + 200)).await;
    sees_the_site(&world, &hello(&BOB, "mask.example", 0, now)).await;
    sees_the_site(&world, b"GET / HTTP/1.1\r\nHost: mask.example\r\n\r\n").await;
    sees_the_site(&world, &[0x16, 3, 1, 0, 60, 1, 0, 0, 56].into_iter().chain([0; 56]).collect::<Vec<_>>()).await;
    world.shows("telemt_connections_bad_by_class_total{class=\"time_skew\"} 2").await;
    world.shows("telemt_connections_bad_by_class_total{class=\"unknown_sni\"} 1").await;
    world.shows("telemt_connections_bad_by_class_total{class=\"no_key_share\"} 1").await;
}

#[tokio::test]
async fn a_replayed_hello_sees_the_site() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let hello = hello(&ALICE, "mask.example", 0, unix_time());
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(&hello).await.unwrap();
    let mut head = [0; 3];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, [0x16, 3, 3]);
    sees_the_site(&world, &hello).await;
    world.shows("telemt_connections_bad_by_class_total{class=\"replay\"} 1").await;
}

#[tokio::test]
async fn half_a_hello_followed_by_silence_is_relayed() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let hello = hello(&ALICE, "mask.example", 0, unix_time());
    sees_the_site(&world, &hello[..hello.len() / 2]).await;
    sees_the_site(&world, &hello[..3]).await;
}

#[tokio::test]
async fn a_valid_client_whose_hello_comes_in_pieces_is_served_after_a_visit_has_begun() {
    let (site, mut visits) = quiet_site().await;
    let world = World::with_site(site, "", &users(&[("alice", ALICE)])).await;
    let hello = hello(&ALICE, "mask.example", 300, unix_time());
    let mut alice = TcpStream::connect(world.address()).await.unwrap();
    let (mut sent, mut seen) = (0, Vec::new());
    let mut visit = None;
    for piece in hello.chunks(hello.len() / 3 + 1) {
        alice.write_all(piece).await.unwrap();
        sent += piece.len();
        if sent == hello.len() {
            break;
        }
        // The site gets the piece at once, so nothing shows that a proxy waits for more.
        if visit.is_none() {
            visit = Some(visits.recv().await.unwrap());
        }
        seen.resize(sent, 0);
        let got = seen.len() - piece.len();
        visit.as_mut().unwrap().read_exact(&mut seen[got..]).await.unwrap();
        assert_eq!(seen, hello[..sent]);
    }
    let mut head = [0; 3];
    alice.read_exact(&mut head).await.unwrap();
    assert_eq!(head, [0x16, 3, 3]);
    // The visit is closed, and the site does not get the rest.
    assert_eq!(visit.unwrap().read_to_end(&mut seen).await.unwrap(), 0);
    assert!(world.metrics().await.contains("telemt_connections_bad_total 0\n"));
}

#[tokio::test]
async fn a_hello_that_is_too_slow_is_relayed_when_its_time_is_up() {
    let settings = "[timeouts]\nclient_handshake = 1";
    let world = World::start(settings, &users(&[("alice", ALICE)])).await;
    let hello = hello(&ALICE, "mask.example", 600, unix_time());
    let (mut read, mut write) = TcpStream::connect(world.address()).await.unwrap().into_split();
    let dripping = hello.clone();
    let since = std::time::Instant::now();
    let drip = tokio::spawn(async move {
        for byte in dripping {
            write.write_all(&[byte]).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        }
        write
    });
    let mut received = vec![0; 5 + hello.len()];
    read.read_exact(&mut received[..5]).await.unwrap();
    let took = since.elapsed();
    assert_eq!(received[..5], *b"site:");
    assert!(took >= std::time::Duration::from_millis(990), "{took:?}");
    read.read_exact(&mut received[5..]).await.unwrap();
    assert!(received[5..] == hello);
    drop(drip.await);
    world.shows("telemt_connections_bad_by_class_total{class=\"slow\"} 1").await;
}

#[tokio::test]
async fn visitors_make_room_for_clients_and_clients_do_not_for_visitors() {
    let world = World::start("[server]\nmax_connections = 4", &users(&[("alice", ALICE)])).await;
    let mut alice = Client::connect(world.address(), &ALICE).await.unwrap();
    alice.echo(b"ping").await.unwrap();
    let mut visitors = Vec::new();
    for _ in 0..20 {
        visitors.push(TcpStream::connect(world.address()).await.unwrap());
    }
    let mut second = Client::connect(world.address(), &ALICE).await.unwrap();
    second.echo(b"ping").await.unwrap();
    // All but the last one or two were closed.
    for visitor in &mut visitors[..18] {
        assert!(matches!(visitor.read(&mut [0]).await, Ok(0) | Err(_)));
    }
    let mut third = Client::connect(world.address(), &ALICE).await.unwrap();
    third.echo(b"ping").await.unwrap();
    let mut fourth = Client::connect(world.address(), &ALICE).await.unwrap();
    fourth.echo(b"ping").await.unwrap();
    assert!(Client::connect(world.address(), &ALICE).await.is_err());
    world.shows("telemt_handshake_failures_by_class_total{class=\"max_connections\"} 1").await;
    for client in [&mut alice, &mut second, &mut third, &mut fourth] {
        client.echo(b"pong").await.unwrap();
    }
}

#[tokio::test]
async fn half_a_hello_followed_by_an_end_is_relayed_too() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(&[0x16, 3, 1, 2]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, b"site:\x16\x03\x01\x02");
}

#[tokio::test]
async fn unknown_server_names_are_dropped_rejected_or_accepted_as_the_file_says() {
    for (action, expected) in
        [("drop", &[][..]), ("reject_handshake", &[0x15, 3, 3, 0, 2, 2, 112]), ("accept", &[0x16])]
    {
        let base =
            format!("[censorship]\ntls_domain = \"mask.example\"\nmask = false\nunknown_sni_action = \"{action}\"\n");
        let world = World::with_base(base, &users(&[("alice", ALICE)])).await;
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        stream.write_all(&hello(&ALICE, "other.example", 0, unix_time())).await.unwrap();
        let mut received = vec![0; expected.len()];
        stream.read_exact(&mut received).await.unwrap();
        assert_eq!(received, expected, "{action}");
        if action != "accept" {
            assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
        }
    }
}

#[tokio::test]
async fn a_site_that_is_the_proxy_itself_is_not_relayed_to() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = format!(
        "[server]\n[[server.listeners]]\nip = \"127.0.0.1\"\nport = {free}\n[censorship]\ntls_domain = \"mask.example\"\nmask_host = \"127.0.0.1\"\nmask_port = {free}\n"
    );
    let world = World::with_base(base, &users(&[("alice", ALICE)])).await;
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
    world.shows("telemt_connections_total 2").await;
}
