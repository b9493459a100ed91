use std::collections::HashMap;

use super::*;
use chrono::TimeDelta;
use rstest::rstest;

pub(super) const EPOCH: i64 = 7;

pub(super) fn bytes(from_client: i64, to_client: i64) -> Counters {
    Counters { from_client, to_client }
}

fn series(from_client: i64, to_client: i64) -> Observation {
    Observation::Series { from_client: Some(from_client), to_client: Some(to_client) }
}

pub(super) fn instant(seconds: f64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-05-05T12:00:00Z".parse().unwrap();
    #[allow(clippy::cast_possible_truncation, reason = "small numbers")]
    let milliseconds = (seconds * 1000.0) as i64;
    start + TimeDelta::milliseconds(milliseconds)
}

#[test]
fn the_first_scrape_ever_is_in_the_first_epoch() {
    assert_eq!(epoch_of(None, instant(0.0), 86_400.0), 1);
}

/// The last answer, at second 0, read `before`; `elapsed` seconds later on the panel's clock the proxy says `now`.
#[rstest]
#[case::steady(1000.0, 30.0, 1030.1, false)]
#[case::slow_answer(1000.0, 30.0, 1039.9, false)]
#[case::clock_stepped_forward(1000.0, 30.0 + 450.0, 1030.0, false)]
#[case::clock_stepped_back(1000.0, 30.0 - 7200.0, 1030.0, false)]
#[case::long_gap(60.0, 864_000.0, 864_060.0, false)]
#[case::long_gap_and_clocks_drift_apart(60.0, 864_020.0, 864_060.0, false)]
#[case::first_moments(0.0, 30.0, 30.1, false)]
#[case::first_moments_rounded_against_it(0.1, 30.0, 30.0, false)]
#[case::first_second(0.5, 29.9, 30.4, false)]
#[case::same_moment(0.0, 0.0, 0.0, false)]
#[case::restart(1000.0, 30.0, 12.0, true)]
#[case::restart_just_now(1000.0, 30.0, 0.0, true)]
#[case::uptime_down_by_the_least(30.1, 30.0, 30.0, true)]
#[case::crash_right_after_the_answer(10.0, 30.0, 30.0, true)]
#[case::crash_right_after_the_answer_and_slow_requests(10.0, 30.0, 34.0, true)]
#[case::crash_in_the_first_second(0.6, 30.0, 29.9, true)]
#[case::restart_during_a_long_gap(3600.0, 864_000.0, 400_000.0, true)]
#[case::restart_at_the_beginning_of_a_long_gap(3600.0, 864_000.0, 863_999.0, true)]
#[case::restart_and_clock_stepped_back(3600.0, 7200.0 - 1700.0, 7190.0, true)]
#[case::restart_and_clock_stepped_forward(3600.0, 7200.0 + 86_400.0, 7190.0, true)]
#[case::restart_and_clock_stepped_far_back(1000.0, -86_400.0, 12.0, true)]
fn restarts_are_told_from_clock_steps(
    #[case] before: f64,
    #[case] elapsed: f64,
    #[case] now: f64,
    #[case] restarted: bool,
) {
    let last = LastScrape { epoch: EPOCH, uptime: before, answered_at: instant(0.0) };
    assert_eq!(epoch_of(Some(&last), instant(elapsed), now), EPOCH + i64::from(restarted));
}

#[rstest]
#[case::grew(EPOCH, series(150, 260), bytes(50, 60), bytes(150, 260))]
#[case::stood_still(EPOCH, series(100, 200), bytes(0, 0), bytes(100, 200))]
#[case::one_direction_grew(EPOCH, series(100, 201), bytes(0, 1), bytes(100, 201))]
#[case::restart(EPOCH + 1, series(150, 260), bytes(150, 260), bytes(150, 260))]
#[case::both_fell(EPOCH, series(1, 2), bytes(1, 2), bytes(1, 2))]
#[case::first_fell_second_overtook(EPOCH, series(99, 260), bytes(99, 260), bytes(99, 260))]
#[case::second_fell_first_overtook(EPOCH, series(150, 199), bytes(150, 199), bytes(150, 199))]
#[case::to_zero(EPOCH, series(0, 0), bytes(0, 0), bytes(0, 0))]
#[case::forgotten(EPOCH, Observation::Absent, bytes(0, 0), bytes(0, 0))]
#[case::not_shown(EPOCH, Observation::Unknown, bytes(0, 0), bytes(100, 200))]
fn a_meter_counts_what_is_above_its_baseline(
    #[case] epoch: i64,
    #[case] observation: Observation,
    #[case] delta: Counters,
    #[case] last: Counters,
) {
    let before = Meter { last: bytes(100, 200), epoch: EPOCH, lifetime: bytes(1000, 2000) };
    let lifetime = bytes(1000 + delta.from_client, 2000 + delta.to_client);
    assert_eq!(before.advance(epoch, observation), (Meter { last, epoch, lifetime }, delta));
}

