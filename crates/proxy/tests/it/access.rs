//! Changes to users in the file take effect at once.

use std::time::{Duration, Instant};

use rstest::rstest;

use crate::client::Client;
use crate::peers::{ALICE, BOB, World, users};

/// Longest time from the rename of the file to the end of a connection.
const AT_ONCE: Duration = Duration::from_millis(200);
/// Number of attempts, odd. A busy machine may delay one attempt, but not most of them.
const ATTEMPTS: usize = 3;

/// Checks that most attempts took less than [`AT_ONCE`].
async fn at_once(attempt: impl AsyncFn() -> Duration) {
    let mut times = Vec::new();
    for _ in 0..ATTEMPTS {
        times.push(attempt().await);
    }
    times.sort_unstable();
    assert!(times[ATTEMPTS / 2] < AT_ONCE, "{times:?}");
}

async fn both() -> (World, Client, Client) {
    let world = World::start("", &users(&[("alice", ALICE), ("bob", BOB)])).await;
    let mut alice = Client::connect(world.address(), &ALICE).await.unwrap();
    let mut bob = Client::connect(world.address(), &BOB).await.unwrap();
    alice.echo(b"ping").await.unwrap();
    bob.echo(b"ping").await.unwrap();
    (world, alice, bob)
}

#[rstest]
#[case::removed(users(&[("bob", BOB)]))]
#[case::new_secret(users(&[("alice", [7; 16]), ("bob", BOB)]))]
#[case::disabled(format!("{}[access.user_enabled]\nalice = false\n", users(&[("alice", ALICE), ("bob", BOB)])))]
#[case::expired(format!("{}[access.user_expirations]\nalice = 2020-01-01T00:00:00Z\n", users(&[("alice", ALICE), ("bob", BOB)])))]
#[case::no_bytes_left(format!("{}[access.user_data_quota]\nalice = 8\n", users(&[("alice", ALICE), ("bob", BOB)])))]
#[tokio::test]
async fn a_revocation_cuts_open_connections_at_once_and_no_others(#[case] access: String) {
    at_once(async || {
        let (world, mut alice, mut bob) = both().await;
        let since = world.replace(&access);
        alice.closed().await;
        let took = since.elapsed();
        bob.echo(b"ping").await.unwrap();
        assert!(Client::connect(world.address(), &ALICE).await.is_err());
        Client::connect(world.address(), &BOB).await.unwrap().echo(b"ping").await.unwrap();
        took
    })
    .await;
}

#[test]
fn a_revocation_does_not_wait_for_blocking_work() {
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    let (release, released) = std::sync::mpsc::channel::<()>();
    runtime.block_on(async {
        let (world, mut alice, mut bob) = both().await;
        let blocked = tokio::task::spawn_blocking(move || released.recv());
        world.replace(&users(&[("bob", BOB)]));
        alice.closed().await;
        bob.echo(b"ping").await.unwrap();
        drop(release);
        assert!(blocked.await.unwrap().is_err());
    });
}

#[tokio::test]
async fn a_connection_is_cut_when_its_user_expires() {
    at_once(async || {
        let (world, mut alice, _bob) = both().await;
        #[expect(clippy::disallowed_methods, reason = "tests need no port")]
        let end = chrono::Utc::now() + chrono::TimeDelta::seconds(1);
        let access = format!(
            "{}[access.user_expirations]\nalice = \"{}\"\n",
            users(&[("alice", ALICE), ("bob", BOB)]),
            end.to_rfc3339()
        );
        world.replace(&access);
        world.shows("mtproxy_config_reloads_total 2").await;
        alice.closed().await;
        #[expect(clippy::disallowed_methods, reason = "tests need no port")]
        let late = chrono::Utc::now() - end;
        assert!(Client::connect(world.address(), &ALICE).await.is_err());
        late.to_std().unwrap()
    })
    .await;
}

