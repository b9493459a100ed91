//! Names, secrets, statuses, and properties of every change of a user.

use chrono::{TimeDelta, TimeZone};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::patch::Patch;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[rstest]
#[case("abc")]
#[case("include")]
#[case("a.b-c_D9")]
#[case("abcdefghijklmnopqrstuvwxyz012345")]
fn names_within_the_rule_are_kept_as_written(#[case] name: &str) {
    assert_eq!(name.parse::<Username>().unwrap().as_str(), name);
}

#[rstest]
#[case("ab", UsernameError::Length)]
#[case("abcdefghijklmnopqrstuvwxyz0123456", UsernameError::Length)]
#[case("", UsernameError::Length)]
#[case("алиса", UsernameError::Character)]
#[case("a b", UsernameError::Character)]
#[case("a\"b", UsernameError::Character)]
#[case("abc\n", UsernameError::Character)]
#[case("scope_x", UsernameError::Reserved)]
#[case("SCOPE_x", UsernameError::Reserved)]
#[case(PLACEHOLDER, UsernameError::Reserved)]
#[case("Mtpannel-Placeholder", UsernameError::Reserved)]
fn names_outside_the_rule_are_refused(#[case] name: &str, #[case] reason: UsernameError) {
    assert_eq!(name.parse::<Username>(), Err(reason));
}

#[test]
fn a_secret_round_trips_in_lower_case_and_does_not_print() {
    let secret: Secret = "00112233445566778899AABBCCDDEEFF".parse().unwrap();
    assert_eq!(secret.to_hex(), "00112233445566778899aabbccddeeff");
    assert!(!format!("{secret:?}").contains("0011"));
    assert!("00".parse::<Secret>().is_err());
    assert!("zz112233445566778899aabbccddeeff".parse::<Secret>().is_err());
}

#[rstest]
#[case(false, None, None, i64::MAX, Status::Active)]
#[case(true, Some("2026-01-01T00:00:00Z"), Some(1), 5, Status::Disabled)]
#[case(false, Some("2026-05-05T12:00:00Z"), Some(1), 5, Status::Expired)]
#[case(false, Some("2026-05-05T12:00:01Z"), Some(5), 5, Status::Limited)]
#[case(false, Some("2026-05-05T12:00:01Z"), Some(6), 5, Status::Active)]
fn disabled_goes_before_expired_before_limited(
    #[case] disabled: bool,
    #[case] expire_at: Option<&str>,
    #[case] limit: Option<i64>,
    #[case] data_used: i64,
    #[case] expected: Status,
) {
    let standing = Standing {
        disabled,
        expire_at: expire_at.map(at),
        data_limit: limit.map(|limit| Limit::try_from(limit).unwrap()),
        data_used,
    };
    assert_eq!(standing.status(at("2026-05-05T12:00:00Z")), expected);
}

#[test]
fn words_round_trip() {
    for status in Status::ALL {
        assert_eq!(status.as_str().parse(), Ok(status));
    }
    for strategy in ResetStrategy::ALL {
        assert_eq!(strategy.as_str().parse(), Ok(strategy));
    }
    assert_eq!("Active".parse::<Status>(), Err(UnknownWord));
}

/// A moment within some years of the epoch, in seconds.
fn moments() -> impl Strategy<Value = DateTime<Utc>> {
    (0..4_000_000_000_i64).prop_map(|seconds| Utc.timestamp_opt(seconds, 0).unwrap())
}

/// A limit and usage near each other, so that either is often the larger.
fn limit() -> impl Strategy<Value = Option<Limit>> {
    proptest::option::of((1..1_000_i64).prop_map(|value| Limit::try_from(value).unwrap()))
}

fn limits() -> impl Strategy<Value = Limits> {
    (limit(), limit(), limit()).prop_map(|(data, connections, addresses)| Limits { data, connections, addresses })
}

fn strategies() -> impl Strategy<Value = ResetStrategy> {
    proptest::sample::select(ResetStrategy::ALL.to_vec())
}

fn profiles() -> impl Strategy<Value = Profile> {
    let usage = (0..1_000_i64, proptest::option::of(0..1_000_i64));
    let dates = (proptest::option::of(moments()), strategies(), proptest::option::of(moments()));
    let status = proptest::sample::select(Status::ALL.to_vec());
    (status, limits(), usage, dates, "[a-z]{0,5}").prop_map(|(status, limits, usage, dates, note)| Profile {
        status,
        limits,
        data_used: usage.0,
        usage_base: usage.1,
        expire_at: dates.0,
        note,
        reset_strategy: dates.1,
        next_reset_at: dates.2,
    })
}

fn patched<T: std::fmt::Debug + Clone + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Patch<T>> {
    prop_oneof![Just(Patch::Keep), Just(Patch::Clear), value.prop_map(Patch::Set)].boxed()
}

