//! Clients without TLS are served whatever their random first bytes are, and visitors with the same first bytes see the
//! site.

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::peers::{ALICE, World, users};

const PLAIN: &str = "general.modes = { classic = true, secure = true, tls = false }";
const ALL: &str = "general.modes = { classic = true, secure = true, tls = true }";

#[rstest]
#[case::abridged(&[0xef])]
#[case::head(b"HEAD")]
#[case::post(b"POST")]
#[case::get(b"GET ")]
#[case::options(b"OPTI")]
#[case::intermediate(&[0xee; 4])]
#[case::padded(&[0xdd; 4])]
#[case::tls(&[0x16, 3, 1, 2])]
#[case::second_word_zero(&[7, 7, 7, 7, 0, 0, 0, 0])]
#[tokio::test]
async fn a_client_without_tls_is_served_whatever_its_first_bytes_are(#[case] first: &[u8]) {
    for modes in [PLAIN, ALL] {
        let world = World::start(modes, &users(&[("alice", ALICE)])).await;
        for tag in [0xef, 0xdd] {
            let mut alice = Client::plain_beginning(world.address(), &ALICE, tag, first).await.unwrap();
            alice.echo(b"0123456789").await.unwrap();
        }
    }
}

#[rstest]
#[case::short(b"GET / HTTP/1.1\r\n\r\n".to_vec())]
#[case::long([&b"GET / HTTP/1.1\r\nHost: mask.example\r\nX: "[..], &[b'x'; 200], b"\r\n\r\n"].concat())]
#[case::other_verb(b"HEAD / HTTP/1.1\r\n\r\n".to_vec())]
#[tokio::test]
async fn a_visitor_with_such_an_opening_sees_the_site(#[case] sent: Vec<u8>) {
    for modes in [PLAIN, ALL] {
        let world = World::start(modes, &users(&[("alice", ALICE)])).await;
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        stream.write_all(&sent).await.unwrap();
        let mut received = vec![0; 5 + sent.len()];
        stream.read_exact(&mut received).await.unwrap();
        assert_eq!(received[..5], *b"site:");
        assert!(received[5..] == sent);
        world.shows("telemt_handshake_timeouts_total 0").await;
    }
}
