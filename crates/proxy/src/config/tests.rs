use super::*;
use proptest::prelude::*;
use rstest::rstest;

const ALICE: &str = "[access.users]\n\"alice\" = \"6384e2b2184bcbf58eccf10ca7a6563c\"\n";

fn parse(text: &str) -> Config {
    Config::parse(&format!("{text}\n{ALICE}")).unwrap()
}

#[test]
fn the_smallest_file_gets_the_defaults_of_telemt() {
    let config = Config::parse(ALICE).unwrap();
    assert_eq!(config.modes, Modes { classic: false, secure: false, tls: true });
    let both = ["0.0.0.0:443", "[::]:443"];
    assert_eq!(config.listeners, both.map(|at| Listener { address: at.parse().unwrap(), proxy_protocol: false }));
    assert_eq!(config.max_connections, Some(10_000));
    assert_eq!(config.metrics, None);
    assert!(config.masking.enabled);
    assert_eq!((config.masking.port, config.masking.unknown_sni), (443, UnknownSni::Mask));
    assert_eq!((config.replay.capacity, config.replay.window.as_secs()), (65_536, 120));
    assert_eq!(config.users.len(), 1);
    assert!(config.users[0].enabled && config.users[0].quota.is_none());
    assert_eq!(config.ignored, Ignored::default());
}

#[test]
fn the_template_of_a_first_start_is_read_and_unknown_keys_are_listed() {
    let domain = "Mask.example".parse().unwrap();
    let text = mtpannel_core::template::Template::new("proxy.example", 443, &domain).text();
    let config = Config::parse(&format!("{text}{ALICE}")).unwrap();
    let listeners: Vec<String> = config.listeners.iter().map(|listener| listener.address.to_string()).collect();
    assert_eq!(listeners, ["0.0.0.0:1234", "[::]:1234"]);
    assert_eq!(config.masking.domains, ["mask.example"]);
    assert_eq!(config.metrics.unwrap().whitelist.len(), 6);
    assert!(config.ignored.keys.contains(&"general.log_level".to_owned()), "{:?}", config.ignored);
    assert!(config.ignored.keys.contains(&"server.api".to_owned()));
    assert_eq!(config.timeouts.ack.as_secs(), 90);
}

#[test]
fn every_table_of_a_user_is_read() {
    let config = parse(
        r"access.user_max_tcp_conns_global_each = 9
        [access.user_enabled]
        alice = false
        [access.user_max_tcp_conns]
        alice = 3
        gone = 4
        [access.user_max_unique_ips]
        alice = 0
        [access.user_data_quota]
        alice = 0
        [access.user_expirations]
        alice = 2030-01-01 00:00:00+02:00",
    );
    let alice = &config.users[0];
    assert_eq!((alice.enabled, alice.max_connections, alice.max_ips, alice.quota), (false, Some(3), None, Some(0)));
    assert_eq!(alice.expires, Some("2029-12-31T22:00:00Z".parse().unwrap()));
}

#[test]
fn a_limit_of_zero_means_the_global_one() {
    let config = parse("[access]\nuser_max_tcp_conns_global_each = 9\nuser_max_tcp_conns = { alice = 0 }");
    assert_eq!(config.users[0].max_connections, Some(9));
}

#[test]
fn listeners_data_centres_and_upstreams_are_read() {
    let config = parse(
        r#"[server]
        port = 1
        proxy_protocol = true
        metrics_port = 9090
        [[server.listeners]]
        ip = "127.0.0.1"
        [[server.listeners]]
        ip = "::1"
        port = 2
        proxy_protocol = false
        [dc_overrides]
        "2" = "127.0.0.1:9443"
        "-4" = ["127.0.0.1:1", "[::1]:2"]
        [[upstreams]]
        type = "socks5"
        address = "127.0.0.1:1080"
        username = "u"
        weight = 3
        [[upstreams]]
        type = "direct"
        bind_addresses = ["127.0.0.1"]
        [[upstreams]]
        type = "direct"
        enabled = false"#,
    );
    let listeners: Vec<_> = config.listeners.iter().map(|l| (l.address.to_string(), l.proxy_protocol)).collect();
    assert_eq!(listeners, [("127.0.0.1:1".to_owned(), true), ("[::1]:2".to_owned(), false)]);
    assert_eq!(config.metrics.unwrap().address.to_string(), "127.0.0.1:9090");
    assert_eq!(config.data_centres.overrides[&-4].len(), 2);
    assert_eq!(config.upstreams.len(), 2);
    assert_eq!(format!("{:?}", config.upstreams[0]), "Upstream(socks5)");
}

