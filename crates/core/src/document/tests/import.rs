use chrono::{DateTime, Utc};
use rstest::rstest;

use crate::document::{DisabledBecause, ImportError, ImportedUser, read_users};
use crate::user::{Limit, Limits, PLACEHOLDER, Secret};

const SECRET: &str = "00112233445566778899AABBCCDDEEFF";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn limit(value: i64) -> Limit {
    Limit::try_from(value).unwrap()
}

fn plain(name: &str) -> ImportedUser {
    ImportedUser {
        username: name.parse().unwrap(),
        secret: SECRET.parse().unwrap(),
        disabled: None,
        expire_at: None,
        limits: Limits::default(),
        note: String::new(),
    }
}

/// The file with `alice` and these other lines.
fn with_alice(rest: &str) -> String {
    format!("[access.users]\nalice = \"{SECRET}\"\n{rest}\n")
}

fn problems(text: &str) -> Vec<String> {
    match read_users(text) {
        Err(ImportError::Users(problems)) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn users_come_with_all_their_limits_in_the_order_of_the_file() {
    let text = format!(
        "\u{feff}[access]\nusers = {{ zed = \"{SECRET}\", alice = \"{SECRET}\", {PLACEHOLDER} = \"{SECRET}\" }}\n\
         user_max_tcp_conns.alice = 3\nuser_max_unique_ips.alice = 2\nuser_enabled.zed = false\nuser_enabled.alice = true\n\
         [access.user_data_quota]\nalice = 1_000\n[access.user_expirations]\nalice = 2027-01-02T03:04:05Z\n"
    );
    let zed = ImportedUser { disabled: Some(DisabledBecause::File), ..plain("zed") };
    let alice = ImportedUser {
        expire_at: Some(at("2027-01-02T03:04:05Z")),
        limits: Limits { data: Some(limit(1000)), connections: Some(limit(3)), addresses: Some(limit(2)) },
        ..plain("alice")
    };
    assert_eq!(read_users(&text), Ok(vec![zed, alice]));
}

#[rstest]
#[case("")]
#[case("# c")]
#[case("[access]\nreplay_check_len = 5\n")]
#[case("[access.user_enabled]\ngone = false\nbad = 5\n")]
fn a_file_without_users_has_none(#[case] text: &str) {
    assert_eq!(read_users(text), Ok(vec![]));
}

#[rstest]
#[case("\"2027-01-02T03:04:05Z\"", "2027-01-02T03:04:05Z")]
#[case("\"2027-01-02T03:04:05.999+03:00\"", "2027-01-02T00:04:05Z")]
#[case("2027-01-02T03:04:05.5-01:00", "2027-01-02T04:04:05Z")]
#[case("2027-01-02 03:04:05z", "2027-01-02T03:04:05Z")]
fn expirations_are_read_quoted_or_not_in_any_offset(#[case] written: &str, #[case] read: &str) {
    let users = read_users(&with_alice(&format!("[access.user_expirations]\nalice = {written}"))).unwrap();
    assert_eq!(users[0].expire_at, Some(at(read)));
}

#[test]
fn no_connections_and_no_addresses_mean_no_limit_and_no_quota_means_blocked() {
    let zeros = "[access]\nuser_max_tcp_conns.alice = 0\nuser_max_unique_ips.alice = 0";
    assert_eq!(read_users(&with_alice(zeros)), Ok(vec![plain("alice")]));
    let quota = "[access.user_data_quota]\nalice = 0";
    let blocked = ImportedUser { disabled: Some(DisabledBecause::ZeroQuota), ..plain("alice") };
    assert_eq!(read_users(&with_alice(quota)), Ok(vec![blocked]));
    let off = ImportedUser { disabled: Some(DisabledBecause::File), ..plain("alice") };
    assert_eq!(read_users(&with_alice(&format!("{quota}\n[access.user_enabled]\nalice = false"))), Ok(vec![off]));
}

#[test]
fn every_problem_is_reported_with_its_place_and_without_a_secret() {
    let text = format!(
        "[access.users]\n\"a b\" = \"{SECRET}\"\nalice = \"{SECRET}0\"\n\"ALICE\" = 5\n\n[access.user_max_tcp_conns]\n\
         alice = -1\n[access.user_max_unique_ips]\nalice = 1.5\n[access.user_data_quota]\nalice = \"5\"\n\
         [access.user_expirations]\nalice = 2027-01-02\n[access.user_enabled]\n  alice = 1\n"
    );
    let number = "\"alice\" must be a whole number, 0 or more";
    let expected = vec![
        "line 2, column 1: [access.users] \"a b\" may hold only Latin letters, digits, '_', '.' and '-'".to_owned(),
        "line 3, column 9: [access.users] \"alice\" has a secret that is not 32 hex digits".to_owned(),
        "line 4, column 1: [access.users] \"ALICE\" differs from another name only by case".to_owned(),
        "line 4, column 11: [access.users] \"ALICE\" has a secret that is not 32 hex digits".to_owned(),
        format!("line 7, column 9: [access.user_max_tcp_conns] {number}"),
        format!("line 9, column 9: [access.user_max_unique_ips] {number}"),
        format!("line 11, column 9: [access.user_data_quota] {number}"),
        "line 13, column 9: [access.user_expirations] \"alice\" must be a date and time with an offset".to_owned(),
        "line 15, column 11: [access.user_enabled] \"alice\" must be true or false".to_owned(),
    ];
    assert_eq!(problems(&text), expected);
    let error = read_users(&text).unwrap_err();
    assert_eq!(error.to_string(), expected.join("\n"));
    assert!(!format!("{error:?}").contains(SECRET));
}

#[rstest]
#[case("alice = 2027-01-02T03:04:05")]
#[case("alice = 03:04:05")]
#[case("alice = 1800000000")]
#[case("alice = \"2027-01-02\"")]
#[case("alice = \"2027-01-02T03:04:05\"")]
#[case("alice = \"soon\"")]
fn dates_without_a_time_or_an_offset_are_refused(#[case] row: &str) {
    assert_eq!(problems(&with_alice(&format!("[access.user_expirations]\n{row}"))).len(), 1);
}

#[rstest]
#[case("ab", "must have 3 to 32 characters")]
#[case("scope_x", "reserved")]
#[case("Mtpannel-Placeholder", "reserved")]
#[case("a\\nb\u{e9}", "may hold only")]
fn names_outside_the_rule_are_reported_in_one_line(#[case] name: &str, #[case] message: &str) {
    let problems = problems(&format!("[access.users]\n\"{name}\" = \"{SECRET}\"\n"));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains(message) && !problems[0].contains('\n'), "{problems:?}");
}

#[test]
fn a_secret_is_read_in_any_case() {
    let users = read_users(&with_alice("")).unwrap();
    assert_eq!(users[0].secret, SECRET.to_ascii_lowercase().parse::<Secret>().unwrap());
}

#[test]
fn reasons_can_be_told_to_an_operator() {
    assert_eq!(DisabledBecause::File.to_string(), "disabled in the file");
    assert!(DisabledBecause::ZeroQuota.to_string().contains("quota of 0"));
}
