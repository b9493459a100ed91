//! The proxy's `/metrics` text (Prometheus text format 0.0.4) read into a [`Snapshot`].
//!
//! A line scanner of our own: families are interleaved, HELP and TYPE stand far from their samples (contract,
//! "/metrics"), and only ten names matter. Everything else is skipped after its name.
//!
//! Three kinds of trouble are kept apart, because each has its own consequence for the accounting:
//!
//! - The text as a whole cannot be trusted (cut off, not this format, no uptime): an error, the scrape has failed.
//! - One reading cannot be right: it is [`Reading::Refused`] for that name and listed in [`Snapshot::refused`].
//! - A line of a user's family cannot be read at all, so that it is not known whose it is: listed without a name, and
//!   [`Snapshot::tells_absence`] is false.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use text::{is_name_byte, labels, unescape, value_word};

mod text;

/// 2^63, the first float above every `i64`.
const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;

/// Bytes of text for each user, about: ten series. Only a guess at the room to set aside.
const BYTES_PER_USER: usize = 512;

/// What one scrape of the proxy says.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Seconds since the proxy's counters began, finite and not negative (`telemt_uptime_seconds`).
    pub uptime: f64,
    /// Version of the proxy (`telemt_build_info`, label `version`).
    pub version: Option<String>,
    /// Connections accepted since the start (`telemt_connections_total`).
    pub connections_total: Option<i64>,
    /// Connections that brought no right secret, since the start (`telemt_connections_bad_total`).
    pub connections_bad_total: Option<i64>,
    /// Whether the proxy left out users for being too many (`telemt_telemetry_user_series_users`, family `stats`,
    /// status `suppressed`; contract, trap 3). Anything but a plain 0 there counts as yes.
    pub suppressed: bool,
    /// What the built-in proxy says of its `config.toml`; telemt says nothing (contract, trap 6).
    pub file: Option<FileVerdict>,
    /// What is said of each name, under the spelling of the proxy, which tells `Bob` from `bob`.
    pub users: HashMap<String, UserSeries>,
    /// Readings that were not taken over, for the log.
    pub refused: Vec<Refusal>,
}

/// Whether the proxy runs with the file that is on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileVerdict {
    /// It does (`mtproxy_config_current`).
    pub is_current: bool,
    /// Why it last refused a file, with line and column (`mtproxy_config_last_reload_failure_info`, label `error`).
    pub last_failure: Option<String>,
    /// When that was (`mtproxy_config_last_reload_failure_timestamp_seconds`).
    pub last_failure_at: Option<DateTime<Utc>>,
}

/// A reading that was not taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Line of the text, from 1.
    pub line: usize,
    /// Name of the metric.
    pub family: &'static str,
    /// The user it is about; `None` for a metric of the whole proxy, or if the line cannot be read that far.
    pub user: Option<String>,
}

/// Why a text is no scrape at all. Nothing of the text is repeated here, because it may be anybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExpositionError {
    /// The last line has no end, so its number may have lost digits.
    #[error("the metrics text is cut off in line {line}")]
    CutOff {
        /// Line of the text, from 1.
        line: usize,
    },
    /// A line that is not UTF-8.
    #[error("line {line} is not UTF-8 text; is this the proxy's /metrics?")]
    NotText {
        /// Line of the text, from 1.
        line: usize,
    },
    /// A line that is no sample, no comment and not empty: an HTML page, say.
    #[error("line {line} is not in the Prometheus text format; is this the proxy's /metrics?")]
    Format {
        /// Line of the text, from 1.
        line: usize,
    },
    /// An uptime that is no finite number of seconds from 0 up.
    #[error("line {line}: telemt_uptime_seconds is not a number of seconds")]
    Uptime {
        /// Line of the text, from 1.
        line: usize,
    },
    /// No uptime: without it a restart of the proxy cannot be told.
    #[error("the metrics text has no telemt_uptime_seconds in its {lines} lines; is this the proxy's /metrics?")]
    NoUptime {
        /// Lines in the text.
        lines: usize,
    },
}

/// The sum of all series of one family for one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reading {
    /// No such series.
    #[default]
    Absent,
    /// 0 to `i64::MAX`.
    Value(i64),
    /// Not a number, infinite, negative, with a fraction, or above `i64::MAX`, alone or in sum.
    Refused,
}

