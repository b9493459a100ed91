//! Reads the users of a `config.toml` that no panel has managed yet.

use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Timelike, Utc};
use toml_edit::{Document, Item, TableLike};

use super::{DocumentError, comments, in_file};
use crate::access::Table;
use crate::include::{Lines, Location, Source};
use crate::rename::Renames;
use crate::user::{Limit, Limits, NOTE_MAX, PLACEHOLDER, Secret, Username};

/// A user as the file has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedUser {
    /// The name in the spelling of the file.
    pub username: Username,
    /// The secret.
    pub secret: Secret,
    /// Why the user is imported as disabled, if they are.
    pub disabled: Option<DisabledBecause>,
    /// The expiry, cut to the second.
    pub expire_at: Option<DateTime<Utc>>,
    /// The limits; 0 in the file means none. The proxy counts against the traffic quota from zero, and so does the panel
    /// after the import.
    pub limits: Limits,
    /// The comments of the lines in the file, without those that may hold a secret; at most [`NOTE_MAX`] characters.
    pub note: String,
}

/// Why a user of the file is imported as disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledBecause {
    /// `user_enabled` says so.
    File,
    /// The quota is 0. In the proxy this blocks the user (docs/contract-telemt.md, trap 5), and the panel has no such limit:
    /// the user is imported without a traffic limit.
    ZeroQuota,
}

impl fmt::Display for DisabledBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "disabled in the file",
            Self::ZeroQuota => "had a traffic quota of 0 in the file, which blocks",
        })
    }
}

/// Something in the file that cannot be imported. It never quotes a value, because that may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}line {line}, column {column}: [access.{table}] {name:?} {message}", in_file(file.as_ref()))]
pub struct ImportProblem {
    /// The included file with the fault; `None` if it is in the file itself.
    pub file: Option<PathBuf>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Key of the managed table under `access`.
    pub table: &'static str,
    /// The user's name as the file has it.
    pub name: String,
    /// What is wrong, to be read after the name.
    pub message: String,
}

/// Why nothing is imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The file as a whole cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Every problem with its users, in the order of the file.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Users(Vec<ImportProblem>),
    /// Old names of the rename table that nobody has.
    #[error("nobody is called {}", .0.join(", "))]
    UnusedRenames(Vec<String>),
}

/// Reads the users of a file, and of those that it includes, with their limits, in their order. The placeholder is no
/// user. What the limit tables say of names that are not in `[access.users]` has no meaning for the proxy and is ignored.
///
/// Fails with all problems at once: names outside the rule or differing only by case, bad secrets, negative or fractional
/// numbers, dates that are no date and time with an offset.
pub fn read_users_of(source: &Source) -> Result<Vec<ImportedUser>, ImportError> {
    read_renamed_users(source, &Renames::default())
}

/// The same, with new names for some of them. A name of the table that nobody has is an error.
pub fn read_renamed_users(source: &Source, renames: &Renames) -> Result<Vec<ImportedUser>, ImportError> {
    let (document, _) = super::parse(source)?;
    let mut reader = Reader::new(source.bare(), &document, renames);
    let users = reader.users();
    let unused = renames.unused(|old| reader.has(old));
    if !unused.is_empty() {
        return Err(ImportError::UnusedRenames(unused.into_iter().map(str::to_owned).collect()));
    }
    if reader.faults.is_empty() {
        return Ok(users);
    }
    reader.faults.sort_by_key(|fault| fault.offset);
    let lines = Lines::new(source);
    Err(ImportError::Users(reader.faults.into_iter().map(|fault| fault.located(&lines)).collect()))
}

/// The same for the text of a file that includes no others.
///
/// ```
/// # use mtpannel_core::document::read_users;
/// let users = read_users("[access.users]\nalice = \"00112233445566778899aabbccddeeff\"\n")?;
/// assert_eq!(users[0].username.as_str(), "alice");
/// # Ok::<(), mtpannel_core::document::ImportError>(())
/// ```
pub fn read_users(text: &str) -> Result<Vec<ImportedUser>, ImportError> {
    read_users_of(&Source::alone(text))
}

/// A problem before its line is known.
struct Fault {
    offset: usize,
    table: Table,
    name: String,
    message: String,
}

impl Fault {
    fn located(self, lines: &Lines<'_>) -> ImportProblem {
        let Location { file, line, column } = lines.locate(self.offset);
        ImportProblem { file, line, column, table: self.table.key(), name: self.name, message: self.message }
    }
}

struct Reader<'d> {
    text: &'d str,
    /// The managed tables by [`Table::index`].
    tables: [Option<&'d dyn TableLike>; Table::ALL.len()],
    faults: Vec<Fault>,
    renames: &'d Renames,
    /// Names so far, in lower case.
    seen: HashSet<String>,
}

