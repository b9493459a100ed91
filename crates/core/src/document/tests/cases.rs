use super::check::{assert_rules, managed, unmanaged};
use crate::access::{Access, Entry, SessionCut};
use crate::document::{DocumentError, ImportError, Layout, read_users};
use crate::user::{Limit, Limits, PLACEHOLDER, Secret, Status};
use chrono::{DateTime, Utc};
use rstest::rstest;

const NOW: &str = "2026-05-05T12:00:00Z";
const OLD: &str = "ffffffffffffffffffffffffffffffff";
const ALICE: &str = "\"alice\" = \"01010101010101010101010101010101\"\n";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn entry(name: &str) -> Entry {
    Entry {
        username: name.parse().unwrap(),
        secret: Secret::new([1; 16]),
        status: Status::Active,
        expire_at: None,
        limits: Limits::default(),
        usage_base: 0,
    }
}

fn limit(value: i64) -> Limit {
    Limit::try_from(value).unwrap()
}

fn full(name: &str) -> Entry {
    Entry {
        expire_at: Some(at("2027-01-02T03:04:05Z")),
        limits: Limits { data: Some(limit(1_000)), connections: Some(limit(3)), addresses: Some(limit(2)) },
        usage_base: 24,
        ..entry(name)
    }
}

fn access(entries: Vec<Entry>) -> Access {
    Access::new(entries, &[], at(NOW))
}

fn alice() -> Access {
    access(vec![entry("alice")])
}

fn fresh() -> Secret {
    Secret::new([0xab; 16])
}

fn render(text: &str, access: &Access) -> String {
    Layout::parse(text).unwrap().render(access, &fresh())
}

/// Every form that TOML has for the managed tables, and files with none.
#[rstest]
#[case::nothing("")]
#[case::mark_only("\u{feff}")]
#[case::blank("\n\n")]
#[case::comment("# nothing here")]
#[case::headers("[access.users]\na = \"OLD\"\n\n[access.user_enabled]\na = false\n")]
#[case::quoted_headers(
    "[ access . \"users\" ] # mine\na = \"OLD\"\n['access'.\"user_enable\\u0064\"]\n'b c' = false\n"
)]
#[case::under_access(
    "[access]\nreplay_check_len = 5\nusers.a = \"OLD\"\nusers.\"b c\" = \"OLD\"\nuser_enabled.a = false\n"
)]
#[case::inline_under_access("[access]\nusers = { a = \"OLD\" } # mine\nignore_time_skew = true\nuser_enabled = {}\n")]
#[case::dotted_at_the_root("access.users.a = \"OLD\"\nx = 1\naccess.user_enabled.a = false\n[server]\nport = 1\n")]
#[case::dotted_with_scalars("access.replay_check_len = 5\naccess.users.a = \"OLD\"\n[server]\nport = 1\n")]
#[case::inline_at_the_root("access.users = { a = \"OLD\" }\n[server]\nport = 1\n")]
#[case::all_inline("access = { users = { a = \"OLD\" }, replay_check_len = 5, user_enabled.a = false }\n[server]\n")]
#[case::all_inline_and_managed("x = 1\n'access' = {users={},user_enabled={a=false}}\n[server]\n")]
#[case::inline_without_managed("access = { replay_check_len = 5, x.y = [1, { z = 2 }], user_ad_tags = { a = \"t\" } }")]
#[case::empty_inline("access = {}")]
#[case::inline_with_newlines(
    "access = { # one\n  users = { a = \"OLD\" }, # two\n  replay_check_len = [\n5 # in\n], # three\n  # four\n} # five\n"
)]
#[case::implicit_access("[access.user_rate_limits]\na = { up_bps = 1 }\n[access.users]\na = \"OLD\"\n")]
#[case::only_unmanaged_tables("[access.user_ad_tags]\na = \"t\"\n[x]\n")]
#[case::access_after_its_tables("[access.users]\na = \"OLD\"\n[x]\ny = 1\n[access]\nreplay_check_len = 5\n[z]\n")]
#[case::scattered("[access.user_enabled]\na = false\n[x]\ny = 1\n[access.users]\na = \"OLD\"\n# end")]
#[case::mixed_forms(
    "[access.users]\na = \"OLD\"\n[x]\n[access]\nuser_enabled.a = false\nuser_data_quota = { a = 1 }\n"
)]
#[case::tables_in_managed_tables("[access.users.a]\nb = 1\n[[access.users.c]]\nd = 1\n[x]\ny = 2\n")]
#[case::text_that_looks_managed(
    "x = \"\"\"\n[access.users]\na = 1\n\"\"\"\ny = [\n# [access.users]\n1]\n[b.access.users]\nc = 1\n"
)]
#[case::no_final_newline("[server]\nport = 1")]
#[case::managed_last_without_newline("[server]\nport = 1\n[access.users]\na = \"OLD\"")]
#[case::windows("# c\r\n[access.users]\r\na = \"OLD\"\r\n\r\n# d\r\n[x]\r\ny = 1\r\n")]
#[case::mixed_newlines("# c\n[access.users]\r\na = \"OLD\"\n\r\n# d\r\n[x]\ny = 1\r\n")]
#[case::windows_in_what_goes("access.users.a = \"OLD\"\r\n")]
#[case::marked("\u{feff}[access.users]\na = \"OLD\"\n")]
#[case::odd_whitespace("\t[access.users]\t# c\n  a\t=\t\"OLD\"\n \t\n\t# d\n  [x]\n\ty=1")]
#[case::comments_in_the_group(
    "[access.user_enabled]\na = false\n# u\n[access.users]\n# v\n\n# w\n[access.user_data_quota]\n"
)]
fn every_form_of_the_tables_is_replaced_and_nothing_else(#[case] text: &str) {
    let text = text.replace("OLD", OLD);
    let cut =
        SessionCut { username: "gone".parse().unwrap(), ordered_at: at(NOW), written_at: None, user_deleted: false };
    let many = Access::new(vec![full("bob"), entry("include"), full("a.b")], &[cut], at(NOW));
    for access in [access(vec![]), alice(), many] {
        assert_rules(&text, &access);
        assert!(!render(&text, &access).contains(OLD));
    }
}