#[rstest]
#[case::says_nothing_of_the_other(EPOCH, Some(150), None, bytes(50, 0), bytes(150, 200))]
#[case::says_nothing_of_the_first(EPOCH, None, Some(200), bytes(0, 0), bytes(100, 200))]
#[case::shows_a_new_life(EPOCH, Some(50), None, bytes(50, 0), bytes(50, 0))]
#[case::after_a_restart(EPOCH + 1, None, Some(300), bytes(0, 300), bytes(0, 300))]
fn a_single_direction(
    #[case] epoch: i64,
    #[case] from_client: Option<i64>,
    #[case] to_client: Option<i64>,
    #[case] delta: Counters,
    #[case] last: Counters,
) {
    let before = Meter { last: bytes(100, 200), epoch: EPOCH, lifetime: Counters::ZERO };
    let (after, added) = before.advance(epoch, Observation::Series { from_client, to_client });
    assert_eq!((after.last, after.epoch, added), (last, epoch, delta));
}

#[rstest]
#[case(Observation::Absent)]
#[case(Observation::Unknown)]
fn a_name_that_a_restarted_proxy_does_not_show_is_left_alone_and_begins_at_zero(#[case] observation: Observation) {
    let before = Meter { last: bytes(100, 200), epoch: EPOCH, lifetime: bytes(100, 200) };
    let (after, delta) = before.advance(EPOCH + 1, observation);
    assert_eq!((after, delta), (before, Counters::ZERO));
    assert_eq!(after.advance(EPOCH + 1, series(500, 600)).1, bytes(500, 600));
}

#[test]
fn a_lifetime_stops_at_the_largest_number() {
    let before = Meter { last: Counters::ZERO, epoch: EPOCH, lifetime: bytes(i64::MAX - 1, 5) };
    let (after, delta) = before.advance(EPOCH, series(10, 10));
    assert_eq!((after.lifetime, delta), (bytes(i64::MAX, 15), bytes(10, 10)));
    assert_eq!(after.lifetime.total(), i64::MAX);
}

pub(super) fn scrape(lines: &str) -> Snapshot {
    Snapshot::parse(&format!("telemt_uptime_seconds 10.0\n{lines}")).unwrap()
}

pub(super) fn octets(name: &str, from_client: &str, to_client: &str) -> String {
    format!(
        "telemt_user_octets_from_client{{user=\"{name}\"}} {from_client}\n\
         telemt_user_octets_to_client{{user=\"{name}\"}} {to_client}\n"
    )
}

pub(super) const SUPPRESSED: &str = "telemt_telemetry_user_series_users{family=\"stats\",status=\"suppressed\"} 1\n";

/// The meter of `alice` (100 and 200 bytes in this epoch) after a scrape.
fn alice_after(lines: &str) -> Option<Meter> {
    let alice = Meter { last: bytes(100, 200), epoch: EPOCH, lifetime: bytes(100, 200) };
    let bob = Meter { last: bytes(1, 1), epoch: EPOCH, lifetime: bytes(1, 1) };
    let stored = vec![("alice".to_owned(), of(alice)), ("bob".to_owned(), of(bob))];
    let accounts: HashMap<_, _> = account(&scrape(lines), stored, EPOCH).into_iter().collect();
    assert_eq!(accounts["bob"].account.meter, bob);
    let alices = accounts["alice"];
    (alices.account.meter != alice).then_some(alices.account.meter)
}

fn of(meter: Meter) -> Account {
    Account { meter, presence: Presence::default() }
}

#[test]
fn an_absent_name_is_forgotten_only_if_the_scrape_is_complete() {
    let others = octets("bob", "1", "1");
    assert_eq!(alice_after(&others).unwrap().last, Counters::ZERO);
    assert_eq!(alice_after(&(others.clone() + SUPPRESSED)), None);
    assert_eq!(alice_after(""), None);
    assert_eq!(alice_after("telemt_user_connections_current{user=\"bob\"} 1\n"), None);
    assert_eq!(alice_after(&(others.clone() + "telemt_user_octets_to_client{user=\"a\"b\"} 1\n")), None);
    let connected = others + "telemt_user_connections_current{user=\"alice\"} 0\n";
    assert_eq!(alice_after(&connected).unwrap().last, Counters::ZERO);
}

#[rstest]
#[case("NaN", "300")]
#[case("150", "-1")]
#[case("9223372036854775808", "0")]
fn an_impossible_reading_leaves_the_meter_alone(#[case] from_client: &str, #[case] to_client: &str) {
    let lines = octets("bob", "1", "1") + &octets("alice", from_client, to_client);
    assert_eq!(alice_after(&lines), None);
}

