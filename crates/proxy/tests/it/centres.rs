//! Data centres: their addresses, how they are reached, and the warnings when they are not.

use std::net::SocketAddr;
use std::time::Duration;

use rstest::rstest;
use tokio::io::AsyncReadExt as _;

use crate::client::Client;
use crate::peers::{ALICE, World, data_centre, users};
use crate::socks::{Answer, Socks};

const MASKED: &str = "[censorship]\ntls_domain = \"mask.example\"\nmask = false\n";

/// A proxy that reaches data centres at their public addresses through `socks`.
async fn world(before: &str, socks: &Socks) -> World {
    World::with_base(format!("{before}\n{MASKED}{}", socks.upstream()), &users(&[("alice", ALICE)])).await
}

#[rstest]
#[case(2, "149.154.167.51:443")]
#[case(-4, "149.154.167.91:443")]
#[case(203, "91.105.192.100:443")]
#[case(-203, "91.105.192.100:443")]
#[case(10_001, "149.154.175.10:443")]
#[case(10_002, "149.154.167.40:443")]
#[case(-10_003, "149.154.175.117:443")]
#[tokio::test]
async fn every_index_that_clients_use_leads_to_its_own_address(#[case] dc: i16, #[case] address: &str) {
    let socks = Socks::start(|_| Answer::Reached).await;
    let world = world("", &socks).await;
    Client::of_centre(world.address(), &ALICE, dc).await.unwrap().echo(b"ping").await.unwrap();
    assert_eq!(socks.asked(), [address.parse().unwrap()]);
    world.shows(&format!("mtproxy_dc_connects_total{{dc=\"{dc}\",result=\"success\"}} 1")).await;
}

#[rstest]
#[case(203, "[2a0a:f280:203:a:5000::100]:443")]
#[case(10_002, "[2001:67c:4e8:f002::e]:443")]
#[case(5, "[2001:b28:f23f:f005::a]:443")]
#[tokio::test]
async fn every_index_has_its_ipv6_address(#[case] dc: i16, #[case] address: &str) {
    let socks = Socks::start(|_| Answer::Reached).await;
    let world = world("network = { prefer = 6 }", &socks).await;
    Client::of_centre(world.address(), &ALICE, dc).await.unwrap().echo(b"ping").await.unwrap();
    assert_eq!(socks.asked(), [address.parse().unwrap()]);
}

#[rstest]
#[case(0)]
#[case(6)]
#[case(-99)]
#[case(10_004)]
#[case(i16::MIN)]
#[tokio::test]
async fn an_unknown_index_is_refused_and_counted(#[case] dc: i16) {
    let socks = Socks::start(|_| Answer::Reached).await;
    let world = world("", &socks).await;
    let mut client = Client::of_centre(world.address(), &ALICE, dc).await.unwrap();
    client.closed().await;
    assert_eq!(socks.asked(), []);
    world.shows("mtproxy_dc_connects_total{dc=\"other\",result=\"refused\"} 1").await;
    world.shows(&format!("mtproxy_warning{{code=\"dc_unknown\",subject=\"{dc}\"}} 1")).await;
    // A known index is served.
    Client::of_centre(world.address(), &ALICE, 1).await.unwrap().echo(b"ping").await.unwrap();
}

#[tokio::test]
async fn an_index_in_the_file_leads_to_the_address_in_the_file() {
    let (own, default) = (data_centre().await, data_centre().await);
    let base = format!("default_dc = 3\ndc_overrides = {{ \"77\" = \"{own}\", \"3\" = \"{default}\" }}\n{MASKED}");
    let world = World::with_base(base, &users(&[("alice", ALICE)])).await;
    for dc in [77, -77, 99] {
        Client::of_centre(world.address(), &ALICE, dc).await.unwrap().echo(b"ping").await.unwrap();
    }
    world.shows("mtproxy_dc_connects_total{dc=\"-77\",result=\"success\"} 1").await;
    world.shows("mtproxy_dc_connects_total{dc=\"other\",result=\"success\"} 1").await;
}

/// Longest wait for a client if one address family does not work. A single attempt may take 10 s.
const SOON: Duration = Duration::from_secs(4);

#[rstest]
#[case::without_ipv4("network = { prefer = 4 }", |target: SocketAddr| if target.is_ipv4() { Answer::Silent } else { Answer::Reached })]
#[case::without_ipv6("network = { prefer = 6 }", |target: SocketAddr| if target.is_ipv6() { Answer::Silent } else { Answer::Reached })]
#[tokio::test]
async fn a_family_that_does_not_work_costs_less_than_a_second_and_only_once(
    #[case] network: &str,
    #[case] answer: fn(SocketAddr) -> Answer,
) {
    let socks = Socks::start(answer).await;
    let world = world(network, &socks).await;
    for dc in 1..=5 {
        for _ in 0..2 {
            let mut client = Client::of_centre(world.address(), &ALICE, dc).await.unwrap();
            tokio::time::timeout(SOON, client.echo(b"ping")).await.expect("the working family was tried soon").unwrap();
        }
    }
    // For each data centre: both families for the first client, only the working one for the second.
    assert_eq!(socks.asked().len(), 15, "{:?}", socks.asked());
}

