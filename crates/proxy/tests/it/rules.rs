//! Restrictions in the file: each is applied or reported as a warning.

use rstest::rstest;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::peers::{ALICE, BOB, World, users};

/// A client of alice from `source`, after its first answer.
async fn from(world: &World, family: &str, source: &str) -> std::io::Result<Client> {
    let target = if family == "TCP4" { "127.0.0.1" } else { "::1" };
    let mut stream = TcpStream::connect(world.address()).await?;
    stream.write_all(format!("PROXY {family} {source} {target} 1 2\r\n").as_bytes()).await?;
    let mut client = Client::tunnel(stream, &ALICE, 0).await?;
    client.echo(b"ping").await?;
    Ok(client)
}

fn denied(list: &str) -> String {
    format!("{}[access.user_source_deny]\nalice = {list}\n", users(&[("alice", ALICE), ("bob", BOB)]))
}

#[rstest]
#[case::network("[\"192.0.2.0/24\"]", "TCP4", "192.0.2.9", false)]
#[case::with_host_bits("[\"192.0.2.77/24\"]", "TCP4", "192.0.2.9", false)]
#[case::one_address("[\"192.0.2.9\"]", "TCP4", "192.0.2.9", false)]
#[case::written_as_ipv6("[\"192.0.2.0/24\"]", "TCP6", "::ffff:192.0.2.9", false)]
#[case::ipv6("[\"198.51.100.0/24\", \"2001:db8::/32\"]", "TCP6", "2001:db8::9", false)]
#[case::everything("[\"0.0.0.0/0\"]", "TCP4", "198.51.100.1", false)]
#[case::elsewhere("[\"192.0.2.0/24\"]", "TCP4", "192.0.3.9", true)]
#[case::empty("[]", "TCP4", "192.0.2.9", true)]
#[tokio::test]
async fn a_source_that_is_denied_to_a_user_is_not_served(
    #[case] list: &str,
    #[case] family: &str,
    #[case] source: &str,
    #[case] served: bool,
) {
    let world = World::start("[server]\nproxy_protocol = true", &denied(list)).await;
    assert_eq!(from(&world, family, source).await.is_ok(), served);
    let metrics = world.metrics().await;
    let refused = "telemt_handshake_failures_by_class_total{class=\"user_source_deny\"} 1\n";
    assert_eq!(metrics.contains(refused), !served, "{metrics}");
}

#[tokio::test]
async fn a_source_that_is_denied_later_is_cut_off_and_others_are_not() {
    let world = World::start("[server]\nproxy_protocol = true", &denied("[]")).await;
    let mut there = from(&world, "TCP4", "192.0.2.9").await.unwrap();
    let mut elsewhere = from(&world, "TCP4", "198.51.100.9").await.unwrap();
    world.replace(&denied("[\"192.0.2.0/24\"]"));
    there.closed().await;
    elsewhere.echo(b"pong").await.unwrap();
    assert!(from(&world, "TCP4", "192.0.2.9").await.is_err());
    world.replace(&denied("[]"));
    world.shows("mtproxy_config_reloads_total 3").await;
    from(&world, "TCP4", "192.0.2.9").await.unwrap();
}

#[rstest]
#[case("[access.user_rate_limits]\nalice = { up_bps = 1000, down_bps = 0 }", "access.user_rate_limits")]
#[case("[access.cidr_rate_limits]\n\"*4/32\" = { up_bps = 1 }", "access.cidr_rate_limits")]
#[case("[access]\nuser_max_unique_ips_mode = \"time_window\"", "access.user_max_unique_ips_mode")]
#[case("[[upstreams]]\ntype = \"direct\"\nscopes = \"me\"", "upstreams.scopes")]
#[case("[[upstreams]]\ntype = \"direct\"\ninterface = \"wg0\"", "upstreams.interface")]
#[case("[[upstreams]]\ntype = \"direct\"\nforce_bind = \"wg0\"", "upstreams.bindtodevice")]
#[case("[[upstreams]]\ntype = \"direct\"\nipv6 = false", "upstreams.ipv6")]
#[tokio::test]
async fn a_restriction_that_is_not_applied_is_a_warning_at_the_start_and_after_a_reload(
    #[case] rule: &str,
    #[case] name: &str,
) {
    let warning = format!("mtproxy_warning{{code=\"rule_ignored\",subject=\"{name}\"}} 1");
    let users = users(&[("alice", ALICE)]);
    let world = World::start("", &users).await;
    assert!(!world.metrics().await.contains("mtproxy_warning{"));
    world.replace(&format!("{users}{rule}\n"));
    world.shows(&warning).await;
    world.replace(&users);
    world.shows("mtproxy_config_reloads_total 3").await;
    assert!(!world.metrics().await.contains("mtproxy_warning{"));
    let world = World::start("", &format!("{users}{rule}\n")).await;
    world.shows(&warning).await;
}