impl Reading {
    /// The number, if there is one.
    pub const fn value(self) -> Option<i64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Refused => None,
        }
    }

    fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Absent, one) | (one, Self::Absent) => one,
            (Self::Value(a), Self::Value(b)) => a.checked_add(b).map_or(Self::Refused, Self::Value),
            (Self::Refused, _) | (_, Self::Refused) => Self::Refused,
        }
    }
}

/// A family with one series (or more) per user.
#[derive(Debug, Clone, Copy)]
enum Family {
    FromClient,
    ToClient,
    Connections,
    UniqueIps,
    UniqueIpsOlder,
}

impl Family {
    const ALL: [Self; 5] = [Self::FromClient, Self::ToClient, Self::Connections, Self::UniqueIps, Self::UniqueIpsOlder];

    const fn name(self) -> &'static str {
        match self {
            Self::FromClient => "telemt_user_octets_from_client",
            Self::ToClient => "telemt_user_octets_to_client",
            Self::Connections => "telemt_user_connections_current",
            Self::UniqueIps => "telemt_user_unique_ips_current",
            Self::UniqueIpsOlder => "telemt_user_unique_ips_active",
        }
    }

    /// What follows this family's name in a line that continues with `line` after `telemt_user_`. Of a longer name that
    /// begins alike its rest is given, too, which does not open labels and is therefore about nobody.
    fn after(self, line: &str) -> Option<&str> {
        match self {
            Self::FromClient => line.strip_prefix("octets_from_client"),
            Self::ToClient => line.strip_prefix("octets_to_client"),
            Self::Connections => line.strip_prefix("connections_current"),
            Self::UniqueIps => line.strip_prefix("unique_ips_current"),
            Self::UniqueIpsOlder => line.strip_prefix("unique_ips_active"),
        }
    }
}

/// What one scrape says of one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserSeries {
    readings: [Reading; Family::ALL.len()],
}

impl UserSeries {
    /// Bytes from the client since the counter began (`telemt_user_octets_from_client`).
    pub const fn from_client(&self) -> Reading {
        self.readings[Family::FromClient as usize]
    }

    /// Bytes to the client since the counter began (`telemt_user_octets_to_client`).
    pub const fn to_client(&self) -> Reading {
        self.readings[Family::ToClient as usize]
    }

    /// Connections open now (`telemt_user_connections_current`).
    pub const fn connections(&self) -> Option<i64> {
        self.readings[Family::Connections as usize].value()
    }

    /// Addresses connected now (`telemt_user_unique_ips_current`; older proxies say `telemt_user_unique_ips_active`,
    /// which is read only where the first is missing).
    pub const fn unique_ips(&self) -> Option<i64> {
        match self.readings[Family::UniqueIps as usize] {
            Reading::Absent => self.readings[Family::UniqueIpsOlder as usize].value(),
            current => current.value(),
        }
    }
}

impl Snapshot {
    /// Reads a whole `/metrics` text, which has arrived completely; see [`Reader`].
    pub fn parse(text: &str) -> Result<Self, ExpositionError> {
        let mut reader = Reader::new(text.len());
        reader.push(text.as_bytes())?;
        reader.finish()
    }

    /// Whether a name without octet series is one that the proxy has forgotten: it left nobody out, it shows the
    /// octets of others, and no such line was unreadable. Otherwise nothing follows from absence.
    pub fn tells_absence(&self) -> bool {
        let octets = [Family::FromClient.name(), Family::ToClient.name()];
        let unreadable = |refusal: &Refusal| refusal.user.is_none() && octets.contains(&refusal.family);
        let counted = |user: &UserSeries| user.from_client().value().or(user.to_client().value()).is_some();
        !self.suppressed && !self.refused.iter().any(unreadable) && self.users.values().any(counted)
    }
}

/// Reads a `/metrics` text as it arrives, so that it need not be held: 100,000 users make 60 MB.
///
/// Several series of one name and family are summed; labels other than `user` are ignored, and so is a series without
/// that label. A text that does not end with a newline is refused, since half a number is a wrong one.
#[derive(Debug)]
pub struct Reader {
    scan: Scan,
    lines: usize,
    /// The beginning of a line whose end has not arrived yet.
    rest: Vec<u8>,
}

