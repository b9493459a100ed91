//! Comments of a user's line, which become the note of the user.

use std::ops::Range;

/// Longest run of hex digits that a note may hold: a line that was commented out may hold a secret, which has 32.
const MOST_HEX: usize = 31;

/// The comments of the statement with this key and value: the lines of comments directly above it, and the one behind it.
/// `None` stands for no comment. Lines that may hold a secret are left out.
pub(super) fn of_statement(text: &str, key: usize, value: &Range<usize>) -> impl Iterator<Item = String> {
    let line_start = text[..key].rfind('\n').map_or(0, |newline| newline + 1);
    // In an inline table a line has several users.
    let is_alone = !text[line_start..key].contains(['{', ',', '[']);
    let mut above: Vec<&str> = Vec::new();
    if is_alone {
        above.extend(text[..line_start].lines().rev().map_while(comment));
        above.reverse();
    }
    let behind = text[value.end..].lines().next().and_then(comment);
    let all: Vec<String> =
        above.into_iter().chain(behind).filter(|comment| !may_hold_a_secret(comment)).map(clean).collect();
    all.into_iter().filter(|comment| !comment.is_empty())
}

/// The text of a comment, if there is nothing else.
fn comment(line: &str) -> Option<&str> {
    line.trim().strip_prefix('#')
}

fn may_hold_a_secret(comment: &str) -> bool {
    comment.split(|letter: char| !letter.is_ascii_hexdigit()).any(|run| run.len() > MOST_HEX)
}

fn clean(comment: &str) -> String {
    let visible: String = comment.trim_start_matches('#').chars().filter(|letter| !letter.is_control()).collect();
    visible.trim().to_owned()
}
