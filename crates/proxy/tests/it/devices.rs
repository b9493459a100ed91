//! A device at several addresses counts once if it shows that it is one device.

use std::io;

use rstest::rstest;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::peers::{ALICE, World, users};

const KEY: u64 = 0x00ff_1122_3344_5566;
const OTHER: u64 = 0x0101_0101_0101_0101;
/// The identifier in messages of a key exchange, which have no key.
const NO_KEY: u64 = 0;

const HOME: &str = "TCP4 192.0.2.1 127.0.0.1";
const MOBILE: &str = "TCP6 2001:db8:7::1 ::1";
const ELSEWHERE: &str = "TCP4 192.0.2.77 127.0.0.1";

#[derive(Clone, Copy)]
enum Kind {
    Tls,
    Plain(u8),
}

async fn world() -> World {
    world_of(1).await
}

/// A proxy on which alice may use so many devices.
async fn world_of(devices: u8) -> World {
    let access = format!("{}[access.user_max_unique_ips]\nalice = {devices}\n", users(&[("alice", ALICE)]));
    let modes = "[general.modes]\nclassic = true\nsecure = true\ntls = true\n[server]\nproxy_protocol = true";
    World::start(modes, &access).await
}

/// Connects from `source`, as a PROXY header names it, and sends everything that comes before the client's messages.
async fn connect(world: &World, source: &str, kind: Kind) -> io::Result<Client> {
    let mut stream = TcpStream::connect(world.address()).await?;
    stream.write_all(format!("PROXY {source} 1 2\r\n").as_bytes()).await?;
    match kind {
        Kind::Tls => Client::tunnel(stream, &ALICE, 0).await,
        Kind::Plain(tag) => Client::plain_over(stream, &ALICE, tag, &[1], 2).await,
    }
}

/// A message of 24 bytes with this key.
fn message(kind: Kind, key: u64) -> Vec<u8> {
    let length = match kind {
        Kind::Plain(0xef) => vec![6],
        Kind::Tls | Kind::Plain(_) => vec![24, 0, 0, 0],
    };
    [length, key.to_le_bytes().to_vec(), vec![0xaa; 16]].concat()
}

/// Connects and sends a message; returns the client if it was served.
async fn served(world: &World, source: &str, kind: Kind, key: u64) -> Option<Client> {
    let mut client = connect(world, source, kind).await.ok()?;
    client.echo(&message(kind, key)).await.ok()?;
    Some(client)
}

async fn shows_one_address(world: &World) {
    world.shows("telemt_user_unique_ips_current{user=\"alice\"} 1").await;
}

#[rstest]
#[case::tls(Kind::Tls)]
#[case::abridged(Kind::Plain(0xef))]
#[case::intermediate(Kind::Plain(0xee))]
#[case::padded(Kind::Plain(0xdd))]
#[tokio::test]
async fn a_device_over_ipv4_and_ipv6_counts_once_and_another_one_is_refused(#[case] kind: Kind) {
    let world = world().await;
    let home = served(&world, HOME, kind, KEY).await.expect("the first address");
    let mobile = served(&world, MOBILE, kind, KEY).await.expect("the same device");
    shows_one_address(&world).await;
    world.shows("telemt_user_connections_current{user=\"alice\"} 2").await;
    for key in [OTHER, NO_KEY] {
        assert!(served(&world, ELSEWHERE, kind, key).await.is_none(), "{key:x}");
    }
    world.shows("telemt_handshake_failures_by_class_total{class=\"user_max_unique_ips\"} 2").await;
    drop((home, mobile));
}

#[tokio::test]
async fn a_device_at_two_addresses_below_the_limit_leaves_room_for_a_second_device() {
    let world = world_of(2).await;
    let home = served(&world, HOME, Kind::Tls, KEY).await.unwrap();
    let mobile = served(&world, MOBILE, Kind::Tls, KEY).await.unwrap();
    shows_one_address(&world).await;
    let second = served(&world, ELSEWHERE, Kind::Tls, OTHER).await.expect("the second device");
    assert!(served(&world, "TCP4 192.0.2.78 127.0.0.1", Kind::Tls, OTHER + 1).await.is_none());
    drop((home, mobile, second));
}