impl Reader {
    /// Begins a text of about `size` bytes.
    pub fn new(size: usize) -> Self {
        let users = HashMap::with_capacity(size / BYTES_PER_USER);
        Self { scan: Scan { users, ..Scan::default() }, lines: 0, rest: Vec::new() }
    }

    /// Reads the next part, which may begin and end anywhere.
    pub fn push(&mut self, part: &[u8]) -> Result<(), ExpositionError> {
        for line in part.split_inclusive(|byte| *byte == b'\n') {
            if self.rest.is_empty() && line.ends_with(b"\n") {
                self.line(line)?;
                continue;
            }
            self.rest.extend_from_slice(line);
            if line.ends_with(b"\n") {
                let whole = std::mem::take(&mut self.rest);
                self.line(&whole)?;
            }
        }
        Ok(())
    }

    /// Says that the text has arrived completely, and gives what it says.
    pub fn finish(mut self) -> Result<Snapshot, ExpositionError> {
        if !self.rest.is_empty() {
            return Err(ExpositionError::CutOff { line: self.lines + 1 });
        }
        self.scan.store_current();
        self.scan.finish(self.lines)
    }

    fn line(&mut self, line: &[u8]) -> Result<(), ExpositionError> {
        self.lines += 1;
        let line = std::str::from_utf8(line).map_err(|_| ExpositionError::NotText { line: self.lines })?;
        self.scan.line(line, self.lines)
    }
}

/// The state of a scan.
#[derive(Debug, Default)]
struct Scan {
    uptime: Option<f64>,
    version: Option<String>,
    connections_total: Reading,
    connections_bad_total: Reading,
    suppressed: bool,
    file: Option<FileVerdict>,
    users: HashMap<String, UserSeries>,
    refused: Vec<Refusal>,
    current: Option<Current>,
}

/// The user of the lines just read, ahead of what `users` holds of him: a user's lines mostly stand together.
#[derive(Debug)]
struct Current {
    name: String,
    series: UserSeries,
    is_new: bool,
}

impl Scan {
    fn line(&mut self, line: &str, number: usize) -> Result<(), ExpositionError> {
        let line = line.trim_ascii();
        match line.as_bytes().first() {
            None | Some(b'#') => return Ok(()),
            Some(first) if is_name_byte(*first) && !first.is_ascii_digit() => {}
            Some(_) => return Err(ExpositionError::Format { line: number }),
        }
        let Some(name) = line.strip_prefix("telemt_") else {
            if let Some(name) = line.strip_prefix("mtproxy_config_") {
                self.file(name);
            }
            return Ok(());
        };
        if let Some(name) = name.strip_prefix("user_") {
            if let Some((family, rest)) = Family::ALL.iter().find_map(|family| Some((*family, family.after(name)?))) {
                self.user(family, rest, number);
            }
            return Ok(());
        }
        let (name, rest) = name.split_at(name.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(name.len()));
        match name {
            "uptime_seconds" => self.uptime = Some(uptime(rest).ok_or(ExpositionError::Uptime { line: number })?),
            "build_info" => self.build_info(rest),
            "connections_total" => {
                self.connections_total = self.global("telemt_connections_total", self.connections_total, rest, number);
            }
            "connections_bad_total" => {
                self.connections_bad_total =
                    self.global("telemt_connections_bad_total", self.connections_bad_total, rest, number);
            }
            "telemetry_user_series_users" => self.suppressed |= says_suppressed(rest),
            _ => {}
        }
        Ok(())
    }

    /// A line of what the built-in proxy says of the file.
    fn file(&mut self, name: &str) {
        if let Some(rest) = name.strip_prefix("current") {
            let is_current = labels(rest, |_, _| {}).map(count) == Some(Reading::Value(1));
            self.file.get_or_insert_default().is_current = is_current;
        } else if let Some(rest) = name.strip_prefix("last_reload_failure_timestamp_seconds") {
            let at = labels(rest, |_, _| {}).map(count).and_then(Reading::value);
            self.file.get_or_insert_default().last_failure_at = at.and_then(|at| DateTime::from_timestamp(at, 0));
        } else if let Some(rest) = name.strip_prefix("last_reload_failure_info") {
            labels(rest, |label, value| {
                if label == "error" {
                    self.file.get_or_insert_default().last_failure = Some(unescape(value).into_owned());
                }
            });
        }
    }

