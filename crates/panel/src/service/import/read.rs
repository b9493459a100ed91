//! From the old database's rows to values that fit, or to a list of everything that does not.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, Datelike as _, NaiveDateTime, SubsecRound as _, Utc};
use mtpannel_core::user::{Limit, NOTE_MAX, Secret, Status, Username};

use crate::service::password;
use crate::store::old_panel::{Cell, OldPanel, Table};
use crate::store::system::SystemStats;
use crate::store::traffic::Moved;

/// Something that does not fit. It never repeats a secret or a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    table: &'static str,
    row: i64,
    column: &'static str,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, row, column, message } = self;
        write!(f, "{table}, row {row}, {column}: {message}")
    }
}

/// An administrator of the old panel.
#[derive(Debug, Clone)]
pub(super) struct OldAdmin {
    pub(super) id: i64,
    pub(super) username: Username,
    pub(super) hash: String,
    pub(super) is_sudo: bool,
    pub(super) created_at: DateTime<Utc>,
}

/// A user of the old panel.
#[derive(Debug, Clone)]
pub(super) struct OldUser {
    pub(super) id: i64,
    pub(super) username: Username,
    pub(super) secret: Secret,
    pub(super) disabled: bool,
    pub(super) data_limit: Option<Limit>,
    pub(super) data_used: i64,
    pub(super) max_connections: Option<Limit>,
    pub(super) max_unique_ips: Option<Limit>,
    pub(super) expire_at: Option<DateTime<Utc>>,
    pub(super) note: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) owner: Option<i64>,
}

/// Everything in an old database, all of which fits.
#[derive(Debug, Default)]
pub struct OldData {
    pub(super) admins: Vec<OldAdmin>,
    pub(super) users: Vec<OldUser>,
    /// By the old row id of the user.
    pub(super) traffic: Vec<(i64, Moved)>,
    pub(super) stats: Vec<SystemStats>,
    /// Directions of traffic rows that were negative and count as 0.
    pub(super) negative: usize,
}

/// Why an old database cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Rows that do not fit; all of them.
    #[error("{} problems", .0.len())]
    Problems(Vec<Problem>),
    /// It cannot be read, or is something else.
    #[error("is no database of the older panel, or cannot be read: {0}")]
    Database(#[from] sqlx::Error),
}

/// Reads and checks an old database.
pub async fn read(mut old: OldPanel) -> Result<OldData, ReadError> {
    let mut data = OldData::default();
    let mut problems = Vec::new();
    let (mut admins, mut users) = (HashMap::new(), HashMap::new());
    old.each(Table::Admins, |number, cells| {
        let mut row = Row { table: Table::Admins, number, problems: &mut problems };
        if let Some(admin) = row.admin(cells) {
            row.unique(&mut admins, &admin.username);
            data.admins.push(admin);
        }
    })
    .await?;
    old.each(Table::Users, |number, cells| {
        let mut row = Row { table: Table::Users, number, problems: &mut problems };
        if let Some(user) = row.user(cells) {
            row.unique(&mut users, &user.username);
            data.users.push(user);
        }
    })
    .await?;
    let mut negative = 0;
    old.each(Table::TrafficLogs, |number, cells| {
        let mut row = Row { table: Table::TrafficLogs, number, problems: &mut problems };
        data.traffic.extend(row.traffic(cells, &mut negative));
    })
    .await?;
    data.negative = negative;
    old.each(Table::SystemStats, |number, cells| {
        let mut row = Row { table: Table::SystemStats, number, problems: &mut problems };
        data.stats.extend(row.stats(cells));
    })
    .await?;
    if problems.is_empty() { Ok(data) } else { Err(ReadError::Problems(problems)) }
}

/// One row under examination.
struct Row<'p> {
    table: Table,
    number: i64,
    problems: &'p mut Vec<Problem>,
}

