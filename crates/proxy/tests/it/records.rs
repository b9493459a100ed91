//! The records that a client gets have the lengths of those of a TLS 1.3 server.

use rstest::rstest;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::peers::{ALICE, World, users};

/// Reads records until they hold `payload` bytes, and returns their lengths.
async fn lengths(stream: &mut TcpStream, payload: usize) -> Vec<usize> {
    let mut lengths = Vec::new();
    while lengths.iter().sum::<usize>() < payload {
        let mut head = [0; 5];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(head[..3], [0x17, 3, 3]);
        let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        lengths.push(length);
    }
    lengths
}

/// Sends payload, and returns the lengths of the records in which it comes back.
async fn echoed(client: &mut Client, payload: &[u8]) -> Vec<usize> {
    let sent = payload.len();
    client.send(payload).await.unwrap();
    lengths(&mut client.stream, sent).await
}

fn check_lengths(lengths: &[usize]) {
    assert!(lengths.iter().all(|&length| (17..=16_640).contains(&length)), "{lengths:?}");
    assert!(!lengths.windows(2).any(|pair| pair == [16_384, 16_384]), "{lengths:?}");
}

#[tokio::test]
async fn records_grow_from_a_segment_to_their_full_length_as_tls_allows() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let mut alice = Client::connect(world.address(), &ALICE).await.unwrap();
    let mut all = Vec::new();
    for _ in 0..20 {
        all.extend(echoed(&mut alice, &vec![7; 100_003]).await);
    }
    check_lengths(&all);
    let longest = |from: usize, to: usize| all[from..to].iter().copied().max().unwrap();
    assert!(longest(0, 30) <= 1_400, "{all:?}");
    assert!((1_401..=4_300).contains(&longest(45, 75)), "{all:?}");
    assert!(longest(85, all.len()) > 4_300, "{all:?}");
}

#[rstest]
#[case(&[1_386, 1])]
#[case(&[1_386, 16])]
#[case(&[2 * 1_386 + 5])]
#[case(&[4, 300])]
#[case(&[1, 1, 1, 30])]
#[case(&[17])]
#[tokio::test]
async fn payload_of_any_length_comes_in_records_as_tls_allows(#[case] pieces: &[usize]) {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let mut alice = Client::connect(world.address(), &ALICE).await.unwrap();
    for &piece in pieces {
        alice.send(&vec![5; piece]).await.unwrap();
    }
    check_lengths(&lengths(&mut alice.stream, pieces.iter().sum()).await);
}

#[tokio::test]
async fn a_few_bytes_arrive_when_nothing_follows_them() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let mut alice = Client::connect(world.address(), &ALICE).await.unwrap();
    for length in [1, 4, 16] {
        alice.echo(&vec![3; length]).await.unwrap();
    }
}

#[tokio::test]
async fn the_first_record_is_as_tls_allows_whatever_length_the_file_sets() {
    for asked in [0, 1, 16] {
        let world = World::start("", &users(&[("alice", ALICE)])).await;
        let text = world.text("").replace("tls_domain", &format!("fake_cert_len = {asked}\ntls_domain"));
        let text = text.replace("port = 0\nlisten_addr_ipv4 = \"127.0.0.1\"\nmetrics_listen = \"127.0.0.1:0\"", "");
        let world = World::with_base(text, &users(&[("alice", ALICE)])).await;
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        let hello = crate::client::hello(&ALICE, "mask.example", 0, crate::client::unix_time());
        tokio::io::AsyncWriteExt::write_all(&mut stream, &hello).await.unwrap();
        let mut answer = [0; 127 + 6 + 5];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer[127..136], [0x14, 3, 3, 0, 1, 1, 0x17, 3, 3]);
        assert!(u16::from_be_bytes([answer[136], answer[137]]) >= 17);
    }
}