#[rstest]
#[case::empty("", "no users in [access.users]; a proxy without users is never meant")]
#[case::no_users("[server]\n", "no users in [access.users]; a proxy without users is never meant")]
#[case::no_toml("[access.users]\nalice = \n", "line 2, column 9: ")]
#[case::bad_secret("[access.users]\nbob = \"11\"\n", "line 2, column 7: a secret must be 32 hex digits in quotes")]
#[tokio::test]
async fn a_file_that_is_refused_changes_nothing_and_is_reported(#[case] text: &str, #[case] error: &str) {
    let (world, mut alice, _bob) = both().await;
    world.replace_all(text);
    world.shows("mtproxy_config_reload_failures_total 1").await;
    let metrics = world.metrics().await;
    assert!(metrics.contains(&format!("mtproxy_config_last_reload_failure_info{{error=\"{error}")), "{metrics}");
    assert!(metrics.contains("mtproxy_config_current 0\n"));
    alice.echo(b"ping").await.unwrap();
    Client::connect(world.address(), &BOB).await.unwrap().echo(b"ping").await.unwrap();
    assert!(Client::connect(world.address(), &[0; 16]).await.is_err());
    world.replace(&users(&[("alice", ALICE)]));
    world.shows("mtproxy_config_current 1").await;
    assert!(Client::connect(world.address(), &BOB).await.is_err());
}

#[tokio::test]
async fn a_new_user_is_served_and_a_file_written_in_place_is_applied() {
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let text = std::fs::read_to_string(world.path()).unwrap();
    std::fs::write(world.path(), format!("{text}\"bob\" = \"{}\"\n", hex::encode(BOB))).unwrap();
    world.shows("mtproxy_config_reloads_total 2").await;
    Client::connect(world.address(), &BOB).await.unwrap().echo(b"ping").await.unwrap();
}

#[tokio::test]
async fn a_quota_cuts_at_its_last_byte_and_a_higher_one_admits_again() {
    let quota = |bytes: u64| format!("{}[access.user_data_quota]\nalice = {bytes}\n", users(&[("alice", ALICE)]));
    let world = World::start("", &quota(100_000)).await;
    let mut alice = Client::connect(world.address(), &ALICE).await.unwrap();
    alice.echo(&vec![1; 40_000]).await.unwrap();
    let _ = alice.send(&vec![2; 30_000]).await;
    alice.closed().await;
    let moved = |metrics: &str| -> u64 {
        let lines = metrics.lines().filter(|line| line.starts_with("telemt_user_octets_"));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    };
    assert_eq!(moved(&world.metrics().await), 100_000);
    assert!(Client::connect(world.address(), &ALICE).await.is_err());
    world.shows("telemt_handshake_failures_by_class_total{class=\"user_quota\"} 1").await;
    world.replace(&quota(100_008));
    world.shows("mtproxy_config_reloads_total 2").await;
    Client::connect(world.address(), &ALICE).await.unwrap().echo(b"ping").await.unwrap();
    assert_eq!(moved(&world.metrics().await), 100_008);
}

#[tokio::test]
async fn connections_are_limited_by_user() {
    let access = format!("{}[access.user_max_tcp_conns]\nalice = 1\n", users(&[("alice", ALICE), ("bob", BOB)]));
    let world = World::start("", &access).await;
    let mut first = Client::connect(world.address(), &ALICE).await.unwrap();
    first.echo(b"ping").await.unwrap();
    assert!(Client::connect(world.address(), &ALICE).await.is_err());
    Client::connect(world.address(), &BOB).await.unwrap().echo(b"ping").await.unwrap();
    drop(first);
    world.shows("telemt_user_connections_current{user=\"alice\"} 0").await;
    Client::connect(world.address(), &ALICE).await.unwrap().echo(b"ping").await.unwrap();
}

#[tokio::test]
async fn connections_that_break_anywhere_leave_nothing_open() {
    use tokio::io::AsyncWriteExt as _;
    let world = World::start("", &users(&[("alice", ALICE)])).await;
    let hello = crate::client::hello(&ALICE, "mask.example", 300, crate::client::unix_time());
    for cut in (0..hello.len()).step_by(17) {
        let mut stream = tokio::net::TcpStream::connect(world.address()).await.unwrap();
        stream.write_all(&hello[..cut]).await.unwrap();
    }
    for cut in 0..50 {
        let mut alice = Client::connect(world.address(), &ALICE).await.unwrap();
        alice.send(&vec![1; cut * 100]).await.unwrap();
    }
    world.shows("telemt_user_connections_current{user=\"alice\"} 0").await;
    let began = Instant::now();
    world.proxy.stop().await;
    assert!(began.elapsed() < Duration::from_secs(4), "connections were left open");
}