impl Row<'_> {
    /// Keeps a value, or notes what is wrong with it.
    fn take<T>(&mut self, column: &'static str, result: Result<T, impl ToString>) -> Option<T> {
        result.map_err(|message| self.push(column, message.to_string())).ok()
    }

    fn push(&mut self, column: &'static str, message: String) {
        self.problems.push(Problem { table: self.table.name(), row: self.number, column, message });
    }

    fn unique(&mut self, seen: &mut HashMap<String, i64>, name: &Username) {
        if let Some(first) = seen.insert(name.as_str().to_ascii_lowercase(), self.number) {
            self.push(
                "username",
                format!(
                    "{name:?} is the name of row {first}, too; names are compared without case",
                    name = name.as_str()
                ),
            );
        }
    }

    fn admin(&mut self, cells: &[Cell]) -> Option<OldAdmin> {
        let [id, username, hash, is_sudo, created_at] = cells else { return None };
        let id = self.take("id", integer(id));
        let username = self.take("username", name(username));
        let hash = self.take("hashed_password", password_hash(hash));
        let is_sudo = self.take("is_sudo", flag(is_sudo));
        let created_at = self.take("created_at", time(created_at));
        Some(OldAdmin { id: id?, username: username?, hash: hash?, is_sudo: is_sudo?, created_at: created_at? })
    }

    fn user(&mut self, cells: &[Cell]) -> Option<OldUser> {
        let [id, username, secret, status, limit, used, connections, ips, expire_at, note, created_at, owner] = cells
        else {
            return None;
        };
        let id = self.take("id", integer(id));
        let username = self.take("username", name(username));
        let secret = self.take(
            "secret",
            text(secret).and_then(|digits| digits.parse::<Secret>().map_err(|error| error.to_string())),
        );
        let status = self.take("status", text(status).and_then(status_word));
        let data_limit = self.take("data_limit", optional(limit, self::limit));
        let data_used = self.take("data_used", optional(used, at_least_zero));
        let max_connections = self.take("max_connections", optional(connections, self::limit));
        let max_unique_ips = self.take("max_unique_ips", optional(ips, self::limit));
        let expire_at = self.take("expire_at", optional(expire_at, time));
        let note = self.take("note", optional(note, self::note));
        let created_at = self.take("created_at", time(created_at));
        let owner = self.take("created_by_admin_id", optional(owner, integer));
        Some(OldUser {
            id: id?,
            username: username?,
            secret: secret?,
            disabled: status? == Status::Disabled,
            data_limit: data_limit?,
            data_used: data_used?.unwrap_or(0),
            max_connections: max_connections?,
            max_unique_ips: max_unique_ips?,
            expire_at: expire_at?,
            note: note?.unwrap_or_default(),
            created_at: created_at?,
            owner: owner?,
        })
    }

    fn traffic(&mut self, cells: &[Cell], negative: &mut usize) -> Option<(i64, Moved)> {
        let [user, from, to, recorded_at] = cells else { return None };
        // The old panel logged a direction whose counter had begun anew as a negative number of bytes.
        let mut bytes = |cell| {
            integer(cell).map(|bytes| {
                *negative += usize::from(bytes < 0);
                bytes.max(0)
            })
        };
        let (from, to) = (bytes(from), bytes(to));
        let user = self.take("user_id", integer(user));
        let octets_from = self.take("octets_from", from);
        let octets_to = self.take("octets_to", to);
        let recorded_at = self.take("recorded_at", time(recorded_at));
        Some((user?, Moved { recorded_at: recorded_at?, octets_from: octets_from?, octets_to: octets_to? }))
    }

    fn stats(&mut self, cells: &[Cell]) -> Option<SystemStats> {
        let [uptime, total, bad, recorded_at] = cells else { return None };
        let uptime = self.take("uptime", seconds(uptime));
        let total_connections = self.take("total_connections", at_least_zero(total));
        let bad_connections = self.take("bad_connections", at_least_zero(bad));
        let recorded_at = self.take("recorded_at", time(recorded_at));
        Some(SystemStats {
            uptime: uptime?,
            total_connections: total_connections?,
            bad_connections: bad_connections?,
            recorded_at: recorded_at?,
        })
    }
}

fn optional<T>(cell: &Cell, value: impl FnOnce(&Cell) -> Result<T, String>) -> Result<Option<T>, String> {
    if *cell == Cell::Null { Ok(None) } else { value(cell).map(Some) }
}

fn integer(cell: &Cell) -> Result<i64, String> {
    match cell {
        Cell::Integer(number) => Ok(*number),
        _ => Err("must be a whole number".to_owned()),
    }
}

