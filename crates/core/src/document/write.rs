//! The managed tables as text.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, Timelike, Utc};

use super::Layout;
use crate::access::{Access, Served, Table};
use crate::user::{PLACEHOLDER, Secret};

/// Bytes of a table's header and of one of its rows without the name, at most; to reserve memory.
const HEADER_SIZE: usize = 40;
const ROW_SIZE: usize = 40;

impl Layout {
    /// The text of the file with these managed tables. Tables without rows are left out; names are always quoted,
    /// because the proxy reads a bare `include` as a file to include (contract, trap 8).
    ///
    /// When nobody is served, a disabled placeholder stands in `[access.users]`, because the proxy refuses an empty
    /// table and serves a default user without one (contract, trap 1). It keeps the secret of the placeholder that
    /// stands in the parsed file and takes `fresh_placeholder` otherwise; a caller that renders one layout several times
    /// passes the same secret each time, and thus gets the same bytes.
    pub fn render(&self, access: &Access, fresh_placeholder: &Secret) -> String {
        let placeholder = access.served().is_empty().then(|| self.placeholder.as_ref().unwrap_or(fresh_placeholder));
        let mut writer = Writer { out: String::with_capacity(self.size(access)), newline: self.newline };
        writer.out.push_str(&self.head);
        for table in Table::ALL {
            let above = &self.above[table.index()];
            writer.out.push_str(above);
            if has_rows(table, access) {
                if above.is_empty() && table != Table::ALL[0] {
                    writer.out.push_str(self.newline);
                }
                writer.table(table, access, placeholder);
            }
        }
        writer.out.push_str(&self.tail);
        writer.out
    }

    /// Bytes that the text will have, at most.
    fn size(&self, access: &Access) -> usize {
        let names = access.served().iter().map(|user| {
            let limits = [user.max_connections.is_some(), user.data_quota.is_some(), user.expire_at.is_some()];
            let rows = 1 + limits.into_iter().filter(|set| *set).count() + usize::from(user.max_unique_ips.is_some());
            rows * (user.username.as_str().len() + ROW_SIZE)
        });
        let blocked = access.blocked().iter().map(|name| name.as_str().len() + ROW_SIZE);
        let above = self.above.iter().map(String::len).sum::<usize>();
        let placeholder = 2 * (PLACEHOLDER.len() + ROW_SIZE);
        let kept = self.head.len() + above + self.tail.len() + Table::ALL.len() * HEADER_SIZE + placeholder;
        kept + names.sum::<usize>() + blocked.sum::<usize>()
    }
}

/// Whether the table is written at all.
fn has_rows(table: Table, access: &Access) -> bool {
    let served = access.served();
    match table {
        Table::Users => true,
        Table::MaxTcpConns => served.iter().any(|user| user.max_connections.is_some()),
        Table::DataQuota => served.iter().any(|user| user.data_quota.is_some()),
        Table::Expirations => served.iter().any(|user| user.expire_at.is_some()),
        Table::MaxUniqueIps => served.iter().any(|user| user.max_unique_ips.is_some()),
        Table::Enabled => served.is_empty() || !access.blocked().is_empty(),
    }
}

struct Writer {
    out: String,
    newline: &'static str,
}

impl Writer {
    fn table(&mut self, table: Table, access: &Access, placeholder: Option<&Secret>) {
        self.out.push_str("[access.");
        self.out.push_str(table.key());
        self.out.push(']');
        self.out.push_str(self.newline);
        if table == Table::Enabled {
            let names = access.blocked().iter().map(crate::user::Username::as_str);
            for name in placeholder.map(|_| PLACEHOLDER).into_iter().chain(names) {
                self.row(name, |out| out.push_str("false"));
            }
        } else if let (Table::Users, Some(secret)) = (table, placeholder) {
            self.row(PLACEHOLDER, |out| push_secret(out, secret));
        } else {
            for user in access.served() {
                self.served(table, user);
            }
        }
    }

    /// The row of a served user, if this table has one for him.
    fn served(&mut self, table: Table, user: &Served) {
        let name = user.username.as_str();
        let number = match table {
            Table::Users => return self.row(name, |out| push_secret(out, &user.secret)),
            Table::Expirations => {
                if let Some(end) = user.expire_at {
                    self.row(name, |out| push_time(out, end));
                }
                return;
            }
            Table::MaxTcpConns => user.max_connections.map(crate::user::Limit::get),
            Table::MaxUniqueIps => user.max_unique_ips.map(crate::user::Limit::get),
            Table::DataQuota => user.data_quota,
            Table::Enabled => None,
        };
        if let Some(number) = number {
            self.row(name, |out| {
                let _ = write!(out, "{number}");
            });
        }
    }

    /// `"name" = value`. A name needs no escape: see [`crate::user::Username`].
    fn row(&mut self, name: &str, value: impl FnOnce(&mut String)) {
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\" = ");
        value(&mut self.out);
        self.out.push_str(self.newline);
    }
}

fn push_secret(out: &mut String, secret: &Secret) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    for byte in secret.bytes() {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out.push('"');
}

/// `"YYYY-MM-DDTHH:MM:SSZ"`. RFC 3339 ends with the year 9999; whoever has longer is served until then.
fn push_time(out: &mut String, time: DateTime<Utc>) {
    if time.year() > 9999 {
        out.push_str("\"9999-12-31T23:59:59Z\"");
        return;
    }
    let (date, clock) = (time.date_naive(), time.time());
    let _ = write!(
        out,
        "\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z\"",
        date.year(),
        date.month(),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second()
    );
}