impl<'d> Reader<'d> {
    fn new(text: &'d str, document: &'d Document<&str>, renames: &'d Renames) -> Self {
        let access = document.get("access").and_then(Item::as_table_like);
        let tables = Table::ALL.map(|table| access?.get(table.key())?.as_table_like());
        Self { text, tables, faults: Vec::new(), renames, seen: HashSet::new() }
    }

    /// Whether the file has a user of this name, letter by letter.
    fn has(&self, name: &str) -> bool {
        self.tables[Table::Users.index()].is_some_and(|users| users.contains_key(name))
    }

    fn users(&mut self) -> Vec<ImportedUser> {
        let Some(users) = self.tables[Table::Users.index()] else { return Vec::new() };
        users.iter().filter(|(name, _)| *name != PLACEHOLDER).filter_map(|(name, item)| self.user(name, item)).collect()
    }

    /// One user; `None` if something of them cannot be imported. Every fault is noted.
    fn user(&mut self, name: &str, item: &Item) -> Option<ImportedUser> {
        let offset = self.key_offset(name).or(item.span().map(|span| span.start)).unwrap_or_default();
        let username = self.username(name, offset);
        let secret = item.as_str().and_then(|digits| digits.parse::<Secret>().ok());
        if secret.is_none() {
            self.fault(Table::Users, name, item, "has a secret that is not 32 hex digits");
        }
        let enabled = self.read(Table::Enabled, name, Item::as_bool, "must be true or false");
        let expire_at = self.read(Table::Expirations, name, date_time, "must be a date and time with an offset");
        let numbers = Table::OF_LIMITS.map(|table| self.number(table, name));
        let disabled = match (enabled, numbers.data) {
            (Some(false), _) => Some(DisabledBecause::File),
            (_, Some(0)) => Some(DisabledBecause::ZeroQuota),
            _ => None,
        };
        Some(ImportedUser {
            username: username?,
            secret: secret?,
            disabled,
            expire_at,
            // 0 and nothing are no limit.
            limits: numbers.map(|number| number.and_then(|number| Limit::try_from(number).ok())),
            note: self.note(name),
        })
    }

    /// The comments of the lines of a user in all managed tables, each once.
    fn note(&self, name: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for table in self.tables.iter().flatten() {
            let place = table.get_key_value(name).and_then(|(key, item)| Some((key.span()?.start, item.span()?)));
            let Some((key, value)) = place else { continue };
            for comment in comments::of_statement(self.text, key, &value) {
                if !lines.contains(&comment) {
                    lines.push(comment);
                }
            }
        }
        lines.join("\n").chars().take(NOTE_MAX).collect()
    }

    fn key_offset(&self, name: &str) -> Option<usize> {
        let (key, _) = self.tables[Table::Users.index()]?.get_key_value(name)?;
        key.span().map(|span| span.start)
    }

    fn username(&mut self, name: &str, offset: usize) -> Option<Username> {
        let parsed = self.renames.name(name).map_err(|error| error.to_string());
        let unique = parsed.and_then(|username| {
            let new = self.seen.insert(username.as_str().to_ascii_lowercase());
            if new { Ok(username) } else { Err("differs from another name only by case".to_owned()) }
        });
        unique.map_err(|message| self.fault_at(offset, Table::Users, name, message)).ok()
    }

    /// What a limit table says of a user, `None` if it says nothing or something wrong.
    fn read<T>(&mut self, table: Table, name: &str, value: impl Fn(&Item) -> Option<T>, rule: &str) -> Option<T> {
        let item = self.tables[table.index()]?.get(name)?;
        let value = value(item);
        if value.is_none() {
            self.fault(table, name, item, rule);
        }
        value
    }

    fn number(&mut self, table: Table, name: &str) -> Option<i64> {
        let whole = |item: &Item| item.as_integer().filter(|number| *number >= 0);
        self.read(table, name, whole, "must be a whole number, 0 or more")
    }

    fn fault(&mut self, table: Table, name: &str, item: &Item, message: &str) {
        let offset = item.span().map(|span| span.start).unwrap_or_default();
        self.fault_at(offset, table, name, message.to_owned());
    }

    fn fault_at(&mut self, offset: usize, table: Table, name: &str, message: String) {
        self.faults.push(Fault { offset, table, name: name.to_owned(), message });
    }
}

/// A date and time with an offset, quoted or not, in UTC and cut to the second.
fn date_time(item: &Item) -> Option<DateTime<Utc>> {
    let text = item.as_str().map(str::to_owned).or_else(|| item.as_datetime().map(ToString::to_string))?;
    DateTime::parse_from_rfc3339(&text).ok()?.to_utc().with_nanosecond(0)
}
