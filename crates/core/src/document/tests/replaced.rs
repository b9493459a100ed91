//! What is lost when the managed tables are written anew, and comments that become notes.

use chrono::DateTime;
use proptest::prelude::*;
use rstest::rstest;

use super::generate;
use crate::access::Access;
use crate::document::{Layout, Managed, read_users};
use crate::include::Source;
use crate::user::Secret;

const SECRET: &str = "6384e2b2184bcbf58eccf10ca7a6563c";

fn managed(text: &str) -> Managed {
    Managed::of(&Source::alone(text.replace("SECRET", SECRET))).unwrap()
}

#[rstest]
#[case::equal("[access.users]\na = \"SECRET\"\n", "[access.users]\na = \"SECRET\"\n", false)]
#[case::another_form("access.users = { a = \"SECRET\" }\n", "[access.users]\n\"a\" = \"SECRET\"\n", false)]
#[case::more_is_no_loss("[access.users]\na = \"SECRET\"\n", "[access.users]\na = \"SECRET\"\nb = \"SECRET\"\n", false)]
#[case::a_name("[access.users]\na = \"SECRET\"\nb = \"SECRET\"\n", "[access.users]\na = \"SECRET\"\n", true)]
#[case::a_value("[access.user_data_quota]\na = 1\n", "[access.user_data_quota]\na = 2\n", true)]
#[case::a_table("[access.user_enabled]\na = false\n", "", true)]
#[case::a_comment_behind_a_row("[access.users]\na = \"SECRET\" # paid\n", "[access.users]\na = \"SECRET\"\n", true)]
#[case::a_comment_between_rows("[access.users]\n# paid\na = \"SECRET\"\n", "[access.users]\na = \"SECRET\"\n", true)]
#[case::a_comment_that_stays(
    "# mine\n[access.users]\na = \"SECRET\"\n# next\n[x]\n",
    "[access.users]\na = \"SECRET\"\n",
    false
)]
#[case::what_is_not_managed("[x]\ny = 1 # z\n", "", false)]
fn a_loss_is_a_name_a_value_or_a_comment(#[case] before: &str, #[case] after: &str, #[case] lost: bool) {
    assert_eq!(managed(before).is_lost_in(&managed(after)), lost);
}

proptest! {
    /// So that the panel knows its own tables again, whatever else has changed in the file.
    #[test]
    fn the_lines_of_managed_tables_are_told_as_they_were_written(file in generate::file(), access in generate::access()) {
        let layout = Layout::parse(&file.text).unwrap();
        let (text, ranges) = layout.render_with_ranges(&access, &Secret::new([1; 16]));
        let written: String = ranges.into_iter().map(|range| &text[range]).collect();
        prop_assert_eq!(Managed::of(&Source::alone(text)).unwrap().text, written);
    }
}

#[test]
fn what_was_rendered_loses_nothing_of_itself() {
    let access = Access::new(Vec::new(), &[], DateTime::UNIX_EPOCH);
    let text = Layout::parse("").unwrap().render(&access, &Secret::new([1; 16]));
    assert!(!managed(&text).is_lost_in(&managed(&text)));
}

#[rstest]
#[case::behind("alice = \"SECRET\" # paid until May", "paid until May")]
#[case::above("# a friend\n#of Bob\nalice = \"SECRET\"", "a friend\nof Bob")]
#[case::both("x.y = 1 # no\n# above\nalice = \"SECRET\" # behind\n# next", "above\nbehind")]
#[case::of_somebody_else("# of bob\nbob_ = \"SECRET\"\nalice = \"SECRET\"", "")]
#[case::apart_by_a_blank_line("# all of them\n\nalice = \"SECRET\"", "")]
#[case::a_secret_in_a_comment("# old = \"SECRET\"\n# keep\nalice = \"SECRET\" # was eeSECRET2e", "keep")]
#[case::of_other_tables("alice = \"SECRET\" # one\n[access.user_data_quota]\n# two\nalice = 5 # one", "one\ntwo")]
#[case::windows("# one\r\nalice = \"SECRET\" # two\r\n", "one\ntwo")]
#[case::nothing("alice = \"SECRET\" #", "")]
fn comments_of_a_users_line_become_the_note(#[case] rows: &str, #[case] note: &str) {
    let rows = rows.replace("x.y = 1 # no\n", "").replace("SECRET", SECRET);
    let users = read_users(&format!("[access.users]\n{rows}\n")).unwrap();
    let alice = users.iter().find(|user| user.username.as_str() == "alice").unwrap();
    assert_eq!(alice.note, note);
}

#[rstest]
#[case("access.users.alice = \"SECRET\" # dotted", "dotted")]
#[case("[access]\n# in line\nusers = { alice = \"SECRET\", bob_ = \"SECRET\" } # not of alice", "")]
fn comments_are_found_in_every_form_of_a_table(#[case] text: &str, #[case] note: &str) {
    assert_eq!(read_users(&text.replace("SECRET", SECRET)).unwrap()[0].note, note);
}

#[test]
fn a_long_comment_is_cut() {
    let text = format!("[access.users]\n# {}\nalice = \"{SECRET}\" # end\n", "ы".repeat(1_200));
    assert_eq!(read_users(&text).unwrap()[0].note.chars().count(), 1_000);
}
