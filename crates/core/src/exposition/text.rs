//! Lines of the Prometheus text format.

use std::borrow::Cow;

pub(super) const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':'
}

/// Shows every label (name, value still escaped) of what follows a metric's name and returns what follows the labels,
/// or `None` if they are not of the format.
pub(super) fn labels<'a>(rest: &'a str, mut each: impl FnMut(&'a str, &'a str)) -> Option<&'a str> {
    let rest = rest.trim_ascii_start();
    let Some(mut rest) = rest.strip_prefix('{') else { return Some(rest) };
    loop {
        rest = rest.trim_ascii_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some(after);
        }
        let (label, after) = rest.split_at(rest.bytes().position(|byte| byte == b'=')?);
        let after = after[1..].trim_ascii_start().strip_prefix('"')?;
        let end = closing_quote(after)?;
        each(label.trim_ascii_end(), &after[..end]);
        rest = after[end + 1..].trim_ascii_start();
        if let Some(after) = rest.strip_prefix(',') {
            rest = after;
        } else if !rest.starts_with('}') {
            return None;
        }
    }
}

/// Where the first quote stands that no backslash precedes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// A label's value without the format's escapes. A backslash before anything else stands for itself.
pub(super) fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut plain = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(char) = rest.next() {
        match (char, rest.as_str().as_bytes().first()) {
            ('\\', Some(b'n')) => plain.push('\n'),
            ('\\', Some(b'\\')) => plain.push('\\'),
            ('\\', Some(b'"')) => plain.push('"'),
            _ => {
                plain.push(char);
                continue;
            }
        }
        rest.next();
    }
    Cow::Owned(plain)
}

/// The word of a sample's value, if nothing but a timestamp follows it.
pub(super) fn value_word(value: &str) -> Option<&str> {
    let mut words = value.split_ascii_whitespace();
    let word = words.next()?;
    let well_formed = match (words.next(), words.next()) {
        (None, _) => true,
        (Some(timestamp), None) => timestamp.parse::<i64>().is_ok(),
        (Some(_), Some(_)) => false,
    };
    well_formed.then_some(word)
}