fn patches() -> impl Strategy<Value = UserPatch> {
    let limit = || patched((1..1_000_i64).prop_map(|value| Limit::try_from(value).unwrap()));
    let limits = (limit(), limit(), limit());
    let others = (patched(moments()), patched("[a-z]{0,5}"), patched(strategies()));
    (proptest::option::of(any::<bool>()), limits, others).prop_map(|(disabled, limits, others)| UserPatch {
        disabled,
        limits: Limits { data: limits.0, connections: limits.1, addresses: limits.2 },
        expire_at: others.0,
        note: others.1,
        reset_strategy: others.2,
    })
}

/// Whether the stored status is the one that the rule gives.
fn is_status_right(profile: &Profile, now: DateTime<Utc>) -> bool {
    profile.status == profile.standing().status(now)
}

proptest! {
    #[test]
    fn an_update_sets_what_it_names_and_leaves_the_rest(before in profiles(), patch in patches(), now in moments()) {
        let mut after = before.clone();
        after.apply(patch.clone(), now);
        prop_assert!(is_status_right(&after, now));
        let limits = patch.limits.zip(before.limits).zip(after.limits);
        limits.each(|((patch, before), after)| assert_eq!(after, patch.apply(before)));
        prop_assert_eq!(after.expire_at, patch.expire_at.apply(before.expire_at));
        prop_assert_eq!(Some(after.note), patch.note.apply(Some(before.note)).or_else(|| Some(String::new())));
        prop_assert_eq!((after.data_used, after.usage_base), (before.data_used, before.usage_base));
        if after.reset_strategy == before.reset_strategy {
            prop_assert_eq!(after.next_reset_at, before.next_reset_at);
        } else {
            prop_assert_eq!(after.next_reset_at, after.reset_strategy.next_reset(now));
        }
        prop_assert_eq!(after.status == Status::Disabled, patch.disabled.unwrap_or(before.status == Status::Disabled));
    }

    #[test]
    fn an_update_that_comes_twice_is_the_same_as_once(before in profiles(), patch in patches(), now in moments()) {
        let mut once = before;
        once.apply(patch.clone(), now);
        let mut twice = once.clone();
        twice.apply(patch, now);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn a_reset_takes_all_usage_and_nothing_else(before in profiles(), lifetime in 0..i64::MAX, now in moments()) {
        let mut after = before.clone();
        after.reset_usage(lifetime, now);
        prop_assert!(is_status_right(&after, now) && after.status != Status::Limited);
        prop_assert_eq!(after.usage_base, before.usage_base.map(|_| lifetime));
        let Profile { status, usage_base, .. } = after;
        prop_assert_eq!(after, Profile { status, usage_base, data_used: 0, ..before });
    }

    #[test]
    fn days_are_added_to_the_later_of_end_and_now(before in profiles(), days in 1..3_650_i64, now in moments()) {
        let mut after = before.clone();
        after.add_days(days, now);
        prop_assert!(is_status_right(&after, now) && after.status != Status::Expired);
        prop_assert_eq!(after.expire_at, before.expire_at.map(|end| end.max(now) + TimeDelta::days(days)));
        let Profile { status, expire_at, .. } = after;
        prop_assert_eq!(after, Profile { status, expire_at, ..before });
    }

    #[test]
    fn bytes_raise_a_limit_and_make_none(before in profiles(), bytes in 1..i64::MAX, now in moments()) {
        let mut after = before.clone();
        after.add_bytes(bytes, now);
        prop_assert!(is_status_right(&after, now));
        let raised = before.limits.data.map(|limit| limit.get().saturating_add(bytes));
        prop_assert_eq!(after.limits.data.map(Limit::get), raised);
        let (status, limits) = (after.status, Limits { data: after.limits.data, ..before.limits });
        prop_assert_eq!(after, Profile { status, limits, ..before });
    }

    #[test]
    fn who_is_disabled_stays_so_until_enabled(before in profiles(), lifetime in 0..i64::MAX, now in moments()) {
        let mut user = before;
        user.set_disabled(true, now);
        user.reset_usage(lifetime, now);
        user.add_days(1, now);
        user.add_bytes(1, now);
        user.apply(UserPatch::default(), now);
        prop_assert_eq!(user.status, Status::Disabled);
        user.set_disabled(false, now);
        prop_assert!(is_status_right(&user, now) && user.status != Status::Disabled);
    }
}

#[test]
fn a_date_past_the_year_9999_is_not_set() {
    let end = Some(at("9999-12-31T00:00:00Z"));
    let mut user = Profile { expire_at: end, ..Profile::new() };
    user.add_days(1, at("2026-05-05T12:00:00Z"));
    assert_eq!(user.expire_at, end);
}