#[test]
fn all_six_tables_are_written_in_their_order_and_form() {
    let off = Entry { status: Status::Disabled, ..full("zed") };
    let users = access(vec![full("include"), off, entry("a.b")]);
    let expected = "[access.users]
\"a.b\" = \"01010101010101010101010101010101\"
\"include\" = \"01010101010101010101010101010101\"

[access.user_max_tcp_conns]
\"include\" = 3

[access.user_data_quota]
\"include\" = 1024

[access.user_expirations]
\"include\" = \"2027-01-02T03:04:05Z\"

[access.user_max_unique_ips]
\"include\" = 2

[access.user_enabled]
\"zed\" = false
";
    assert_eq!(render("", &users), expected);
}

#[test]
fn someone_with_a_new_secret_is_there_and_disabled() {
    let cut =
        SessionCut { username: "alice".parse().unwrap(), ordered_at: at(NOW), written_at: None, user_deleted: false };
    let text = render("", &Access::new(vec![entry("alice")], &[cut], at(NOW)));
    assert_eq!(text, format!("[access.users]\n{ALICE}\n[access.user_enabled]\n\"alice\" = false\n"));
}

#[rstest]
#[case::nothing("", "USERS")]
#[case::mark("\u{feff}", "\u{feff}USERS")]
#[case::comment("# c", "# c\n\nUSERS")]
#[case::at_the_end("[x]\ny = 1\n", "[x]\ny = 1\n\nUSERS")]
#[case::no_second_blank_line("[x]\ny = 1\n \n", "[x]\ny = 1\n \nUSERS")]
#[case::after_access("[access]\na = 1\n[x]\n", "[access]\na = 1\n\nUSERS\n[x]\n")]
#[case::after_access_and_blank("[access]\n\n\n[x]\n", "[access]\n\n\nUSERS\n[x]\n")]
#[case::comment_of_the_next("[access]\na = 1\n# x\n# xx\n[x]\n", "[access]\na = 1\n\nUSERS\n# x\n# xx\n[x]\n")]
#[case::comment_of_access("[access]\n# b = 1\n\n# x\n[x]\n", "[access]\n# b = 1\n\nUSERS\n# x\n[x]\n")]
#[case::access_last("[access]\n# b = 1", "[access]\n# b = 1\n\nUSERS")]
#[case::in_place("[a]\n# u\n[access.users]\nb = \"OLD\"\n# x\n[x]\n", "[a]\n# u\nUSERS# x\n[x]\n")]
#[case::first_place("[access.user_enabled]\n[x]\n[access.users]\n# y\n[y]\n", "USERS[x]\n# y\n[y]\n")]
#[case::before_access("[access.users]\n[x]\n[access]\na = 1\n", "USERS[x]\n[access]\na = 1\n")]
#[case::dotted("access.users.a = 1\nb = 1 # b\n# x\n[x]\n", "b = 1 # b\n# x\n[x]\n\nUSERS")]
#[case::inline("access = {a = 'x', users = {}} # c\nb = 1\n", "access.a = 'x' # c\nb = 1\n\nUSERS")]
#[case::inline_key_alone("access = {a\n= 1, 'b' . c = 2}\n", "access.a = 1\naccess.'b'.c = 2\n\nUSERS")]
#[case::inline_and_managed("x = 1\naccess = {users = {}} # c\nb = 1\n", "x = 1\nb = 1\n\nUSERS")]
#[case::inline_comments("access = {# c\na = 1, # d\n}", "# c\naccess.a = 1\n# d\n\nUSERS")]
#[case::spelling(" \"access\" = { a . b =\t1, c = 2 }\r\n", " access.a.b = 1\r\naccess.c = 2\r\n\r\nUSERS")]
#[case::under_access("[access]\n users.a = 1 # a\nb = 1\n", "[access]\nb = 1\n\nUSERS")]
fn the_tables_go_where_the_first_stood_or_after_access_or_at_the_end(#[case] text: &str, #[case] expected: &str) {
    let newline = if expected.contains('\r') { "\r\n" } else { "\n" };
    let users = format!("[access.users]\n{ALICE}").replace('\n', newline);
    assert_eq!(render(text, &alice()), expected.replace("USERS", &users));
}