#[rstest]
#[case::empty("", None)]
#[case::no_table("[server]\nport = 1\n", None)]
#[case::empty_table("[access.users]\n", None)]
#[case::no_toml("[access.users]\nalice = \n", Some((2, 9)))]
#[case::short_secret("[access.users]\nalice = \"00\"\n", Some((2, 9)))]
#[case::number_as_secret("[access.users]\nbob = 12345678\n", Some((2, 7)))]
#[case::twice("[access.users]\nbob = \"a\"\nbob = \"b\"\n", Some((3, 1)))]
#[case::negative_quota("[access]\nuser_data_quota = { bob = -1 }\n", Some((2, 27)))]
#[case::date_alone("[access.user_expirations]\nbob = 2030-01-01\n", Some((2, 7)))]
#[case::no_offset("[access.user_expirations]\nbob = \"2030-01-01T00:00:00\"\n", Some((2, 7)))]
#[case::bad_dc("[dc_overrides]\nx = \"127.0.0.1:1\"\n", Some((2, 1)))]
#[case::bad_action("[censorship]\nunknown_sni_action = \"x\"\n", Some((2, 22)))]
#[case::shadowsocks("[[upstreams]]\ntype = \"shadowsocks\"\n", Some((2, 8)))]
fn an_invalid_file_is_refused_with_line_and_column(#[case] text: &str, #[case] position: Option<(usize, usize)>) {
    let error = Config::parse(text).unwrap_err();
    assert_eq!(error.position, position, "{error}");
}

#[test]
fn the_first_64_unknown_keys_are_listed_and_the_others_counted() {
    let keys: String = (0..100).map(|number| ["key_", &number.to_string(), " = 1\n"].concat()).collect();
    let config = Config::parse(&format!("{keys}{ALICE}")).unwrap();
    assert_eq!((config.ignored.keys.len(), config.ignored.more), (64, 36));
}

/// Values that must not be shown, in the forms that typing errors produce.
const SLIPS: [&str; 9] = [
    "\"6384e2b2184bcbf58eccf10ca7a6563c\"",
    "\"6384e2b2184bcbf5\"",
    "'6384, expected more'",
    "\"6384\\n6384\"",
    "6384222",
    "-6384.5",
    "['6384222']",
    "{ '6384' = '6384' }",
    "\"6384e2b2184bcbf58eccf10ca7a6563c",
];

#[rstest]
#[case("[access.users]\nalice = ")]
#[case("[access.user_enabled]\nalice = ")]
#[case("[access.user_max_tcp_conns]\nalice = ")]
#[case("[access.user_expirations]\nalice = ")]
#[case("[access.user_data_quota]\nalice = ")]
#[case("[access.user_max_unique_ips]\nalice = ")]
#[case("[access]\nusers = ")]
#[case("[access]\nuser_max_tcp_conns_global_each = ")]
#[case("[access]\nreplay_check_len = ")]
#[case("[access]\nreplay_window_secs = ")]
#[case("[access]\nignore_time_skew = ")]
#[case("access = ")]
#[case("[[upstreams]]\npassword = ")]
#[case("[[upstreams]]\ntype = \"socks5\"\nweight = ")]
#[case("[[upstreams]]\ntype = ")]
#[case("[censorship]\nunknown_sni_action = ")]
#[case("[server]\nmetrics_listen = ")]
#[case("[server]\nproxy_protocol_trusted_cidrs = ")]
#[case("[dc_overrides]\n2 = ")]
fn no_error_quotes_the_file(#[case] before: &str) {
    for slip in SLIPS {
        let Err(error) = Config::parse(&format!("{before}{slip}\n")) else { continue };
        assert!(!error.to_string().contains("6384"), "{before}{slip}: {error}");
    }
    for slip in SLIPS {
        let Err(error) = Config::parse(&format!("{before}1\n{slip}\n{slip} = 1\n")) else { continue };
        assert!(!error.to_string().contains("6384"), "{before}{slip}: {error}");
    }
}

#[rstest]
#[case("[[server.listeners]]\nip='127.0.0.1'\n[[server.listeners]]\nip='127.0.0.1'")]
#[case("[censorship]\ntls_domain=''")]
#[case("[censorship]\nmask_port=0")]
#[case("[[upstreams]]\ntype='socks5'")]
#[case("[[upstreams]]\ntype='direct'\nenabled=false")]
fn contradictions_are_refused(#[case] text: &str) {
    assert!(Config::parse(&format!("{text}\n{ALICE}")).is_err());
}

