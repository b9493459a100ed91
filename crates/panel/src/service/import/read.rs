//! Reads the rows of the old database: all values, or a list of everything that does not fit.

use std::collections::{HashMap, HashSet};
use std::fmt;

use chrono::{DateTime, Utc};
use mtpannel_core::rename::Renames;
use mtpannel_core::user::{Limits, Secret, Status, Username};

use super::cells::{
    self, Taken, at_least_zero, flag, integer, name, optional, password_hash, seconds, status_word, text, time,
};
use crate::store::old_panel::{Cell, OldPanel, Table};
use crate::store::system::SystemStats;
use crate::store::traffic::Moved;

/// A cell that does not fit, or that is taken over as something else. It never repeats a secret or a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    table: &'static str,
    row: i64,
    column: &'static str,
    message: String,
}

impl fmt::Display for Finding {
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
    /// `None` is the time of the import.
    pub(super) created_at: Option<DateTime<Utc>>,
}

/// A user of the old panel.
#[derive(Debug, Clone)]
pub(super) struct OldUser {
    pub(super) id: i64,
    pub(super) username: Username,
    pub(super) secret: Secret,
    pub(super) disabled: bool,
    pub(super) limits: Limits,
    pub(super) data_used: i64,
    pub(super) expire_at: Option<DateTime<Utc>>,
    pub(super) note: String,
    /// `None` is the time of the import.
    pub(super) created_at: Option<DateTime<Utc>>,
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
    /// Cells that are taken over as something else.
    pub changes: Vec<Finding>,
}

/// Why an old database cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Rows that do not fit; all of them.
    #[error("{} problems", .0.len())]
    Problems(Vec<Finding>),
    /// Names of the rename table that nobody has.
    #[error("nobody is called {}; see --rename", .0.join(", "))]
    UnusedRenames(Vec<String>),
    /// It cannot be read, or is something else.
    #[error("is no database of the older panel, or cannot be read: {0}")]
    Database(#[from] sqlx::Error),
}

/// Reads and checks an old database. Users and administrators whom `renames` has get their new names.
pub async fn read(mut old: OldPanel, renames: &Renames) -> Result<OldData, ReadError> {
    let mut data = OldData::default();
    let mut findings = Findings { renames, names: HashSet::new(), problems: Vec::new(), changes: Vec::new() };
    let (mut admins, mut users) = (HashMap::new(), HashMap::new());
    old.each(Table::Admins, |number, cells| {
        let mut row = Row { table: Table::Admins, number, findings: &mut findings };
        if let Some(admin) = row.admin(cells) {
            row.unique(&mut admins, &admin.username);
            data.admins.push(admin);
        }
    })
    .await?;
    old.each(Table::Users, |number, cells| {
        let mut row = Row { table: Table::Users, number, findings: &mut findings };
        if let Some(user) = row.user(cells) {
            row.unique(&mut users, &user.username);
            data.users.push(user);
        }
    })
    .await?;
    let mut negative = 0;
    old.each(Table::TrafficLogs, |number, cells| {
        let mut row = Row { table: Table::TrafficLogs, number, findings: &mut findings };
        data.traffic.extend(row.traffic(cells, &mut negative));
    })
    .await?;
    data.negative = negative;
    old.each(Table::SystemStats, |number, cells| {
        let mut row = Row { table: Table::SystemStats, number, findings: &mut findings };
        data.stats.extend(row.stats(cells));
    })
    .await?;
    let Findings { names, problems, changes, .. } = findings;
    let unused = renames.unused(|old| names.contains(old));
    if !unused.is_empty() {
        return Err(ReadError::UnusedRenames(unused.into_iter().map(str::to_owned).collect()));
    }
    data.changes = changes;
    if problems.is_empty() { Ok(data) } else { Err(ReadError::Problems(problems)) }
}

/// What was found so far.
struct Findings<'r> {
    renames: &'r Renames,
    /// Names as the old database has them.
    names: HashSet<String>,
    problems: Vec<Finding>,
    changes: Vec<Finding>,
}

