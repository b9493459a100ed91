use super::*;
use proptest::prelude::*;
use rstest::rstest;

const SAMPLE: &str = include_str!("../../testdata/metrics-two-users.txt");

fn scrape(lines: &str) -> Snapshot {
    Snapshot::parse(&format!("telemt_uptime_seconds 1\n{lines}\n")).unwrap()
}

/// What is said of the only user, by the readings of bytes from and to them.
fn octets(lines: &str) -> (Reading, Reading) {
    let snapshot = scrape(lines);
    assert_eq!(snapshot.users.len(), 1, "{snapshot:?}");
    let user = snapshot.users["alice"];
    (user.from_client(), user.to_client())
}

#[test]
fn parts_may_begin_and_end_anywhere() {
    let whole = Snapshot::parse(SAMPLE).unwrap();
    for size in [1, 7, 100, 4_096] {
        let mut reader = Reader::new(0);
        for part in SAMPLE.as_bytes().chunks(size) {
            reader.push(part).unwrap();
        }
        assert_eq!(reader.finish().as_ref(), Ok(&whole), "parts of {size} bytes");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_line() {
    let mut reader = Reader::new(0);
    assert_eq!(reader.push(b"telemt_uptime_seconds 1\n\xff\n"), Err(ExpositionError::NotText { line: 2 }));
}

#[test]
fn a_real_scrape_is_read() {
    let snapshot = Snapshot::parse(SAMPLE).unwrap();
    assert_eq!(snapshot.uptime.to_string(), "16.7");
    assert_eq!(snapshot.version.as_deref(), Some("3.4.25"));
    assert_eq!((snapshot.connections_total, snapshot.connections_bad_total), (Some(6), Some(0)));
    assert!(!snapshot.suppressed && snapshot.tells_absence() && snapshot.refused.is_empty());
    assert_eq!(snapshot.users.len(), 2);
    for (name, from, to) in [("alice", 103_000, 309_000), ("bob", 50_000, 150_000)] {
        let user = snapshot.users[name];
        assert_eq!((user.from_client(), user.to_client()), (Reading::Value(from), Reading::Value(to)));
        assert_eq!((user.connections(), user.unique_ips()), (Some(1), Some(1)));
    }
}

#[rstest]
#[case::current("telemt_user_unique_ips_current{user=\"alice\"} 3", Some(3))]
#[case::older("telemt_user_unique_ips_active{user=\"alice\"} 3", Some(3))]
#[case::both(
    "telemt_user_unique_ips_active{user=\"alice\"} 3\ntelemt_user_unique_ips_current{user=\"alice\"} 2",
    Some(2)
)]
#[case::summed(
    "telemt_user_unique_ips_current{user=\"alice\"} 3\ntelemt_user_unique_ips_current{user=\"alice\",dc=\"2\"} 2",
    Some(5)
)]
#[case::neither("telemt_user_connections_current{user=\"alice\"} 3", None)]
#[case::refused("telemt_user_unique_ips_current{user=\"alice\"} -3", None)]
fn unique_addresses_are_read_under_either_name(#[case] lines: &str, #[case] expected: Option<i64>) {
    assert_eq!(scrape(lines).users["alice"].unique_ips(), expected);
}

#[rstest]
#[case("{user=\"alice\"} 5")]
#[case("{user=\"alice\"} 5 1779969600000")]
#[case("{user=\"alice\"} 5 -1")]
#[case("{user=\"alice\",} 5")]
#[case("{dc=\"2\",user=\"alice\"} 5")]
#[case("{user=\"alice\",dc=\"2\"} 5")]
#[case("{ user = \"alice\" , dc = \"a,b}=\\\" \" }\t5\t")]
#[case(" {user=\"alice\"} 5")]
#[case("{user=\"alice\"}5")]
#[case("{user=\"alice\"} 5\r")]
#[case("{username=\"eve\",user=\"alice\"} +5.0")]
#[case("{user=\"alice\"} 2\ntelemt_user_octets_from_client{user=\"alice\",dc=\"2\"} 3")]
fn labels_and_values_are_read_as_the_format_allows(#[case] rest: &str) {
    assert_eq!(octets(&format!("telemt_user_octets_from_client{rest}")), (Reading::Value(5), Reading::Absent));
}

