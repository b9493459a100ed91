//! Reads the file `.env`.
//!
//! It is read as Compose and systemd read it, except that variables in a value are not expanded: `$x` stays `$x`. If a
//! variable is set twice, the last line counts.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use crate::settings::SettingsError;

/// Adds the variables of the file, if it exists, to the environment; variables that are set already take precedence.
/// Returns warnings for the operator, or an error for lines that are not valid. No message quotes more of the file than
/// names of variables, because it holds secrets.
pub(super) fn load(path: &Path) -> Result<Vec<String>, SettingsError> {
    let problem = |advice: String| SettingsError::new(".env", advice);
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(problem(format!("cannot be read: {error}"))),
    };
    let parsed = parse(&text);
    // The library sets the environment. It gets quoted lines, so that it expands nothing in them.
    let lines: String = parsed.variables.iter().map(|(name, (_, value))| quoted(name, value)).collect();
    let mut problems: Vec<_> = parsed.problems.into_iter().map(problem).collect();
    if dotenvy::from_read(lines.as_bytes()).is_err() {
        problems.push(problem("its lines must be NAME=value".to_owned()));
    }
    if problems.is_empty() { Ok(parsed.repeated) } else { Err(SettingsError::all(problems)) }
}

/// A line that [`dotenvy`] reads as exactly this value.
fn quoted(name: &str, value: &str) -> String {
    let mut line = format!("{name}=\"");
    for character in value.chars() {
        match character {
            '\n' => line.push_str("\\n"),
            '"' | '\\' | '$' => line.extend(['\\', character]),
            _ => line.push(character),
        }
    }
    line.push_str("\"\n");
    line
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Parsed {
    /// Name → line and value.
    variables: BTreeMap<String, (usize, String)>,
    /// Warnings about lines that do not count because a later one sets the same variable.
    repeated: Vec<String>,
    /// Lines that are not valid, and why.
    problems: Vec<String>,
}

fn parse(text: &str) -> Parsed {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut parsed = Parsed::default();
    let mut rest = text.as_str();
    let mut number = 1;
    while !rest.is_empty() {
        let taken = match variable(rest) {
            Ok((None, taken)) => taken,
            Ok((Some((name, value)), taken)) => {
                if let Some((earlier, _)) = parsed.variables.insert(name.to_owned(), (number, value)) {
                    parsed.repeated.push(format!(
                        ".env sets {name} in line {earlier} and again in line {number}: the last line counts"
                    ));
                }
                taken
            }
            Err(advice) => {
                parsed.problems.push(format!("line {number} {advice}"));
                line_length(rest)
            }
        };
        number += rest[..taken].matches('\n').count();
        rest = &rest[taken..];
    }
    parsed
}

/// Length of the first line, including its line end.
fn line_length(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |end| end + 1)
}

type Variable<'a> = Option<(&'a str, String)>;

/// Reads the variable at the beginning of the text, `None` for an empty line or a comment, and its length in bytes.
fn variable(text: &str) -> Result<(Variable<'_>, usize), &'static str> {
    const FORM: &str = "is not NAME=value; quote values with spaces";
    let line = &text[..line_length(text)];
    if line.trim().is_empty() || line.trim_start().starts_with('#') {
        return Ok((None, line.len()));
    }
    let (name, value) = line.split_once('=').ok_or(FORM)?;
    let name = name.trim();
    let name = name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(name).trim_start();
    let mut bytes = name.bytes();
    let is_name = bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return Err(FORM);
    }
    let start = line.len() - value.trim_start_matches([' ', '\t']).len();
    let (value, taken) = match text[start..].chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let (value, end) = unquote(&text[start + 1..], quote)?;
            let after = start + 1 + end;
            let tail = text[after..after + line_length(&text[after..])].trim();
            if !(tail.is_empty() || tail.starts_with('#')) {
                return Err("has text after the closing quote");
            }
            (value, after + line_length(&text[after..]))
        }
        _ => (without_comment(value).to_owned(), line.len()),
    };
    if value.contains('\0') { Err("has a zero byte") } else { Ok((Some((name, value)), taken)) }
}

/// An unquoted value up to a comment. `#` begins a comment if there is a space or tab before it.
fn without_comment(value: &str) -> &str {
    let comment = value.match_indices('#').find(|(at, _)| value[..*at].ends_with([' ', '\t']));
    comment.map_or(value, |(at, _)| &value[..at]).trim()
}

