//! Entries of deleted users in tables that the panel does not manage.

use std::path::Path;

use rstest::rstest;

use crate::document::{Layout, without_entries};
use crate::include::Source;
use crate::user::Username;

fn cleared(text: &str, names: &[&str]) -> String {
    let names: Vec<Username> = names.iter().map(|name| name.parse().unwrap()).collect();
    without_entries(&Source::alone(text), &names.iter().collect::<Vec<_>>()).unwrap().text
}

/// Every form of an entry: file, names that are gone, what is left.
#[rstest]
#[case::rows(
    "[access.user_ad_tags]\nbob = \"x\"\nalice = \"y\" # z\n\"carol\" = \"z\"\n",
    "[access.user_ad_tags]\nbob = \"x\"\n\"carol\" = \"z\"\n"
)]
#[case::the_last_one("[access.user_ad_tags]\nalice = \"y\"", "[access.user_ad_tags]\n")]
#[case::several_lines(
    "[access.user_source_deny]\r\nalice = [\r\n  \"10.0.0.0/8\", # x\r\n]\r\nbob = []\r\n",
    "[access.user_source_deny]\r\nbob = []\r\n"
)]
#[case::headers(
    "[access.user_rate_limits.alice]\nup_bps = 1\n\ndown_bps = 2\n\n# next\n[access.user_rate_limits.bob]\nup_bps = 1\n",
    "\n# next\n[access.user_rate_limits.bob]\nup_bps = 1\n"
)]
#[case::deeper_headers(
    "[access.user_new.alice.x]\ny = 1\n[[access.user_new.alice.z]]\n[access.user_new]\nbob = 1\n",
    "[access.user_new]\nbob = 1\n"
)]
#[case::quoted(
    "[access.\"user_rate_limits\"]\n\"alice\".up_bps = 1\n'alice'.down_bps = 2\nalicea = {}\n",
    "[access.\"user_rate_limits\"]\nalicea = {}\n"
)]
#[case::escaped("access.user_ad_tags.\"al\\u0069ce\" = \"x\"\nx = 1\n", "x = 1\n")]
#[case::dotted_under_access(
    "[access]\nuser_ad_tags.alice = \"x\"\nreplay_check_len = 5\n",
    "[access]\nreplay_check_len = 5\n"
)]
#[case::inline_first(
    "[access]\nuser_ad_tags = { alice = \"x\", bob = \"y\" } # z\n",
    "[access]\nuser_ad_tags = { bob = \"y\" } # z\n"
)]
#[case::inline_last(
    "[access]\nuser_ad_tags = { bob = \"y\" , alice = \"x\" }\n",
    "[access]\nuser_ad_tags = { bob = \"y\" }\n"
)]
#[case::inline_only("access.user_ad_tags = { alice = \"x\" }\n", "access.user_ad_tags = {  }\n")]
#[case::inline_between("access.user_x = {a={b=1},alice.c={},alice.d=2,e=3}", "access.user_x = {a={b=1},e=3}")]
#[case::all_inline(
    "access = { user_x = { alice = 1, bob = 2 }, user_y.alice = 3, users = {} }",
    "access = { user_x = { bob = 2 }, users = {} }"
)]
#[case::after_a_mark("\u{feff}[access.user_ad_tags]\nalice = \"x\"\n", "\u{feff}[access.user_ad_tags]\n")]
fn entries_of_a_deleted_name_go_in_whatever_form_they_stand(#[case] text: &str, #[case] left: &str) {
    assert!(Layout::parse(text).unwrap().has_entry(&"alice".parse().unwrap()));
    assert_eq!(cleared(text, &["alice"]), left);
    assert_eq!(cleared(left, &["alice"]), left);
    assert!(Layout::parse(left).is_ok_and(|layout| !layout.has_entry(&"alice".parse().unwrap())));
}

#[rstest]
#[case::other_names("[access.user_ad_tags]\nAlice = \"x\"\nbob = \"x\"\n")]
#[case::managed("[access.users]\nalice = \"x\"\n[access.user_enabled]\nalice = false\n")]
#[case::not_by_user(
    "[access.cidr_rate_limits]\nalice = {}\n[access]\nuser_max_unique_ips_mode = \"alice\"\nx.alice = 1\n"
)]
#[case::elsewhere("[user_ad_tags]\nalice = \"x\"\n[x.access.user_ad_tags]\nalice = \"x\"\n")]
fn nothing_else_is_touched(#[case] text: &str) {
    assert_eq!(cleared(text, &["alice"]), text);
}

#[test]
fn many_names_go_at_once() {
    let text = "access = { user_x = { ann = 1, bob = 2, cat = 3, dan = 4 } }";
    assert_eq!(cleared(text, &["cat", "dan", "ann"]), "access = { user_x = { bob = 2 } }");
    assert_eq!(cleared(text, &["ann", "bob", "cat", "dan"]), "access = { user_x = {  } }");
    assert_eq!(cleared(text, &["bob", "cat"]), "access = { user_x = { ann = 1, dan = 4 } }");
}

#[test]
fn an_entry_in_an_included_file_is_named() {
    let read = |_: &Path| Ok("# x\n[access.user_ad_tags]\nalice = \"x\"\n".to_owned());
    let source = Source::read(Path::new("main.toml"), "include = \"p\"\n[access.user_x]\nalice = 1\n", read).unwrap();
    let name = "alice".parse().unwrap();
    let cleared = without_entries(&source, &[&name]).unwrap();
    assert_eq!(cleared.text, "include = \"p\"\n[access.user_x]\n");
    assert_eq!(cleared.included, [("p".into(), 3)]);
}
