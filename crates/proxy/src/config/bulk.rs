//! The users' tables as the panel writes them, taken out of the text line by line: at 100,000 users the TOML parser
//! needs a second for what this does in a fraction of it.
//!
//! Only lines of the plainest form are taken. At the first one that is not, everything is left to the parser, which knows
//! all of TOML and says what is wrong and where; so it is when the rest is refused.

use chrono::{DateTime, Utc};

use super::raw::{Access, Instant, SecretText};
use super::table;

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
    let (mut rest, mut taken, mut table) = (String::new(), Taken::default(), None);
    for line in text.split_inclusive('\n') {
        let bare = line.trim_ascii();
        match table {
            Some(table) if !bare.is_empty() && !bare.starts_with(['#', '[']) => taken.take(table, bare)?,
            _ => {
                if bare.starts_with('[') {
                    table = Table::from_header(bare);
                }
                rest.push_str(line);
            }
        }
    }
    Some((rest, taken.finish()?))
}

/// Entries of the tables, as they came.
#[derive(Default)]
struct Taken {
    users: Vec<(String, SecretText)>,
    enabled: Vec<(String, bool)>,
    max_connections: Vec<(String, u64)>,
    expirations: Vec<(String, Instant)>,
    quota: Vec<(String, u64)>,
    max_ips: Vec<(String, u64)>,
}

impl Taken {
    /// Takes one line of a table; `None` if it is not of the plainest form.
    fn take(&mut self, table: Table, line: &str) -> Option<()> {
        let (name, value) = line.strip_prefix('"')?.split_once("\" = ")?;
        if !is_plain(name) {
            return None;
        }
        let name = name.to_owned();
        match table {
            Table::Users => self.users.push((name, SecretText(quoted(value)?.parse().ok()?))),
            Table::Enabled => self.enabled.push((name, value.parse().ok()?)),
            Table::MaxConnections => self.max_connections.push((name, number(value)?)),
            Table::Expirations => self.expirations.push((name, instant(quoted(value)?)?)),
            Table::Quota => self.quota.push((name, number(value)?)),
            Table::MaxIps => self.max_ips.push((name, number(value)?)),
        }
        Some(())
    }

    /// The tables; `None` if one names someone twice.
    fn finish(self) -> Option<Access> {
        Some(Access {
            users: table::Table::new(self.users)?,
            user_enabled: table::Table::new(self.enabled)?,
            user_max_tcp_conns: table::Table::new(self.max_connections)?,
            user_expirations: table::Table::new(self.expirations)?,
            user_data_quota: table::Table::new(self.quota)?,
            user_max_unique_ips: table::Table::new(self.max_ips)?,
            ..Access::default()
        })
    }
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