fn at_least_zero(cell: &Cell) -> Result<i64, String> {
    match integer(cell)? {
        number @ 0.. => Ok(number),
        number => Err(format!("must not be negative; it is {number}")),
    }
}

fn limit(cell: &Cell) -> Result<Limit, String> {
    let number = integer(cell)?;
    Limit::try_from(number).map_err(|error| format!("{error}; it is {number}"))
}

fn flag(cell: &Cell) -> Result<bool, String> {
    match cell {
        Cell::Integer(0) => Ok(false),
        Cell::Integer(1) => Ok(true),
        _ => Err("must be 0 or 1".to_owned()),
    }
}

fn seconds(cell: &Cell) -> Result<f64, String> {
    let seconds = match cell {
        Cell::Real(seconds) => *seconds,
        #[expect(clippy::cast_precision_loss, reason = "an uptime has far fewer digits")]
        Cell::Integer(seconds) => *seconds as f64,
        _ => return Err("must be a number".to_owned()),
    };
    if seconds.is_finite() && seconds >= 0.0 { Ok(seconds) } else { Err("must not be negative".to_owned()) }
}

fn text(cell: &Cell) -> Result<&str, String> {
    match cell {
        Cell::Text(text) => Ok(text),
        _ => Err("must be text".to_owned()),
    }
}

fn name(cell: &Cell) -> Result<Username, String> {
    let name = text(cell)?;
    name.parse().map_err(|error| format!("{name:?} {error}"))
}

fn password_hash(cell: &Cell) -> Result<String, String> {
    let hash = text(cell)?;
    if password::is_hash(hash) { Ok(hash.to_owned()) } else { Err("must be a bcrypt hash".to_owned()) }
}

fn status_word(word: &str) -> Result<Status, String> {
    word.parse().map_err(|_| format!("{word:?} is none of active, disabled, limited, expired"))
}

fn note(cell: &Cell) -> Result<String, String> {
    let note = text(cell)?;
    if note.chars().count() > NOTE_MAX {
        return Err(format!("may have at most {NOTE_MAX} characters"));
    }
    if note.contains('\0') {
        return Err("may not hold a NUL character".to_owned());
    }
    Ok(note.to_owned())
}

/// A time as `SQLAlchemy` writes it, `2026-01-02 03:04:05.678901`, or in any other ISO 8601 form down to the second; UTC if
/// it has no offset. Cut to the second.
fn time(cell: &Cell) -> Result<DateTime<Utc>, String> {
    let written = text(cell)?;
    let spaced = written.replacen('T', " ", 1);
    let bare = spaced.strip_suffix(['Z', 'z']).unwrap_or(&spaced).trim_end();
    let naive = NaiveDateTime::parse_from_str(bare, "%Y-%m-%d %H:%M:%S%.f").map(|time| time.and_utc());
    let time =
        naive.or_else(|_| DateTime::parse_from_str(&spaced, "%Y-%m-%d %H:%M:%S%.f%#z").map(|time| time.to_utc()));
    time.map(|time| time.trunc_subsecs(0))
        .ok()
        .filter(|time| (1..=9999).contains(&time.year()))
        .ok_or_else(|| format!("{written:?} is not a date and time"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-01-02 03:04:05.678901", "2026-01-02T03:04:05Z")]
    #[case("2026-01-02 03:04:05", "2026-01-02T03:04:05Z")]
    #[case("2026-01-02T03:04:05.678901", "2026-01-02T03:04:05Z")]
    #[case("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z")]
    #[case("2026-01-02 03:04:05.5+03:00", "2026-01-02T00:04:05Z")]
    #[case("2026-01-02T03:04:05-0130", "2026-01-02T04:34:05Z")]
    fn times_are_read_in_every_form_and_without_an_offset_are_utc(#[case] written: &str, #[case] meant: &str) {
        assert_eq!(time(&Cell::Text(written.into())), Ok(meant.parse().unwrap()));
    }

    #[rstest]
    #[case("")]
    #[case("2026-01-02")]
    #[case("2026-13-02 03:04:05")]
    #[case("soon")]
    #[case("12026-01-02 03:04:05")]
    fn what_is_no_time_is_refused(#[case] written: &str) {
        assert!(time(&Cell::Text(written.into())).is_err());
    }
}
