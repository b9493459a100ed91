use super::*;
use rstest::rstest;

const OLDER: &str = include_str!("../../testdata/metrics-two-users.txt");
const NEWER: &str = include_str!("../../testdata/metrics-3.5.txt");

fn scrape(lines: &str) -> Snapshot {
    Snapshot::parse(&format!("telemt_uptime_seconds 1\n{lines}\n")).unwrap()
}

/// A text without the lines of the families whose names begin so.
fn without(text: &str, families: &[&str]) -> String {
    let is_left = |line: &&str| !families.iter().any(|family| line.starts_with(family));
    text.lines().filter(is_left).flat_map(|line| [line, "\n"]).collect()
}

fn missing(snapshot: &Snapshot) -> Option<&'static str> {
    match &snapshot.gap {
        Some(Gap::Missing { missing, .. }) => Some(missing),
        Some(Gap::SwitchedOff) => Some("everything"),
        None => None,
    }
}

#[test]
fn both_spellings_of_the_counters_say_the_same() {
    let (older, newer) = (Snapshot::parse(OLDER).unwrap(), Snapshot::parse(NEWER).unwrap());
    assert_eq!(newer.version.as_deref(), Some("3.5.14"));
    assert!(newer.tells_absence() && newer.refused.is_empty());
    assert_eq!(newer.gap, None);
    assert_eq!(older.gap, None);
    for (name, user) in &older.users {
        let same = &newer.users[name];
        assert_eq!((same.from_client(), same.to_client()), (user.from_client(), user.to_client()), "{name}");
        assert!(same.from_client().value().is_some(), "{name}");
    }
}

#[rstest]
#[case::both(
    "telemt_user_octets_from_client{user=\"alice\"} 5\ntelemt_user_octets_from_client_total{user=\"alice\"} 5",
    Reading::Value(5)
)]
#[case::both_in_the_other_order(
    "telemt_user_octets_from_client_total{user=\"alice\"} 6\ntelemt_user_octets_from_client{user=\"alice\"} 5",
    Reading::Value(6)
)]
#[case::each_summed_by_itself(
    "telemt_user_octets_from_client_total{user=\"alice\",dc=\"1\"} 2\n\
     telemt_user_octets_from_client{user=\"alice\"} 5\n\
     telemt_user_octets_from_client_total{user=\"alice\",dc=\"2\"} 3",
    Reading::Value(5)
)]
#[case::refused("telemt_user_octets_from_client_total{user=\"alice\"} -1", Reading::Refused)]
#[case::another_suffix("telemt_user_octets_from_client_created{user=\"alice\"} 5", Reading::Absent)]
fn two_spellings_of_one_counter_are_never_added_up(#[case] lines: &str, #[case] expected: Reading) {
    let snapshot = scrape(lines);
    assert_eq!(snapshot.users.get("alice").copied().unwrap_or_default().from_client(), expected);
}

#[test]
fn an_unreadable_line_of_the_newer_spelling_makes_absence_mean_nothing() {
    let others = "telemt_user_octets_to_client_total{user=\"bob\"} 5";
    assert!(scrape(others).tells_absence());
    assert!(!scrape(&format!("{others}\ntelemt_user_octets_from_client_total{{user=\"a\"b\"}} 5")).tells_absence());
}

#[rstest]
#[case::no_octets(&["telemt_user_octets_"], Some("telemt_user_octets_from_client_total"))]
#[case::only_from(&["telemt_user_octets_to_client"], Some("telemt_user_octets_to_client_total"))]
#[case::only_to(&["telemt_user_octets_from_client"], Some("telemt_user_octets_from_client_total"))]
#[case::no_connections(&["telemt_user_connections_current"], Some("telemt_user_connections_current"))]
#[case::messages_alone(
    &["telemt_user_octets_", "telemt_user_connections_"],
    Some("telemt_user_octets_from_client_total")
)]
#[case::nothing_but_the_number_of_users(
    &["telemt_user_octets_", "telemt_user_connections_", "telemt_user_msgs_"],
    Some("telemt_user_octets_from_client_total")
)]
#[case::what_is_not_needed(&["telemt_user_msgs_", "telemt_user_connections_total", "telemt_user_unique_ips_"], None)]
#[case::no_addresses_and_no_numbers(&["telemt_user_unique_ips_", "telemt_telemetry_"], None)]
fn a_missing_family_beside_others_that_prove_traffic_is_a_gap(
    #[case] left_out: &[&str],
    #[case] expected: Option<&str>,
) {
    for text in [OLDER, NEWER] {
        assert_eq!(missing(&Snapshot::parse(&without(text, left_out)).unwrap()), expected);
    }
}

#[rstest]
#[case::nobody_has_connected("telemt_connections_total 7\ntelemt_connections_bad_total 2")]
#[case::configured_users_only(
    "telemt_user_unique_ips_current{user=\"alice\"} 0\n\
     telemt_telemetry_user_series_users{family=\"unique_ip\",status=\"emitted\"} 1\n\
     telemt_telemetry_user_series_users{family=\"stats\",status=\"emitted\"} 0\ntelemt_telemetry_user_enabled 1"
)]
#[case::about_nobody("telemt_user_connections_current 3\ntelemt_user_connections_total 3")]
#[case::help("# TYPE telemt_user_connections_current gauge")]
#[case::another_family("telemt_user_connections_total_rejected{user=\"alice\"} 3")]
fn a_proxy_without_a_connection_of_a_user_has_no_gap(#[case] lines: &str) {
    assert_eq!(scrape(lines).gap, None);
}

#[test]
fn counters_that_cannot_be_right_are_not_missing() {
    let lines = "telemt_user_connections_current{user=\"alice\"} 1\n\
        telemt_user_octets_from_client_total{user=\"a\"b\"} 5\ntelemt_user_octets_to_client{user=\"alice\"} NaN";
    assert_eq!(scrape(lines).gap, None);
}

#[test]
fn counters_that_are_switched_off_are_a_gap_and_the_reason_says_what_to_do() {
    let off = without(NEWER, &["telemt_user_", "telemt_telemetry_user_enabled"]) + "telemt_telemetry_user_enabled 0\n";
    let gap = Snapshot::parse(&off).unwrap().gap.unwrap();
    assert_eq!(gap, Gap::SwitchedOff);
    assert!(gap.to_string().contains("general.telemetry.user_enabled = true"));
    let gap = scrape("telemt_user_msgs_to_client_total{user=\"alice\"} 1").gap.unwrap().to_string();
    assert!(gap.contains("telemt_user_msgs_to_client and no telemt_user_octets_from_client_total"), "{gap}");
    assert!(gap.contains("telemt 3.4 or telemt 3.5"), "{gap}");
}