#[test]
fn comments_stay_above_the_managed_header_they_describe() {
    let text = "# users\n[access.users]\n\n# quota\n\n[access.user_data_quota]\na = 1\n# bob = 1\n\n# x\n[x]\n";
    let written = render(text, &access(vec![full("alice")]));
    let expected = format!(
        "# users\n[access.users]\n{ALICE}\n[access.user_max_tcp_conns]\n\"alice\" = 3\n\n# quota\n\n\
         [access.user_data_quota]\n\"alice\" = 1024\n\n[access.user_expirations]\n\"alice\" = \"2027-01-02T03:04:05Z\"\n\n\
         [access.user_max_unique_ips]\n\"alice\" = 2\n# bob = 1\n\n# x\n[x]\n"
    );
    assert_eq!(written, expected);
    let without = format!("# users\n[access.users]\n{ALICE}\n# quota\n\n# bob = 1\n\n# x\n[x]\n");
    assert_eq!(render(text, &alice()), without);
    assert_eq!(render(&written, &alice()), without);
}

#[rstest]
#[case("# c\r\n[access.users]\n[x]\n", "\r\n")]
#[case("# c\n[access.users]\r\n[x]\r\n", "\n")]
#[case("[access.users]\n[x]\r\n", "\r\n")]
#[case("[access.users]\r\n[access.user_enabled]\r\n", "\r\n")]
#[case("[access.user_enabled]\n# c\r\n[access.users]\n", "\r\n")]
#[case("[x]", "\n")]
fn the_managed_text_has_the_line_ending_of_the_text_that_stays(#[case] text: &str, #[case] newline: &str) {
    let users = format!("[access.users]\n{ALICE}").replace('\n', newline);
    assert!(render(text, &alice()).contains(&users));
}

#[test]
fn nobody_served_is_a_disabled_placeholder_with_a_fresh_secret() {
    let off = Entry { status: Status::Disabled, ..full("alice") };
    let text = render("", &access(vec![off]));
    let secret = fresh().to_hex();
    let expected = format!(
        "[access.users]\n\"{PLACEHOLDER}\" = \"{secret}\"\n\n[access.user_enabled]\n\"{PLACEHOLDER}\" = false\n\"alice\" = false\n"
    );
    assert_eq!(text, expected);
}

#[rstest]
#[case::header("[access.users]\n\"NAME\" = \"FFFFFFFFffffffffffffffffffffffff\"\n", true)]
#[case::inline("access = { users = { NAME = \"FFFFFFFFffffffffffffffffffffffff\" } }", true)]
#[case::among_others("[access.users]\na = \"x\"\nNAME = \"ffffffffffffffffffffffffffffffff\"\n", true)]
#[case::no_secret("[access.users]\nNAME = \"zz\"\n", false)]
#[case::no_text("[access.users]\nNAME = 1\n", false)]
#[case::other_table("[access.user_enabled]\nNAME = \"ffffffffffffffffffffffffffffffff\"\n", false)]
fn a_placeholder_that_stands_keeps_its_secret(#[case] text: &str, #[case] kept: bool) {
    let text = render(&text.replace("NAME", PLACEHOLDER), &access(vec![]));
    let secret = if kept { OLD.to_owned() } else { fresh().to_hex() };
    assert!(text.contains(&format!("\"{PLACEHOLDER}\" = \"{secret}\"\n")));
    assert_eq!(Layout::parse(&text).unwrap().render(&access(vec![]), &Secret::new([9; 16])), text);
    assert!(!render(&text, &alice()).contains(PLACEHOLDER));
}

