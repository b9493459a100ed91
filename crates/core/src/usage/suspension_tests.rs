use super::*;
use rstest::rstest;

const EPOCH: i64 = 7;
const NIGHT: f64 = 8.0 * 3_600.0;

/// The last answer read `before`. Then the machine ran for `running` seconds and was suspended for `asleep`, and the proxy
/// says `now`.
#[rstest]
#[case::not_suspended(1_000.0, 30.0, 0.0, 1_030.1, false)]
#[case::not_suspended_and_a_slow_answer(1_000.0, 30.0, 0.0, 1_039.9, false)]
#[case::restarted_without_a_suspension(1_000.0, 30.0, 0.0, 12.0, true)]
#[case::the_uptime_counts_the_night(1_000.0, 30.0, NIGHT, 1_030.0 + NIGHT, false)]
#[case::the_uptime_stands_still_at_night(1_000.0, 30.0, NIGHT, 1_030.0, false)]
#[case::the_uptime_stands_still_and_a_slow_answer(1_000.0, 30.0, NIGHT, 1_039.9, false)]
#[case::it_stands_still_in_the_first_moments(0.1, 30.0, NIGHT, 30.0, false)]
#[case::restarted_before_a_night_that_it_counts(1_000.0, 30.0, NIGHT, NIGHT + 29.0, true)]
#[case::restarted_after_that_night(1_000.0, 30.0, NIGHT, 3.0, true)]
#[case::restarted_in_the_middle_of_that_night(1_000.0, 30.0, NIGHT, NIGHT / 2.0, true)]
#[case::restarted_before_a_night_that_it_does_not_count(10.0, 30.0, NIGHT, 29.0, true)]
#[case::restarted_just_after_the_answer(20.0, 30.0, NIGHT, 30.0, true)]
fn a_restart_is_told_whether_or_not_the_uptime_counts_a_suspension(
    #[case] before: f64,
    #[case] running: f64,
    #[case] asleep: f64,
    #[case] now: f64,
    #[case] restarted: bool,
) {
    let answered_at = "2026-05-05T12:00:00Z".parse().unwrap();
    let last = LastScrape { epoch: EPOCH, uptime: before, answered_at };
    let passed = Passed { real: running + asleep, running };
    assert_eq!(epoch_since(&last, passed, now), EPOCH + i64::from(restarted));
}

#[test]
fn clocks_of_two_lives_of_the_machine_are_not_compared() {
    let clocks = |boot: &str, real| Clocks { boot: boot.to_owned(), real, running: real / 2.0 };
    assert_eq!(clocks("a", 30.0).since(&clocks("a", 10.0)), Some(Passed { real: 20.0, running: 10.0 }));
    assert_eq!(clocks("b", 30.0).since(&clocks("a", 10.0)), None);
    assert_eq!(clocks("a", 10.0).since(&clocks("a", 30.0)), None);
}

#[test]
fn no_time_is_too_long() {
    let last = LastScrape { epoch: EPOCH, uptime: 1.0, answered_at: "2026-05-05T12:00:00Z".parse().unwrap() };
    let passed = Passed { real: f64::MAX, running: f64::MAX };
    assert_eq!(epoch_since(&last, passed, 5.0), EPOCH + 1);
}