#[tokio::test]
async fn a_message_without_a_key_is_refused_before_its_rest_has_arrived() {
    let world = world().await;
    let _home = served(&world, HOME, Kind::Tls, KEY).await.unwrap();
    let mut endless = connect(&world, MOBILE, Kind::Tls).await.unwrap();
    endless.send(&[0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    let begun = std::time::Instant::now();
    endless.closed().await;
    // Sooner than a client that sends nothing.
    assert!(begun.elapsed() < std::time::Duration::from_secs(4));
    world.shows("telemt_handshake_failures_by_class_total{class=\"user_max_unique_ips\"} 1").await;
}

#[tokio::test]
async fn the_key_of_a_device_that_exchanges_keys_first_is_noted_when_it_uses_it() {
    let world = world().await;
    let mut home = served(&world, HOME, Kind::Tls, NO_KEY).await.unwrap();
    assert!(served(&world, MOBILE, Kind::Tls, KEY).await.is_none());
    for key in [NO_KEY, NO_KEY, KEY] {
        home.echo(&message(Kind::Tls, key)).await.unwrap();
    }
    assert!(served(&world, MOBILE, Kind::Tls, KEY).await.is_some());
}

#[rstest]
#[case::tls(Kind::Tls)]
#[case::padded(Kind::Plain(0xdd))]
#[tokio::test]
async fn a_message_sent_byte_by_byte_shows_its_key_and_arrives_whole(#[case] kind: Kind) {
    let world = world().await;
    let _home = served(&world, HOME, kind, KEY).await.unwrap();
    let mut mobile = connect(&world, MOBILE, kind).await.unwrap();
    let message = message(kind, KEY);
    for byte in &message {
        mobile.send(&[*byte]).await.unwrap();
    }
    assert_eq!(mobile.receive(message.len()).await.unwrap(), message);
    mobile.echo(b"and what follows").await.unwrap();
}

#[tokio::test]
async fn a_device_is_counted_until_the_last_of_its_addresses_is_gone() {
    let world = world().await;
    let home = served(&world, HOME, Kind::Tls, KEY).await.unwrap();
    let mobile = served(&world, MOBILE, Kind::Tls, KEY).await.unwrap();
    drop(home);
    world.shows("telemt_user_connections_current{user=\"alice\"} 1").await;
    shows_one_address(&world).await;
    assert!(served(&world, ELSEWHERE, Kind::Tls, OTHER).await.is_none());

    // An address that belongs to the device needs no further proof.
    let mut again = connect(&world, MOBILE, Kind::Tls).await.unwrap();
    again.echo(b"ping").await.unwrap();
    let home = served(&world, HOME, Kind::Tls, KEY).await.unwrap();
    shows_one_address(&world).await;

    drop((mobile, again, home));
    world.shows("telemt_user_connections_current{user=\"alice\"} 0").await;
    assert!(served(&world, ELSEWHERE, Kind::Tls, OTHER).await.is_some());
}

#[tokio::test]
async fn few_connections_may_wait_to_show_their_key_and_only_for_a_short_time() {
    let world = world().await;
    let mut home = served(&world, HOME, Kind::Tls, KEY).await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(connect(&world, ELSEWHERE, Kind::Tls).await.unwrap());
    }
    // The fifth is answered by the masked site.
    assert!(connect(&world, ELSEWHERE, Kind::Tls).await.is_err());
    for client in &mut silent {
        client.closed().await;
    }
    world.shows("telemt_handshake_failures_by_class_total{class=\"user_max_unique_ips\"} 5").await;
    home.echo(b"ping").await.unwrap();
    assert!(served(&world, MOBILE, Kind::Tls, KEY).await.is_some());
}

#[tokio::test]
async fn a_user_who_is_disabled_while_a_connection_shows_its_key_is_not_served_there() {
    let world = world().await;
    let _home = served(&world, HOME, Kind::Tls, KEY).await.unwrap();
    let mut mobile = connect(&world, MOBILE, Kind::Tls).await.unwrap();
    let access = users(&[("alice", ALICE)]);
    world.replace(&format!("{access}[access.user_enabled]\nalice = false\n[access.user_max_unique_ips]\nalice = 1\n"));
    world.shows("mtproxy_config_reloads_total 2").await;
    assert!(mobile.echo(&message(Kind::Tls, KEY)).await.is_err());
}