#[test]
fn a_layout_that_is_kept_stays_with_its_first_placeholder() {
    let layout = Layout::parse("").unwrap();
    let text = layout.render(&access(vec![]), &fresh());
    layout.render(&alice(), &Secret::new([8; 16]));
    assert_eq!(layout.render(&access(vec![]), &Secret::new([9; 16])), text);
    assert_eq!(layout.clone().render(&access(vec![]), &Secret::new([9; 16])), text);
}

#[test]
fn one_layout_renders_like_the_file_it_last_gave() {
    let layout = Layout::parse("[access]\nusers.a = \"x\"\n# c\n[x]\n").unwrap();
    let (none, one, more) = (access(vec![]), alice(), access(vec![full("alice"), full("bob")]));
    for (before, after) in [(&none, &one), (&one, &more), (&more, &none)] {
        let reread = Layout::parse(&layout.render(before, &fresh())).unwrap();
        assert_eq!(reread.render(after, &fresh()), layout.render(after, &fresh()));
    }
}

#[rstest]
#[case("2026-12-31T23:59:59.9Z", "2026-12-31T23:59:59Z")]
#[case("2026-06-01T00:00:00+03:00", "2026-05-31T21:00:00Z")]
#[case("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z")]
#[case("+12026-01-01T00:00:00Z", "9999-12-31T23:59:59Z")]
fn expirations_are_whole_seconds_of_utc_that_the_proxy_can_read(#[case] end: &str, #[case] written: &str) {
    let user = Entry { expire_at: Some(at(end)), ..entry("alice") };
    let text = render("", &access(vec![user]));
    assert!(text.ends_with(&format!("[access.user_expirations]\n\"alice\" = \"{written}\"\n")), "{text}");
}

#[rstest]
#[case::syntax("# c\n[server\n", 2, 8)]
#[case::two_marks("\u{feff}\u{feff}[access.users]\n", 1, 1)]
#[case::value("a = 1\nb = \"é\" x\n", 2, 9)]
#[case::duplicate("[access.users]\na = \"OLD\"\na = \"OLD\"\n", 3, 1)]
#[case::duplicate_table("\u{feff}[access.users]\r\n[access.users]\r\n", 2, 9)]
#[case::secret_without_end("[access.users]\na = \"OLD\n", 2, 38)]
#[case::secret_without_quotes("[access.users]\na = OLD\n", 2, 5)]
fn a_file_that_does_not_parse_is_an_error_with_its_place(
    #[case] text: &str,
    #[case] line: usize,
    #[case] column: usize,
) {
    let error = Layout::parse(&text.replace("OLD", OLD)).unwrap_err();
    assert_eq!((error.line, error.column), (line, column), "{error}");
    assert!(error.to_string().starts_with(&format!("line {line}, column {column}: ")));
    assert!(!format!("{error} {error:?}").contains(OLD));
    assert!(!error.message.is_empty() && !error.message.contains('\n'));
}

#[rstest]
#[case::access("x = 1\naccess = 5\n", "access", 2, 10)]
#[case::access_array("access = [ { users = {} } ]", "access", 1, 10)]
#[case::access_tables("# c\n\n [[access]]\n[access.users]\n", "access", 3, 2)]
#[case::users("[access]\nusers = 5\n", "access.users", 2, 9)]
#[case::users_array("[access]\nusers = [{}]\n", "access.users", 2, 9)]
#[case::users_tables("[[access.users]]\na = \"x\"\n", "access.users", 1, 1)]
#[case::dotted("access.'user_enabled' = false", "access.user_enabled", 1, 25)]
#[case::inline("access = { x = 1, user_data_quota = 5 }", "access.user_data_quota", 1, 37)]
#[case::first_of_two("[access]\nusers = 5\nuser_enabled = 5\n", "access.users", 2, 9)]
fn a_managed_key_that_is_no_table_is_an_error(
    #[case] text: &str,
    #[case] path: &str,
    #[case] line: usize,
    #[case] column: usize,
) {
    let error = Layout::parse(text).unwrap_err();
    let message = format!("{path} must be a table, such as [{path}]");
    assert_eq!(error, DocumentError { file: None, line, column, message });
    assert_eq!(read_users(text), Err(ImportError::Document(error)));
}

#[test]
fn keys_that_only_resemble_managed_ones_stay() {
    let text = "[access]\nUsers = 1\nuser_max_tcp_conns_global_each = 2\n[Access]\nusers = 3\n[x.access]\nusers = 4\n";
    let written = render(text, &alice());
    assert_eq!(unmanaged(&written), unmanaged(text));
    assert_eq!(managed(&written).len(), 1);
}

#[test]
fn a_layout_does_not_print_what_it_holds() {
    let layout = Layout::parse(&format!("x = \"{OLD}\"")).unwrap();
    assert!(!format!("{layout:?}").contains(OLD));
}