#[rstest]
#[case("0", Some(0))]
#[case("-0", Some(0))]
#[case("1e6", Some(1_000_000))]
#[case("1.5e3", Some(1_500))]
#[case("9223372036854775807", Some(i64::MAX))]
#[case("9223372036854774784.0", Some(9_223_372_036_854_774_784))]
#[case("9223372036854775808", None)]
#[case("9.3e18", None)]
#[case("1e400", None)]
#[case("-1", None)]
#[case("-1e3", None)]
#[case("1.5", None)]
#[case("NaN", None)]
#[case("+Inf", None)]
#[case("-Inf", None)]
#[case("many", None)]
#[case("", None)]
#[case("5 5 5", None)]
#[case("5 now", None)]
fn impossible_readings_are_refused_and_listed(#[case] value: &str, #[case] expected: Option<i64>) {
    let line = format!("telemt_user_octets_to_client{{user=\"alice\"}} {value}");
    let listed = Refusal { line: 2, family: "telemt_user_octets_to_client", user: Some("alice".to_owned()) };
    assert_eq!(octets(&line), (Reading::Absent, expected.map_or(Reading::Refused, Reading::Value)));
    assert_eq!(scrape(&line).refused, if expected.is_some() { vec![] } else { vec![listed] });
}

#[test]
fn a_sum_that_overflows_is_refused_once_wherever_its_lines_stand() {
    let line = |user: &str, value: i64| format!("telemt_user_octets_to_client{{user=\"{user}\"}} {value}\n");
    let lines = [line("alice", i64::MAX), line("bobby", 7), line("alice", 1), line("bobby", 8), line("alice", 1)];
    let snapshot = scrape(&lines.concat());
    assert_eq!(snapshot.users["alice"].to_client(), Reading::Refused);
    assert_eq!(snapshot.users["bobby"].to_client(), Reading::Value(15));
    assert_eq!(snapshot.refused.iter().map(|refusal| refusal.line).collect::<Vec<_>>(), [4]);
}

#[rstest]
#[case(r"a\\b", r"a\b")]
#[case(r#"a\"b"#, "a\"b")]
#[case(r"a\nb", "a\nb")]
#[case(r"a\\nb", r"a\nb")]
#[case(r"a\db", r"a\db")]
#[case(r"\\\\", r"\\")]
#[case("имя", "имя")]
fn escapes_in_labels_are_decoded(#[case] written: &str, #[case] name: &str) {
    let snapshot = scrape(&format!("telemt_user_connections_current{{user=\"{written}\"}} 1"));
    assert_eq!(snapshot.users.keys().collect::<Vec<_>>(), [name]);
    assert!(snapshot.refused.is_empty());
}

#[rstest]
#[case("{user=\"a\"b\"} 5")]
#[case("{user=\"alice} 5")]
#[case("{user=alice} 5")]
#[case("{user} 5")]
#[case("{user=\"alice\" dc=\"2\"} 5")]
#[case("{")]
#[case("{user=\"alice\\")]
fn a_line_that_cannot_be_read_is_nobodys_and_makes_absence_mean_nothing(#[case] rest: &str) {
    let others = "telemt_user_octets_to_client{user=\"bob\"} 5";
    assert!(scrape(others).tells_absence());
    let snapshot = scrape(&format!("{others}\ntelemt_user_octets_from_client{rest}"));
    assert_eq!(snapshot.users.keys().collect::<Vec<_>>(), ["bob"]);
    let listed = Refusal { line: 3, family: "telemt_user_octets_from_client", user: None };
    assert_eq!(snapshot.refused, [listed]);
    assert!(!snapshot.tells_absence());
}

#[rstest]
#[case("telemt_user_octets_from_client 5")]
#[case("telemt_user_octets_from_client{} 5")]
#[case("telemt_user_octets_from_client{dc=\"2\"} 5")]
#[case("telemt_user_octets_from_clients{user=\"alice\"} 5")]
#[case("other_user_octets_from_client{user=\"alice\"} 5")]
#[case("# telemt_user_octets_from_client{user=\"alice\"} 5")]
#[case("telemt_surely_new{broken")]
#[case("")]
#[case("  ")]
fn what_is_about_no_user_is_skipped(#[case] line: &str) {
    let snapshot = scrape(line);
    assert!(snapshot.users.is_empty() && snapshot.refused.is_empty());
}

#[rstest]
#[case("telemt_telemetry_user_series_users{family=\"stats\",status=\"suppressed\"} 1", true)]
#[case("telemt_telemetry_user_series_users{status=\"suppressed\",family=\"stats\"} 2", true)]
#[case("telemt_telemetry_user_series_users{family=\"stats\",status=\"suppressed\"} NaN", true)]
#[case("telemt_telemetry_user_series_users{family=\"stats\"", true)]
#[case("telemt_telemetry_user_series_users{family=\"stats\",status=\"suppressed\"} 0", false)]
#[case("telemt_telemetry_user_series_users{family=\"stats\",status=\"emitted\"} 1", false)]
#[case("telemt_telemetry_user_series_users{family=\"unique_ip\",status=\"suppressed\"} 1", false)]
#[case("telemt_telemetry_user_series_suppressed 1", false)]
fn suppression_is_read_from_its_own_series(#[case] line: &str, #[case] suppressed: bool) {
    let snapshot = scrape(&format!("{line}\ntelemt_user_octets_to_client{{user=\"bob\"}} 5"));
    assert_eq!((snapshot.suppressed, snapshot.tells_absence()), (suppressed, !suppressed));
}

