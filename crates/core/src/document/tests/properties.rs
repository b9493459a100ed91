use chrono::DateTime;
use proptest::prelude::*;

use super::check::assert_rules;
use super::generate::{access, entry, file, soup};
use crate::access::{Access, Table};
use crate::document::{BOM, Layout, read_users};
use crate::user::Secret;

/// The lines of a written file that are neither blank nor generated, apart from a comment's place among the managed
/// tables.
fn kept_lines(written: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in written.strip_prefix(BOM).unwrap_or(written).split_inclusive('\n') {
        let header = Table::ALL.into_iter().any(|table| line.trim_end() == format!("[access.{}]", table.key()));
        if line.starts_with('[') {
            inside = header;
        }
        let row = inside && line.starts_with('"');
        // The same words stand in a string of the generated file.
        let text = lines.last().is_some_and(|last: &String| last.contains("\"\"\""));
        if text {
            inside = false;
        }
        if !line.trim().is_empty() && !row && (!header || text) {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// The line that ended the file may get a line ending, when managed tables follow it now.
fn with_last_ending(mut kept: Vec<String>, written: &[String]) -> Vec<String> {
    if let Some(last) = kept.last_mut().filter(|last| !last.ends_with('\n') && !written.contains(last))
        && let Some(line) = written.iter().rev().find(|line| line.trim_end_matches(['\r', '\n']) == last)
    {
        last.clone_from(line);
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_unmanaged_line_survives_in_its_place(file in file(), access in access()) {
        assert_rules(&file.text, &access);
        let written = Layout::parse(&file.text).unwrap().render(&access, &Secret::new([1; 16]));
        let is_comment = |line: &String| line.trim_start().starts_with('#');
        let mut lines = kept_lines(&written);
        // The one statement that may be written in another form.
        lines.retain(|line| !file.inline || !line.starts_with("access.replay_check_len"));
        let kept = with_last_ending(file.kept, &lines);
        if file.headers < 2 {
            prop_assert_eq!(lines, kept);
        } else {
            // A comment may move with its managed table, and only then.
            let (comments, statements): (Vec<_>, Vec<_>) = lines.into_iter().partition(is_comment);
            let (kept_comments, kept_statements): (Vec<_>, Vec<_>) = kept.into_iter().partition(is_comment);
            prop_assert_eq!(statements, kept_statements);
            prop_assert_eq!(sorted(comments), sorted(kept_comments));
        }
    }

    #[test]
    fn what_parses_obeys_the_rules_and_nothing_panics(text in soup(), access in access()) {
        let _ = read_users(&text);
        if Layout::parse(&text).is_ok() {
            assert_rules(&text, &access);
        }
    }

    #[test]
    fn arbitrary_text_does_not_panic(text in any::<String>()) {
        let _ = (Layout::parse(&text).is_ok(), read_users(&text).is_ok());
    }

    #[test]
    fn what_is_written_is_read_back(entries in prop::collection::vec(entry(), 0..6)) {
        let access = Access::new(entries, &[], DateTime::UNIX_EPOCH);
        let written = Layout::parse("").unwrap().render(&access, &Secret::new([1; 16]));
        let lower: std::collections::HashSet<_> =
            access.served().iter().map(|user| user.username.as_str().to_ascii_lowercase()).collect();
        prop_assume!(lower.len() == access.served().len());
        let users = read_users(&written).unwrap();
        prop_assert_eq!(users.len(), access.served().len());
        for (read, user) in users.iter().zip(access.served()) {
            prop_assert_eq!(&read.username, &user.username);
            prop_assert_eq!(read.secret, user.secret);
            prop_assert_eq!(read.disabled.is_some(), access.blocked().contains(&user.username));
            prop_assert_eq!(read.expire_at, user.expire_at);
            prop_assert_eq!(read.limits.numbers(), user.numbers);
        }
    }
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}