#[rstest]
#[case(0, None)]
#[case(1, Some(1))]
#[case(9_999, Some(3_600))]
fn a_keepalive_of_zero_means_off(#[case] seconds: u64, #[case] expected: Option<u64>) {
    let config = parse(&format!("[timeouts]\nclient_keepalive = {seconds}"));
    assert_eq!(config.timeouts.keepalive.map(|keepalive| keepalive.as_secs()), expected);
}

#[rstest]
#[case(0, 1)]
#[case(2_048, 2_048)]
#[case(10_240, 10_240)]
#[case(10_241, 10_240)]
#[case(16_384, 10_240)]
fn the_first_record_is_no_longer_than_clients_read(#[case] written: usize, #[case] used: usize) {
    assert_eq!(parse(&format!("[censorship]\nfake_cert_len = {written}")).masking.first_record, used);
}

#[rstest]
#[case("tls_domain = 'LONG'")]
#[case("tls_domains = ['a.example', 'LONG']")]
fn a_masking_domain_that_clients_refuse_is_refused(#[case] setting: &str) {
    let name = |length: usize| format!("{}.example", "a".repeat(length - 8));
    let text = |length| format!("[censorship]\n{}\n{ALICE}", setting.replace("LONG", &name(length)));
    assert!(Config::parse(&text(182)).is_ok());
    let error = Config::parse(&text(183)).unwrap_err().to_string();
    assert!(error.contains("at most 182 characters"), "{error}");
}

#[test]
fn networks_from_which_a_user_is_not_served_are_read_in_every_form() {
    let config = parse("[access.user_source_deny]\nalice = ['192.0.2.77/24', '198.51.100.1', '2001:db8::/32', '::1']");
    let networks: Vec<String> = config.users[0].source_deny.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["192.0.2.0/24", "198.51.100.1/32", "2001:db8::/32", "::1/128"]);
}

#[rstest]
#[case("alice = '192.0.2.0/24'")]
#[case("alice = ['192.0.2.0/33']")]
#[case("alice = ['everywhere']")]
fn an_invalid_source_rule_is_refused(#[case] line: &str) {
    let error = Config::parse(&format!("{ALICE}[access.user_source_deny]\n{line}")).unwrap_err();
    assert_eq!(error.position.map(|(line, _)| line), Some(4), "{error}");
    assert!(!error.to_string().contains("everywhere"), "{error}");
}

#[test]
fn unknown_indexes_have_no_default_unless_the_file_names_one() {
    for (text, default) in [("", None), ("default_dc = 4", Some(4)), ("default_dc = 9", None)] {
        assert_eq!(parse(text).data_centres.default, default, "{text}");
    }
}

proptest! {
    #[test]
    fn the_fast_reader_and_the_parser_read_the_same(
        lines in prop::collection::vec((0..12_usize, 0..3_u8, any::<bool>()), 0..30),
    ) {
        let tables = ["users", "user_enabled", "user_max_tcp_conns", "user_expirations", "user_data_quota", "user_max_unique_ips"];
        let values = ["\"6384e2b2184bcbf58eccf10ca7a6563c\"", "false", "5", "\"2030-01-01T00:00:00Z\"", "0", "07", "-1", "9223372036854775808", "\"x\"", "true # off", "1_0", ""];
        let mut text = ALICE.to_owned();
        for (which, name, headed) in lines {
            if headed { text += &["[access.", tables[which % tables.len()], "]\n"].concat(); }
            text += &["\"u", &name.to_string(), "\" = ", values[which], "\n"].concat();
        }
        prop_assert_eq!(Config::parse(&text), Config::parse_toml(&text, raw::Access::default()));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = Config::parse(&text);
    }
}

#[test]
fn visits_are_bounded_as_the_file_says_or_by_default() {
    let of = |settings: &str| {
        let users = "[access.users]\na = \"00000000000000000000000000000001\"\n";
        Config::parse(&format!("[censorship]\n{settings}\n{users}")).map(|config| config.masking)
    };
    let usual = of("").unwrap();
    assert_eq!(
        (usual.relay_bytes, usual.relay_time, usual.relay_idle),
        (5 << 20, masking::USUAL_TIME, masking::USUAL_TIME)
    );
    let set = of("mask_relay_max_bytes = 9\nmask_relay_timeout_ms = 60000\nmask_relay_idle_timeout_ms = 5000").unwrap();
    assert_eq!((set.relay_bytes, set.relay_time.as_secs(), set.relay_idle.as_secs()), (9, 60, 5));
    for refused in ["mask_relay_max_bytes = 0", "mask_relay_max_bytes = 67108865"] {
        assert!(of(refused).unwrap_err().to_string().contains("mask_relay_max_bytes"));
    }
}
