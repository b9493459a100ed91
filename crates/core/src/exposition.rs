//! The proxy's `/metrics` text (Prometheus text format 0.0.4) read into a [`Snapshot`].
//!
//! A line scanner of our own: families are interleaved, HELP and TYPE stand far from their samples (docs/contract-telemt.md,
//! "/metrics"), and only a few names matter. Everything else is skipped after its name.
//!
//! Four kinds of trouble are kept apart, because each has its own consequence for the accounting:
//!
//! - The text as a whole cannot be trusted (cut off, not this format, no uptime): an error, the scrape has failed.
//! - A family that accounting needs is missing although others show that users have counters: [`Snapshot::gap`]. Nothing
//!   may be counted then, as if the text could not be trusted.
//! - One reading cannot be right: it is [`Reading::Refused`] for that name and listed in [`Snapshot::refused`].
//! - A line of a user's family cannot be read at all, so that it is not known whose it is: listed without a name, and
//!   [`Snapshot::tells_absence`] is false.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use scan::Scan;
use series::Family;

pub use gap::Gap;
pub use series::{Reading, UserSeries};
pub use trouble::Trouble;
pub use version::is_untested;

mod gap;
mod scan;
mod series;
mod text;
mod trouble;
mod version;

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
    /// status `suppressed`; docs/contract-telemt.md, trap 3). Anything but a plain 0 there counts as yes.
    pub suppressed: bool,
    /// Why the traffic of users cannot be counted from this text, if so. Then `users` says nothing of anybody's bytes.
    pub gap: Option<Gap>,
    /// What the built-in proxy says of its `config.toml`; telemt says nothing (docs/contract-telemt.md, trap 6).
    pub file: Option<FileVerdict>,
    /// What the built-in proxy says that does not work.
    pub troubles: Vec<Trouble>,
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
        let is_octets = |name: &str| Family::ALL.iter().any(|family| family.is_octets() && family.name() == name);
        let unreadable = |refusal: &Refusal| refusal.user.is_none() && is_octets(refusal.family);
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
        let mut scan = Scan::default();
        scan.users.reserve(size / BYTES_PER_USER);
        Self { scan, lines: 0, rest: Vec::new() }
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

#[cfg(test)]
mod gap_tests;
#[cfg(test)]
mod tests;
