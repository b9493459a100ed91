//! Hellos that tools against censorship have split into records, and hellos with unusual extensions.

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, extension, hello, hello_ending, key_share, server_name, unix_time, vector16};
use crate::masking::sees_the_site;
use crate::peers::{ALICE, World, users};

/// Splits the body of a record into several records, at each of these offsets in the body.
fn cut(record: &[u8], offsets: impl IntoIterator<Item = usize>) -> Vec<Vec<u8>> {
    let (head, body) = record.split_at(5);
    let mut from = 0;
    let ends = offsets.into_iter().chain([body.len()]);
    let records = ends.map(|end| {
        let piece = [&head[..3], &vector16(&body[from..end])].concat();
        from = end;
        piece
    });
    records.collect()
}

/// Sends pieces, each in a TCP segment of its own; returns whether the answer is that to a valid hello.
async fn is_served(world: &World, pieces: &[Vec<u8>]) -> bool {
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut head = [0; 3];
    stream.read_exact(&mut head).await.unwrap();
    head == [0x16, 3, 3]
}

#[tokio::test]
async fn a_valid_hello_in_two_records_is_served_wherever_it_is_cut() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let length = hello(&ALICE, "mask.example", 100, unix_time()).len() - 5;
    for offset in 1..length {
        let pieces = cut(&hello(&ALICE, "mask.example", 100, unix_time()), [offset]);
        // One segment for each record, or one for all.
        let pieces = if offset % 2 == 0 { pieces } else { vec![pieces.concat()] };
        assert!(is_served(&world, &pieces).await, "cut at {offset}");
    }
    world.shows("telemt_connections_bad_total 0").await;
}

#[tokio::test]
async fn a_valid_hello_in_many_records_and_any_segments_is_served() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    for (padding, size) in [(100, 1), (100, 7), (300, 100), (1_500, 1), (1_500, 600), (15_000, 1_000)] {
        let whole = hello(&ALICE, "mask.example", padding, unix_time());
        let records = cut(&whole, (size..whole.len() - 5).step_by(size));
        assert!(is_served(&world, &[records.concat()]).await, "{padding} {size}");
        let whole = hello(&ALICE, "mask.example", padding, unix_time());
        let records = cut(&whole, (size..whole.len() - 5).step_by(size)).concat();
        // Segments that end at other offsets than the records.
        let segments: Vec<Vec<u8>> = records.chunks(size + 3).take(200).map(<[u8]>::to_vec).collect();
        let rest = records[segments.concat().len()..].to_vec();
        assert!(is_served(&world, &[segments, vec![rest]].concat()).await, "{padding} {size}");
    }
}

#[tokio::test]
async fn a_valid_client_behind_a_tool_that_splits_hellos_is_served_and_counted() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let proxy = world.address();
    for offsets in [vec![1], vec![6, 40], vec![73, 74, 75], (1..200).collect()] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tool = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut far = TcpStream::connect(proxy).await.unwrap();
            let mut record = vec![0; 5];
            near.read_exact(&mut record).await.unwrap();
            record.resize(5 + usize::from(u16::from_be_bytes([record[3], record[4]])), 0);
            near.read_exact(&mut record[5..]).await.unwrap();
            far.write_all(&cut(&record, offsets).concat()).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        });
        let stream = TcpStream::connect(tool).await.unwrap();
        Client::tunnel(stream, &ALICE, 300).await.unwrap().echo(&vec![7; 50_000]).await.unwrap();
    }
    world.shows("telemt_user_octets_from_client{user=\"alice\"} 200000").await;
}

fn tail(extensions: &[Vec<u8>]) -> Vec<u8> {
    vector16(&extensions.concat())
}

#[rstest]
#[case::without_a_name(tail(&[key_share(), extension(21, &[0; 50])]))]
#[case::with_an_empty_name(tail(&[extension(0, &[]), key_share()]))]
#[case::with_a_name_that_is_no_text(tail(&[extension(0, &[0, 5, 0, 0, 2, 0xff, 0xfe]), key_share()]))]
#[case::with_bytes_after_the_extensions([tail(&[server_name("mask.example"), key_share()]), vec![9; 30]].concat())]
#[case::with_half_an_extension_at_the_end(tail(&[server_name("mask.example"), key_share(), vec![0, 21, 1, 0, 0]]))]
#[case::with_one_byte_at_the_end(tail(&[server_name("mask.example"), key_share(), vec![0]]))]
#[case::with_more_extensions_announced_than_there_are({
    let mut tail = tail(&[server_name("mask.example"), key_share()]);
    tail[1] += 9;
    tail
})]
#[case::with_stray_bytes_in_a_key_share(tail(&[
    server_name("mask.example"),
    extension(51, &vector16(&[&[0, 0x1d, 0, 32][..], &[7; 32], &[1, 2, 3]].concat())),
]))]
#[tokio::test]
async fn an_unusual_hello_is_served_if_valid_and_otherwise_sees_the_site(#[case] tail: Vec<u8>) {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    assert!(is_served(&world, &[hello_ending(&ALICE, &tail, unix_time())]).await);
    let right = hello_ending(&ALICE, &tail, unix_time());
    assert!(is_served(&world, &cut(&right, [60])).await);
    sees_the_site(&world, &hello_ending(&[9; 16], &tail, unix_time())).await;
    sees_the_site(&world, &cut(&hello_ending(&[9; 16], &tail, unix_time()), [60]).concat()).await;
}

#[rstest]
#[case("drop")]
#[case("reject_handshake")]
#[case("accept")]
#[tokio::test]
async fn a_hello_without_a_server_name_is_served_or_sees_the_site_whatever_unknown_names_get(#[case] action: &str) {
    let centre_and_site = World::start("", &users(&[("alice", ALICE)])).await;
    let base =
        centre_and_site.text("").replace("tls_domain", &format!("unknown_sni_action = \"{action}\"\ntls_domain"));
    drop(centre_and_site);
    let world = World::with_base(
        base.replace("port = 0\nlisten_addr_ipv4 = \"127.0.0.1\"\nmetrics_listen = \"127.0.0.1:0\"", ""),
        &users(&[("alice", ALICE)]),
    )
    .await;
    let tail = tail(&[key_share()]);
    assert!(is_served(&world, &[hello_ending(&ALICE, &tail, unix_time())]).await);
    sees_the_site(&world, &hello_ending(&[9; 16], &tail, unix_time())).await;
}

#[tokio::test]
async fn hellos_of_visitors_in_several_records_reach_the_site_byte_for_byte() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let visitor = hello(&[9; 16], "mask.example", 100, unix_time());
    for offsets in [vec![1], vec![5, 40], (1..150).collect()] {
        sees_the_site(&world, &cut(&visitor, offsets).concat()).await;
    }
    let other = hello(&ALICE, "other.example", 100, unix_time());
    sees_the_site(&world, &cut(&other, [9]).concat()).await;
    // What no client sends is passed on at once: an empty record, another message, and a message too long for a record.
    sees_the_site(&world, &[0x16, 3, 1, 0, 0]).await;
    sees_the_site(&world, &[0x16, 3, 1, 0, 4, 2, 0, 0, 40]).await;
    sees_the_site(&world, &[0x16, 3, 1, 0, 4, 1, 1, 0, 0]).await;
    // A second record of another kind.
    sees_the_site(&world, &[&cut(&visitor, [60])[0][..], &[0x17, 3, 1, 0, 1, 0]].concat()).await;
}
