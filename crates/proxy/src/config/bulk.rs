//! A fast reader of the users' tables in the form in which the panel writes them. With 100,000 users it takes a fraction
//! of the second that the TOML parser takes.
//!
//! It reads only lines of the simplest form. If any line of these tables has another form, or if the rest of the file is
//! refused, the TOML parser reads the whole file: it knows all of TOML, and its errors have a position.

use chrono::{DateTime, Utc};

use super::raw::{Access, Instant, SecretText};
use super::table;

/// A table that is read here.
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

/// The text without the lines of users, and the entries in these lines; `None` if only the parser can read the file.
pub(super) fn split(text: &str) -> Option<(String, Access)> {
    // With multi-line strings, what looks like a line of a table may be part of a string.
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

/// The entries of the tables, in the order of the file.
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
    /// Reads one line of a table; `None` if it does not have the simplest form.
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

    /// The sorted tables; `None` if a table has a name twice.
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

/// A number in a form that TOML and Rust have in common.
fn number(value: &str) -> Option<u64> {
    let plain = value == "0" || (!value.starts_with('0') && value.bytes().all(|byte| byte.is_ascii_digit()));
    // TOML's integers end at 2^63 - 1.
    value.parse::<i64>().ok().filter(|_| plain).and_then(|number| number.try_into().ok())
}

fn instant(text: &str) -> Option<Instant> {
    DateTime::parse_from_rfc3339(text).ok().map(|instant| Instant(instant.with_timezone(&Utc)))
}