#[rstest]
#[case("", false)]
#[case("telemt_user_connections_current{user=\"alice\"} 5", false)]
#[case("telemt_user_octets_to_client{user=\"alice\"} NaN", false)]
#[case("telemt_user_octets_to_client{user=\"alice\"} 0", true)]
#[case("telemt_user_octets_from_client{user=\"alice\"} 0\ntelemt_connections_total -1", true)]
fn absence_tells_something_only_beside_somebodys_octets(#[case] lines: &str, #[case] expected: bool) {
    assert_eq!(scrape(lines).tells_absence(), expected);
}

#[test]
fn an_impossible_number_of_connections_is_unknown() {
    let snapshot = scrape("telemt_connections_total -1\ntelemt_connections_bad_total 3");
    assert_eq!((snapshot.connections_total, snapshot.connections_bad_total), (None, Some(3)));
    assert_eq!(snapshot.refused, [Refusal { line: 2, family: "telemt_connections_total", user: None }]);
}

#[rstest]
#[case("", ExpositionError::NoUptime { lines: 0 })]
#[case("Forbidden\n", ExpositionError::NoUptime { lines: 1 })]
#[case("# only\n# comments\n", ExpositionError::NoUptime { lines: 2 })]
#[case("<html>502 Bad Gateway</html>\n", ExpositionError::Format { line: 1 })]
#[case("telemt_uptime_seconds 1\n{\"error\": 1}\n", ExpositionError::Format { line: 2 })]
#[case("telemt_uptime_seconds 1\n5\n", ExpositionError::Format { line: 2 })]
#[case("telemt_uptime_seconds 1\ntelemt_connections_total 5", ExpositionError::CutOff { line: 2 })]
#[case("telemt_uptime_seconds\n", ExpositionError::Uptime { line: 1 })]
#[case("telemt_uptime_seconds -1\n", ExpositionError::Uptime { line: 1 })]
#[case("\ntelemt_uptime_seconds NaN\n", ExpositionError::Uptime { line: 2 })]
#[case("telemt_uptime_seconds +Inf\n", ExpositionError::Uptime { line: 1 })]
fn a_text_that_is_no_scrape_is_refused(#[case] text: &str, #[case] reason: ExpositionError) {
    assert_eq!(Snapshot::parse(text), Err(reason));
    assert!(!reason.to_string().contains("Gateway"));
}

/// Texts made of the pieces that the scanner looks for.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "telemt_uptime_seconds 1\n",
        "telemt_user_octets_to_client",
        "telemt_telemetry_user_series_users",
        "telemt_build_info",
        "{",
        "}",
        "user=",
        "\"",
        "\\",
        ",",
        " ",
        "\n",
        "é",
        "5",
        "-",
        "1e9",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_scanner_panic(text in prop_oneof![any::<String>(), pieces()]) {
        drop(Snapshot::parse(&text));
    }

    #[test]
    fn no_cut_text_is_read_otherwise_than_the_lines_it_holds(cut in 0..SAMPLE.len()) {
        let text = &SAMPLE[..cut];
        prop_assert!(text.is_empty() || text.ends_with('\n') || Snapshot::parse(text).is_err());
    }

    #[test]
    fn every_escaped_name_comes_back(name in "[a\"\\\\\n{}=, é]{1,12}") {
        let escaped = name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let snapshot = scrape(&format!("telemt_user_connections_current{{dc=\"1\",user=\"{escaped}\"}} 1"));
        prop_assert_eq!(snapshot.users.into_keys().collect::<Vec<_>>(), [name]);
    }
}

#[test]
fn the_built_in_proxy_tells_whether_it_runs_with_the_file_and_telemt_does_not() {
    let telemt = Snapshot::parse("telemt_uptime_seconds 1\n").unwrap();
    assert_eq!(telemt.file, None);
    let current = Snapshot::parse("telemt_uptime_seconds 1\nmtproxy_config_current 1\n").unwrap();
    assert_eq!(current.file, Some(FileVerdict { is_current: true, ..FileVerdict::default() }));
    let refused = Snapshot::parse(
        "telemt_uptime_seconds 1\nmtproxy_config_current 0\nmtproxy_config_reload_failures_total 3\n\
         mtproxy_config_last_reload_failure_timestamp_seconds 1777982400\n\
         mtproxy_config_last_reload_failure_info{error=\"line 3, column 5: \\\"x\\\"\"} 1\n",
    )
    .unwrap();
    let last_failure = Some("line 3, column 5: \"x\"".to_owned());
    let last_failure_at = Some("2026-05-05T12:00:00Z".parse().unwrap());
    assert_eq!(refused.file, Some(FileVerdict { is_current: false, last_failure, last_failure_at }));
}