/// The value up to the closing quote, which may be in a later line, and its length in bytes. Between single quotes there
/// are no escapes.
fn unquote(text: &str, quote: char) -> Result<(String, usize), &'static str> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok((value, at + 1)),
            '\\' if quote == '"' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, sign @ ('"' | '\\' | '$'))) => value.push(sign),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            _ => value.push(character),
        }
    }
    Err("has a quote that is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn value_of(line: &str) -> Option<String> {
        let parsed = parse(line);
        assert_eq!(parsed.problems, Vec::<String>::new(), "{line}");
        parsed.variables.get("A").map(|(_, value)| value.clone())
    }

    #[rstest]
    #[case("A=x", "x")]
    #[case("A=", "")]
    #[case("A = x ", "x")]
    #[case("  export A=x", "x")]
    #[case("\u{feff}A=x", "x")]
    #[case("A=x\r\nB=y\r\n", "x")]
    #[case("A=x y", "x y")]
    #[case("A=x=y", "x=y")]
    #[case("A=x#y", "x#y")]
    #[case("A=x # comment", "x")]
    #[case("A= # comment", "")]
    #[case("A=#x", "#x")]
    #[case("A=a$b${c}$", "a$b${c}$")]
    #[case(r"A=a\b", r"a\b")]
    #[case("A=it's", "it's")]
    #[case("A='a$b # c\\n\"' # comment", "a$b # c\\n\"")]
    #[case("A=\"a$b # c\"", "a$b # c")]
    #[case(r#"A="\"\\\$\n\t\x""#, "\"\\$\n\t\\x")]
    #[case("A='two\nlines'\nB=y", "two\nlines")]
    fn a_value_is_what_stands_there(#[case] line: &str, #[case] value: &str) {
        assert_eq!(value_of(line).as_deref(), Some(value));
    }

    #[rstest]
    #[case("")]
    #[case("# A=x")]
    #[case("\n\n  \r\n")]
    fn comments_and_empty_lines_set_nothing(#[case] text: &str) {
        assert_eq!(parse(text), Parsed::default());
    }

    #[rstest]
    #[case("canary", "line 2 is not NAME=value")]
    #[case("A B=canary", "line 2 is not NAME=value")]
    #[case("1A=canary", "line 2 is not NAME=value")]
    #[case("=canary", "line 2 is not NAME=value")]
    #[case("A='canary", "line 2 has a quote that is not closed")]
    #[case("A=\"canary\\", "line 2 has a quote that is not closed")]
    #[case("A='canary'x", "line 2 has text after the closing quote")]
    #[case("A=canary\0", "line 2 has a zero byte")]
    fn what_is_no_variable_is_told_by_line_and_the_others_are_read(#[case] line: &str, #[case] advice: &str) {
        let parsed = parse(&format!("# first\n{line}\nB=y\n"));
        assert_eq!(parsed.problems.len(), 1, "{parsed:?}");
        assert!(parsed.problems[0].starts_with(advice), "{parsed:?}");
        assert!(!parsed.problems[0].contains("canary"));
        assert_eq!(parsed.variables["B"], (3, "y".to_owned()));
    }

    #[test]
    fn the_last_of_several_lines_counts_and_each_is_told_without_its_value() {
        let parsed = parse("A=canary1\nB='x\ny'\nA=canary2\nexport A = canary3\n");
        assert_eq!(parsed.variables["A"], (5, "canary3".to_owned()));
        assert_eq!(
            parsed.repeated,
            [
                ".env sets A in line 1 and again in line 4: the last line counts",
                ".env sets A in line 4 and again in line 5: the last line counts"
            ]
        );
    }

    #[rstest]
    #[case("a$b${c} # 'x' \"y\" \\z\n#second\\")]
    #[case("")]
    #[case(" spaces ")]
    fn the_library_takes_a_value_as_it_was_read(#[case] value: &str) {
        let line = quoted("A", value);
        let all: Vec<_> = dotenvy::from_read_iter(line.as_bytes()).collect::<Result<_, _>>().unwrap();
        assert_eq!(all, [("A".to_owned(), value.to_owned())]);
    }
}
