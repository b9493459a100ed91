//! The users' tables as the panel writes them, taken out of the text line by line: at 100,000 users the TOML parser
//! needs a second for what this does in a fraction of it.
//!
//! Only lines of the plainest form are taken. At the first one that is not, everything is left to the parser, which knows
//! all of TOML and says what is wrong and where; so it is when the rest is refused.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::raw::{Access, Instant, SecretText};

/// A table that is taken.
#[derive(Clone, Copy)]
enum Table {
    Users,
    Enabled,
    MaxConnections,
    Expirations,
    Quota,
    MaxIps,
}

impl Table {
    fn from_header(line: &str) -> Option<Self> {
        Some(match line {
            "[access.users]" => Self::Users,
            "[access.user_enabled]" => Self::Enabled,
            "[access.user_max_tcp_conns]" => Self::MaxConnections,
            "[access.user_expirations]" => Self::Expirations,
            "[access.user_data_quota]" => Self::Quota,
            "[access.user_max_unique_ips]" => Self::MaxIps,
            _ => return None,
        })
    }
}

/// The text without the users' lines, and what they said; `None` if only the parser can tell.
pub(super) fn split(text: &str) -> Option<(String, Access)> {
    // What looks like a line may be part of a string then.
    if text.contains("\"\"\"") || text.contains("'''") {
        return None;
    }
    let (mut rest, mut access, mut table) = (String::new(), Access::default(), None);
    for line in text.split_inclusive('\n') {
        let bare = line.trim_ascii();
        match table {
            Some(table) if !bare.is_empty() && !bare.starts_with(['#', '[']) => take(&mut access, table, bare)?,
            _ => {
                if bare.starts_with('[') {
                    table = Table::from_header(bare);
                }
                rest.push_str(line);
            }
        }
    }
    Some((rest, access))
}

/// Takes one line of a table; `None` if it is not of the plainest form, or names someone twice.
fn take(access: &mut Access, table: Table, line: &str) -> Option<()> {
    let (name, value) = line.strip_prefix('"')?.split_once("\" = ")?;
    if !is_plain(name) {
        return None;
    }
    match table {
        Table::Users => insert(&mut access.users, name, SecretText(quoted(value)?.parse().ok()?)),
        Table::Enabled => insert(&mut access.user_enabled, name, value.parse().ok()?),
        Table::MaxConnections => insert(&mut access.user_max_tcp_conns, name, number(value)?),
        Table::Expirations => insert(&mut access.user_expirations, name, instant(quoted(value)?)?),
        Table::Quota => insert(&mut access.user_data_quota, name, number(value)?),
        Table::MaxIps => insert(&mut access.user_max_unique_ips, name, number(value)?),
    }
}

fn insert<T>(table: &mut HashMap<String, T>, name: &str, value: T) -> Option<()> {
    table.insert(name.to_owned(), value).is_none().then_some(())
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

fn quoted(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"').filter(|text| is_plain(text))
}

/// A number as TOML and Rust both write it.
fn number(value: &str) -> Option<u64> {
    let plain = value == "0" || (!value.starts_with('0') && value.bytes().all(|byte| byte.is_ascii_digit()));
    // TOML's integers end at 2^63 - 1.
    value.parse::<i64>().ok().filter(|_| plain).and_then(|number| number.try_into().ok())
}

fn instant(text: &str) -> Option<Instant> {
    DateTime::parse_from_rfc3339(text).ok().map(|instant| Instant(instant.with_timezone(&Utc)))
}