#[rstest]
#[case("[access.user_rate_limits]")]
#[case("[access.cidr_rate_limits]")]
#[case("[access]\nuser_max_unique_ips_mode = \"active_window\"")]
#[case("[[upstreams]]\ntype = \"direct\"\nscopes = \"\"\ninterface = \"\"\nipv4 = true")]
#[tokio::test]
async fn a_rule_that_restricts_nothing_is_no_warning(#[case] rule: &str) {
    let world = World::start("", &format!("{}{rule}\n", users(&[("alice", ALICE)]))).await;
    assert!(!world.metrics().await.contains("mtproxy_warning{"));
}

#[tokio::test]
async fn addresses_of_one_ipv6_network_count_once() {
    let access = format!("{}[access.user_max_unique_ips]\nalice = 1\n", users(&[("alice", ALICE)]));
    let world = World::start("[server]\nproxy_protocol = true", &access).await;
    let first = from(&world, "TCP6", "2001:db8::1").await.unwrap();
    let privacy = from(&world, "TCP6", "2001:db8::cafe:1").await.unwrap();
    assert!(from(&world, "TCP6", "2001:db8:0:1::1").await.is_err());
    assert!(from(&world, "TCP4", "192.0.2.1").await.is_err());
    world.shows("telemt_user_unique_ips_current{user=\"alice\"} 1").await;
    drop(first);
    // The connection that is left still counts for the network.
    world.shows("telemt_user_connections_current{user=\"alice\"} 1").await;
    assert!(from(&world, "TCP6", "2001:db8:0:1::1").await.is_err());
    drop(privacy);
    world.shows("telemt_user_connections_current{user=\"alice\"} 0").await;
    from(&world, "TCP6", "2001:db8:0:1::1").await.unwrap();
}

/// Makes the kernel drop all packets to a client, as if its network were gone.
fn vanish(client: &Client) {
    let drop_all = [socket2::SockFilter::new(0x06, 0, 0, 0)];
    socket2::SockRef::from(&client.stream).attach_filter(&drop_all).unwrap();
}

/// Whether a client from `source` is served within 20 s.
async fn admitted_in_the_end(address: std::net::SocketAddr, source: [u8; 4]) -> bool {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::time::Instant::now() < end {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((source, 0).into()).unwrap();
        let stream = socket.connect(address).await.unwrap();
        if let Ok(mut client) = Client::tunnel(stream, &ALICE, 0).await {
            return client.echo(b"ping").await.is_ok();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    false
}

#[rstest]
#[case::idle(false)]
#[case::with_bytes_under_way(true)]
#[tokio::test]
async fn an_address_that_does_not_answer_any_more_is_given_up_for_a_new_one(#[case] sends: bool) {
    let access = format!("{}[access.user_max_unique_ips]\nalice = 1\n", users(&[("alice", ALICE)]));
    let world = World::start("[timeouts]\nclient_keepalive = 1\nclient_ack = 600", &access).await;
    let mut gone = Client::connect(world.address(), &ALICE).await.unwrap();
    gone.echo(b"ping").await.unwrap();
    vanish(&gone);
    if sends {
        // The answer is not acknowledged.
        gone.send(b"ping").await.unwrap();
    }
    assert!(admitted_in_the_end(world.address(), [127, 0, 0, 2]).await);
    world.shows("telemt_user_connections_total{user=\"alice\"} 2").await;
}

#[tokio::test]
async fn an_address_that_still_answers_is_not_given_up() {
    let access = format!("{}[access.user_max_unique_ips]\nalice = 1\n", users(&[("alice", ALICE)]));
    let world = World::start("[timeouts]\nclient_keepalive = 1", &access).await;
    let mut here = Client::connect(world.address(), &ALICE).await.unwrap();
    here.echo(b"ping").await.unwrap();
    // Idle for more than one keep-alive, like a phone that is not in use.
    let end = std::time::Instant::now() + std::time::Duration::from_millis(2_500);
    while std::time::Instant::now() < end {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 2], 0).into()).unwrap();
        let stream = socket.connect(world.address()).await.unwrap();
        assert!(Client::tunnel(stream, &ALICE, 0).await.is_err());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    here.echo(b"pong").await.unwrap();
}