    fn build_info(&mut self, rest: &str) {
        labels(rest, |label, value| {
            if label == "version" {
                self.version = Some(unescape(value).into_owned());
            }
        });
    }

    /// A line of a metric of the whole proxy; gives the sum with `before`.
    fn global(&mut self, family: &'static str, before: Reading, rest: &str, line: usize) -> Reading {
        let sum = before.plus(labels(rest, |_, _| {}).map_or(Reading::Refused, count));
        if sum == Reading::Refused && before != Reading::Refused {
            self.refused.push(Refusal { line, family, user: None });
        }
        sum
    }

    /// A line of a user's metric.
    fn user(&mut self, family: Family, rest: &str, line: usize) {
        let mut name = None;
        let value = labels(rest, |label, value| {
            if label == "user" {
                name = Some(value);
            }
        });
        let Some(value) = value else {
            self.refused.push(Refusal { line, family: family.name(), user: None });
            return;
        };
        let Some(name) = name.map(unescape) else { return };
        let current = self.current_user(name);
        let slot = &mut current.series.readings[family as usize];
        let before = *slot;
        *slot = before.plus(count(value));
        if *slot == Reading::Refused && before != Reading::Refused {
            let user = Some(current.name.clone());
            self.refused.push(Refusal { line, family: family.name(), user });
        }
    }

    /// Makes `name` the current user.
    fn current_user(&mut self, name: Cow<'_, str>) -> &mut Current {
        let current = self.current.take_if(|current| current.name == name).unwrap_or_else(|| {
            self.store_current();
            let known = self.users.get(name.as_ref()).copied();
            Current { name: name.into_owned(), series: known.unwrap_or_default(), is_new: known.is_none() }
        });
        self.current.insert(current)
    }

    fn store_current(&mut self) {
        let Some(Current { name, series, is_new }) = self.current.take() else { return };
        if is_new {
            self.users.insert(name, series);
        } else if let Some(known) = self.users.get_mut(&name) {
            *known = series;
        }
    }

    fn finish(self, lines: usize) -> Result<Snapshot, ExpositionError> {
        Ok(Snapshot {
            uptime: self.uptime.ok_or(ExpositionError::NoUptime { lines })?,
            version: self.version,
            connections_total: self.connections_total.value(),
            connections_bad_total: self.connections_bad_total.value(),
            suppressed: self.suppressed,
            file: self.file,
            users: self.users,
            refused: self.refused,
        })
    }
}

/// A count of something.
fn count(value: &str) -> Reading {
    // Mostly there is nothing but digits.
    let value = value.trim_ascii();
    match value.parse().ok().or_else(|| whole(value_word(value)?)) {
        Some(value) if value >= 0 => Reading::Value(value),
        Some(_) | None => Reading::Refused,
    }
}

/// A whole number, perhaps written as a float, such as `1.5e3`.
#[allow(clippy::cast_possible_truncation, reason = "whole, and between 0 and 2^63")]
fn whole(word: &str) -> Option<i64> {
    word.parse().ok().or_else(|| {
        let value: f64 = word.parse().ok()?;
        ((0.0..TOO_LARGE).contains(&value) && value.fract() == 0.0).then_some(value as i64)
    })
}

fn uptime(rest: &str) -> Option<f64> {
    let seconds: f64 = value_word(labels(rest, |_, _| {})?)?.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}

/// Whether a line of `telemt_telemetry_user_series_users` says that users are left out of the octet families.
fn says_suppressed(rest: &str) -> bool {
    let (mut stats, mut suppressed) = (false, false);
    let value = labels(rest, |label, value| {
        stats |= (label, value) == ("family", "stats");
        suppressed |= (label, value) == ("status", "suppressed");
    });
    match value {
        Some(value) => stats && suppressed && count(value) != Reading::Value(0),
        None => true,
    }
}

#[cfg(test)]
mod tests;