#[test]
fn only_accounts_that_changed_and_names_that_are_new_are_to_be_stored() {
    let steady = Meter { last: bytes(5, 5), epoch: EPOCH, lifetime: bytes(9, 9) };
    let stored = vec![("steady".to_owned(), of(steady)), ("moving".to_owned(), of(steady))];
    let lines = octets("steady", "5", "5")
        + &octets("moving", "6", "8")
        + &octets("fresh", "1", "2")
        + &octets("Steady", "0", "0")
        + &octets("x", "3", "3")
        + &octets("mtpannel-placeholder", "3", "3")
        + "telemt_user_connections_current{user=\"silent\"} 1\n\
           telemt_user_unique_ips_current{user=\"silent\"} 2\n\
           telemt_user_connections_current{user=\"nobody\"} 0\n";
    let mut accounts = account(&scrape(&lines), stored, EPOCH);
    accounts.sort_by(|(a, _), (b, _)| a.cmp(b));
    let advanced = |last, lifetime, delta, is_changed| {
        let account = of(Meter { last, epoch: EPOCH, lifetime });
        Advanced { account, delta, is_told: true, is_changed }
    };
    let presence = Presence { connections: 1, unique_ips: 2 };
    let silent = Account { meter: Meter::default(), presence };
    let expected = [
        ("Steady", advanced(Counters::ZERO, Counters::ZERO, Counters::ZERO, true)),
        ("fresh", advanced(bytes(1, 2), bytes(1, 2), bytes(1, 2), true)),
        ("moving", advanced(bytes(6, 8), bytes(10, 12), bytes(1, 3), true)),
        ("silent", Advanced { account: silent, delta: Counters::ZERO, is_told: true, is_changed: true }),
        ("steady", advanced(bytes(5, 5), bytes(9, 9), Counters::ZERO, false)),
    ];
    assert_eq!(accounts, expected.map(|(name, after)| (name.to_owned(), after)));
}

#[test]
fn who_is_connected_is_known_until_a_complete_scrape_shows_them_no_more() {
    let presence = Presence { connections: 3, unique_ips: 1 };
    let connected = vec![("alice".to_owned(), Account { presence, ..Account::default() })];
    let after = |lines: &str| account(&scrape(lines), connected.clone(), EPOCH)[0].1.account.presence;
    let others = octets("bob", "1", "1");
    assert_eq!(after(&others), Presence::default());
    assert_eq!(after(&(others.clone() + SUPPRESSED)), presence);
    assert_eq!(after(""), presence);
    assert_eq!(after(&(others.clone() + &octets("alice", "1", "1"))), Presence::default());
    // Each family is cut short by itself.
    assert_eq!(after(&(others.clone() + SUPPRESSED + &octets("alice", "1", "1"))), presence);
    let addresses = "telemt_user_unique_ips_current{user=\"alice\"} 2\n";
    let more = Presence { unique_ips: 2, ..presence };
    assert_eq!(after(&(others.clone() + SUPPRESSED + addresses)), more);
    assert_eq!(after(&(others + addresses)), Presence { connections: 0, unique_ips: 2 });
}

#[rstest]
#[case::shown(octets("alice", "150", "260"), true)]
#[case::complete_without_them(octets("bob", "1", "1"), true)]
#[case::others_only_and_some_left_out(octets("bob", "1", "1") + SUPPRESSED, false)]
#[case::shown_and_others_left_out(octets("alice", "150", "260") + SUPPRESSED, true)]
#[case::nobody(String::new(), false)]
#[case::impossible(octets("alice", "NaN", "260"), false)]
fn a_scrape_tells_of_a_name_or_does_not(#[case] lines: String, #[case] is_told: bool) {
    let alice = Meter { last: bytes(100, 200), epoch: EPOCH, lifetime: bytes(100, 200) };
    let accounts = account(&scrape(&lines), vec![("alice".to_owned(), of(alice))], EPOCH);
    assert_eq!(accounts[0].1.is_told, is_told);
}

#[rstest]
#[case::counts_from_the_base(Some(100), Some(350), false, Some(100), 250)]
#[case::keeps_a_base_that_is_set(Some(100), Some(350), true, Some(100), 250)]
#[case::never_below_zero(Some(400), Some(350), false, Some(400), 0)]
#[case::untouched(Some(100), None, true, Some(100), 7)]
#[case::old_sessions_still_open(None, Some(350), false, None, 0)]
#[case::old_sessions_ended(None, Some(350), true, Some(350), 0)]
#[case::nothing_known_of_them(None, None, true, None, 7)]
fn usage_is_what_the_lifetime_has_grown_since_the_base(
    #[case] base: Option<i64>,
    #[case] lifetime: Option<i64>,
    #[case] ended: bool,
    #[case] base_after: Option<i64>,
    #[case] data_used: i64,
) {
    let before = Usage { base, data_used: 7 };
    assert_eq!(before.settle(lifetime, ended), Usage { base: base_after, data_used });
}
