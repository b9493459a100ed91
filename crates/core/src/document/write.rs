//! The managed tables as text.

use std::ops::Range;

use chrono::{DateTime, Datelike, Timelike, Utc};

use super::Layout;
use crate::access::{Access, Served, Table};
use crate::user::{PLACEHOLDER, Secret};

/// Bytes of a table's header, at most; to reserve memory.
const HEADER_SIZE: usize = 40;
/// Bytes of a row without its name and value, at most: quotes, equals sign, line ending.
const ROW_SIZE: usize = 7;
/// Bytes of a secret, a time and a number, at most.
const SECRET_SIZE: usize = 34;
const TIME_SIZE: usize = 22;
const NUMBER_SIZE: usize = 19;

impl Layout {
    /// The text of the file with these managed tables. Tables without rows are left out; names are always quoted,
    /// because the proxy reads a bare `include` as a file to include (docs/contract-telemt.md, trap 8).
    ///
    /// When nobody is served, a disabled placeholder stands in `[access.users]`, because the proxy refuses an empty
    /// table and serves a default user without one (docs/contract-telemt.md, trap 1). It keeps the secret of the placeholder that
    /// stands in the parsed file; otherwise it takes the first `fresh_placeholder` that it needs and stays with that, so
    /// that a layout which is kept gives the same bytes again.
    pub fn render(&self, access: &Access, fresh_placeholder: &Secret) -> String {
        self.render_with_ranges(access, fresh_placeholder).0
    }

    /// The same, with the places of the tables in it.
    pub fn render_with_ranges(&self, access: &Access, fresh_placeholder: &Secret) -> (String, Vec<Range<usize>>) {
        let mut ranges = Vec::with_capacity(Table::ALL.len());
        let placeholder = access.served().is_empty().then(|| self.placeholder.get_or_init(|| *fresh_placeholder));
        let mut writer = Writer { out: String::with_capacity(self.size(access)), newline: self.newline };
        writer.out.push_str(&self.head);
        for table in Table::ALL {
            let above = &self.above[table.index()];
            writer.out.push_str(above);
            if has_rows(table, access) {
                if above.is_empty() && table != Table::ALL[0] {
                    writer.out.push_str(self.newline);
                }
                let start = writer.out.len();
                writer.table(table, access, placeholder);
                ranges.push(start..writer.out.len());
            }
        }
        writer.out.push_str(&self.tail);
        (writer.out, ranges)
    }

    /// Bytes that the text will have, at most.
    fn size(&self, access: &Access) -> usize {
        let numbers = |user: &Served| {
            let mut set = 0;
            user.numbers.each(|number| set += usize::from(number.is_some()));
            set
        };
        let served = access.served().iter().map(|user| {
            let row = user.username.as_str().len() + ROW_SIZE;
            let time = user.expire_at.map_or(0, |_| row + TIME_SIZE);
            row + SECRET_SIZE + time + numbers(user) * (row + NUMBER_SIZE)
        });
        let blocked = access.blocked().iter().map(|name| name.as_str().len() + ROW_SIZE + NUMBER_SIZE);
        let placeholder = 2 * (PLACEHOLDER.len() + ROW_SIZE + SECRET_SIZE);
        let kept = self.head.len() + self.above.iter().map(String::len).sum::<usize>() + self.tail.len();
        kept + Table::ALL.len() * HEADER_SIZE + placeholder + served.sum::<usize>() + blocked.sum::<usize>()
    }
}

/// Whether the table is written at all.
fn has_rows(table: Table, access: &Access) -> bool {
    let served = access.served();
    match table {
        Table::Users => true,
        Table::Expirations => served.iter().any(|user| user.expire_at.is_some()),
        Table::Enabled => served.is_empty() || !access.blocked().is_empty(),
        _ => served.iter().any(|user| user.number(table).is_some()),
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

    /// The row of a served user, if this table has one for them.
    fn served(&mut self, table: Table, user: &Served) {
        let name = user.username.as_str();
        if table == Table::Users {
            self.row(name, |out| push_secret(out, &user.secret));
        } else if let (Table::Expirations, Some(end)) = (table, user.expire_at) {
            self.row(name, |out| push_time(out, end));
        } else if let Some(number) = user.number(table) {
            self.row(name, |out| push_number(out, number));
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

/// Appends what is ASCII. 100,000 users take up to half a million rows, so they do without the machinery of `format!`.
fn push_ascii(out: &mut String, bytes: &[u8]) {
    out.push_str(str::from_utf8(bytes).unwrap_or_default());
}

/// The last `digits.len()` decimal digits of a number.
fn fill_digits(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
}

fn push_secret(out: &mut String, secret: &Secret) {
    let mut digits = [b'"'; SECRET_SIZE];
    let _ = hex::encode_to_slice(secret.bytes(), &mut digits[1..SECRET_SIZE - 1]);
    push_ascii(out, &digits);
}

/// A number that is not negative; quotas and limits never are.
fn push_number(out: &mut String, number: i64) {
    let number = number.unsigned_abs();
    let length = number.checked_ilog10().map_or(1, |power| power as usize + 1);
    let mut digits = [b'0'; NUMBER_SIZE];
    fill_digits(&mut digits[..length], number);
    push_ascii(out, &digits[..length]);
}

/// `"YYYY-MM-DDTHH:MM:SSZ"`. RFC 3339 ends with the year 9999; a later expiry is written as its end.
fn push_time(out: &mut String, time: DateTime<Utc>) {
    let mut text = *b"\"9999-12-31T23:59:59Z\"";
    if let Ok(year @ 0..=9999) = u64::try_from(time.year()) {
        let parts = [
            (1..5, year),
            (6..8, time.month().into()),
            (9..11, time.day().into()),
            (12..14, time.hour().into()),
            (15..17, time.minute().into()),
            (18..20, time.second().into()),
        ];
        for (place, number) in parts {
            fill_digits(&mut text[place], number);
        }
    }
    push_ascii(out, &text);
}
