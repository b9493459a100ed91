//! Everyone else sees the masked site.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{hello, unix_time};
use crate::peers::{ALICE, BOB, World, users};

/// Sends bytes, and checks that the site answered and got exactly these.
async fn sees_the_site(world: &World, sent: &[u8]) {
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
}

#[tokio::test]
async fn whoever_is_not_authenticated_sees_the_site_byte_for_byte() {
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
    world.shows("telemt_connections_bad_by_class_total{class=\"unknown_sni\"} 2").await;
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
async fn half_a_hello_and_silence_are_relayed_like_any_visitor() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let hello = hello(&ALICE, "mask.example", 0, unix_time());
    sees_the_site(&world, &hello[..hello.len() / 2]).await;
    sees_the_site(&world, &hello[..3]).await;
}

#[tokio::test]
async fn half_a_hello_and_an_end_are_relayed_too() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.write_all(&[0x16, 3, 1, 2]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, b"site:\x16\x03\x01\x02");
}

#[tokio::test]
async fn other_names_are_dropped_rejected_or_accepted_as_the_file_says() {
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