#[tokio::test]
async fn an_address_that_does_not_answer_costs_less_than_a_second_if_there_is_another_one() {
    // A listener whose backlog is full answers no SYN.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let silent = socket.local_addr().unwrap().as_socket().unwrap();
    let _first = tokio::net::TcpStream::connect(silent).await.unwrap();
    let centre = data_centre().await;
    let base = format!("dc_overrides = {{ \"2\" = [\"{silent}\", \"{centre}\"] }}\n{MASKED}");
    let world = World::with_base(base, &users(&[("alice", ALICE)])).await;
    for _ in 0..3 {
        let mut client = Client::connect(world.address(), &ALICE).await.unwrap();
        tokio::time::timeout(SOON, client.echo(b"ping")).await.expect("the other address was tried soon").unwrap();
    }
    world.shows("telemt_upstream_connect_attempt_total 4").await;
}

#[tokio::test]
async fn a_data_centre_that_cannot_be_reached_is_a_warning_until_it_can() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let base = format!("dc_overrides = {{ \"4\" = \"{closed}\" }}\n{MASKED}");
    let world = World::with_base(base, &users(&[("alice", ALICE)])).await;
    Client::of_centre(world.address(), &ALICE, 4).await.unwrap().closed().await;
    world.shows("mtproxy_warning{code=\"dc_unreachable\",subject=\"4\"} 1").await;
    crate::peers::echoing(tokio::net::TcpListener::bind(closed).await.unwrap());
    Client::of_centre(world.address(), &ALICE, 4).await.unwrap().echo(b"ping").await.unwrap();
    assert!(!world.metrics().await.contains("dc_unreachable"));
}

#[tokio::test]
async fn a_socks_server_that_refuses_the_login_is_a_warning_until_it_accepts_it() {
    let socks = Socks::start(|_| Answer::Reached).await;
    *socks.password.lock().unwrap() = Some("let-me-in");
    let base = format!("{MASKED}{}username = \"u\"\npassword = \"open-sesame\"\n", socks.upstream());
    let world = World::with_base(base, &users(&[("alice", ALICE)])).await;
    Client::of_centre(world.address(), &ALICE, 4).await.unwrap().closed().await;
    let warning = format!("mtproxy_warning{{code=\"upstream_login\",subject=\"{}\"}} 1", socks.address);
    world.shows(&warning).await;
    *socks.password.lock().unwrap() = Some("open-sesame");
    Client::of_centre(world.address(), &ALICE, 4).await.unwrap().echo(b"ping").await.unwrap();
    let metrics = world.metrics().await;
    assert!(!metrics.contains("mtproxy_warning{"), "{metrics}");
    assert!(!metrics.contains("sesame"));
}

#[tokio::test]
async fn a_socks_server_that_cannot_be_reached_is_a_warning_of_its_own() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let base = format!("{MASKED}[[upstreams]]\ntype = \"socks5\"\naddress = \"{closed}\"\n");
    let world = World::with_base(base, &users(&[("alice", ALICE)])).await;
    Client::of_centre(world.address(), &ALICE, 4).await.unwrap().closed().await;
    world.shows(&format!("mtproxy_warning{{code=\"upstream_unreachable\",subject=\"{closed}\"}} 1")).await;
    world.shows("mtproxy_warning{code=\"dc_unreachable\",subject=\"4\"} 1").await;
}

#[tokio::test]
async fn a_data_centre_that_the_socks_server_cannot_reach_is_no_warning_about_the_server() {
    let socks = Socks::start(|_| Answer::Unreachable).await;
    let world = world("", &socks).await;
    Client::of_centre(world.address(), &ALICE, 4).await.unwrap().closed().await;
    world.shows("mtproxy_warning{code=\"dc_unreachable\",subject=\"4\"} 1").await;
    assert!(!world.metrics().await.contains("code=\"upstream_"));
}

#[tokio::test]
async fn switching_both_families_off_is_a_warning_from_the_start() {
    let world =
        World::with_base(format!("network = {{ ipv4 = false, ipv6 = false }}\n{MASKED}"), &users(&[("alice", ALICE)]))
            .await;
    world.shows("mtproxy_warning{code=\"no_address_family\",subject=\"network\"} 1").await;
    Client::of_centre(world.address(), &ALICE, 2).await.unwrap().closed().await;
    world.shows("mtproxy_warning{code=\"dc_unreachable\",subject=\"2\"} 1").await;
}

#[tokio::test]
async fn a_server_clock_with_which_most_clients_disagree_is_a_warning_until_they_agree() {
    let world = World::start("[server]\nproxy_protocol = true", &users(&[("alice", ALICE)])).await;
    let now = crate::client::unix_time();
    let visit = async |last: u8, offset: i64| {
        let line = format!("PROXY TCP4 192.0.2.{last} 127.0.0.1 1 2\r\n");
        let time = u32::try_from(i64::from(now) + offset).unwrap();
        let hello = crate::client::hello(&ALICE, "mask.example", 0, time);
        let mut stream = tokio::net::TcpStream::connect(world.address()).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &[line.as_bytes(), &hello].concat()).await.unwrap();
        stream.read_u8().await.unwrap();
    };
    for last in 1..=2 {
        visit(last, 500).await;
    }
    // The clocks of one or two clients may be wrong.
    assert!(!world.metrics().await.contains("clock_wrong"));
    visit(3, 500).await;
    world.shows("mtproxy_warning{code=\"clock_wrong\",subject=\"server\"} 1").await;
    for last in 1..=3 {
        visit(last, 0).await;
    }
    assert!(!world.metrics().await.contains("clock_wrong"));
}