/// One row under examination.
struct Row<'f, 'r> {
    table: Table,
    number: i64,
    findings: &'f mut Findings<'r>,
}

impl Row<'_, '_> {
    /// Keeps a value, or notes what is wrong with it.
    fn take<T>(&mut self, column: &'static str, result: Result<T, impl ToString>) -> Option<T> {
        result.map_err(|message| self.refuse(column, message.to_string())).ok()
    }

    /// The same for a value that may have been changed on the way, which is noted.
    fn take_changed<T>(&mut self, column: &'static str, result: Result<Taken<T>, String>) -> Option<T> {
        let Taken { value, change } = self.take(column, result)?;
        if let Some(message) = change {
            let change = self.finding(column, message);
            self.findings.changes.push(change);
        }
        Some(value)
    }

    fn name(&mut self, cell: &Cell) -> Option<Username> {
        if let Cell::Text(old) = cell {
            self.findings.names.insert(old.clone());
        }
        self.take_changed("username", name(cell, self.findings.renames))
    }

    fn refuse(&mut self, column: &'static str, message: String) {
        let problem = self.finding(column, message);
        self.findings.problems.push(problem);
    }

    fn finding(&self, column: &'static str, message: String) -> Finding {
        Finding { table: self.table.name(), row: self.number, column, message }
    }

    fn unique(&mut self, seen: &mut HashMap<String, i64>, name: &Username) {
        if let Some(first) = seen.insert(name.as_str().to_ascii_lowercase(), self.number) {
            self.refuse(
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
        let username = self.name(username);
        let hash = self.take("hashed_password", password_hash(hash));
        let is_sudo = self.take("is_sudo", flag(is_sudo));
        let created_at = self.take_changed("created_at", cells::created_at(created_at));
        Some(OldAdmin { id: id?, username: username?, hash: hash?, is_sudo: is_sudo?, created_at: created_at? })
    }

    fn user(&mut self, cells: &[Cell]) -> Option<OldUser> {
        let [id, username, secret, status, limit, used, connections, ips, expire_at, note, created_at, owner] = cells
        else {
            return None;
        };
        let id = self.take("id", integer(id));
        let username = self.name(username);
        let secret = self.take(
            "secret",
            text(secret).and_then(|digits| digits.parse::<Secret>().map_err(|error| error.to_string())),
        );
        let status = self.take("status", text(status).and_then(status_word));
        let limits = self.limits(limit, connections, ips);
        let data_used = self.take_changed("data_used", at_least_zero(used));
        let expire_at = self.take("expire_at", optional(expire_at, time));
        let note = self.take_changed("note", cells::note(note));
        let created_at = self.take_changed("created_at", cells::created_at(created_at));
        let owner = self.take("created_by_admin_id", optional(owner, integer));
        Some(OldUser {
            id: id?,
            username: username?,
            secret: secret?,
            disabled: status? == Status::Disabled,
            limits: limits?,
            data_used: data_used?,
            expire_at: expire_at?,
            note: note?,
            created_at: created_at?,
            owner: owner?,
        })
    }

    /// The limits; `None` if one of them does not fit. The old panel has no others.
    fn limits(&mut self, data: &Cell, connections: &Cell, addresses: &Cell) -> Option<Limits> {
        let mut limits = Limits::default();
        let fields = [&mut limits.data, &mut limits.connections, &mut limits.addresses];
        let cells = [("data_limit", data), ("max_connections", connections), ("max_unique_ips", addresses)];
        let mut all_fit = true;
        for (field, (column, cell)) in fields.into_iter().zip(cells) {
            match self.take_changed(column, cells::limit(cell)) {
                Some(limit) => *field = limit,
                None => all_fit = false,
            }
        }
        all_fit.then_some(limits)
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
        let total_connections = self.take_changed("total_connections", at_least_zero(total));
        let bad_connections = self.take_changed("bad_connections", at_least_zero(bad));
        let recorded_at = self.take("recorded_at", time(recorded_at));
        Some(SystemStats {
            uptime: uptime?,
            total_connections: total_connections?,
            bad_connections: bad_connections?,
            recorded_at: recorded_at?,
        })
    }
}
