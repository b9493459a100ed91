//! The memory of replays on disk. An entry of 24 bytes is appended for each hello that is accepted, and the file is
//! rewritten when most of its entries are out of date.
//!
//! The file is not synced. If the process is killed, the kernel keeps what was written. If the machine loses its power,
//! most hellos are too old by the time it has started again.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::{DateTime, Utc};

use super::Fingerprint;
use crate::ports;
use crate::throttled_log::ThrottledLog;

/// Bytes of an entry: seconds since 1970, and the fingerprint.
const ENTRY: usize = 8 + 16;
/// Out-of-date entries that are allowed, in addition to as many as there are current ones.
const SPARE: usize = 1_024;

/// Reads all entries of a file, oldest first; none if there is no file.
pub(super) fn read(path: &Path) -> io::Result<Vec<(i64, Fingerprint)>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let (entries, _) = bytes.as_chunks::<ENTRY>();
    let entry = |entry: &[u8; ENTRY]| {
        let (time, fingerprint) = entry.split_first_chunk()?;
        Some((i64::from_le_bytes(*time), *fingerprint.first_chunk()?))
    };
    Ok(entries.iter().filter_map(entry).collect())
}

/// The file, open for appending.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// `None` after a write has failed.
    file: Option<File>,
    entries: usize,
    warning: ThrottledLog,
}

impl Log {
    /// Creates the file with the entries of `order`.
    pub(super) fn create(
        path: PathBuf,
        order: &VecDeque<(Instant, Fingerprint)>,
        now: (Instant, DateTime<Utc>),
    ) -> io::Result<Self> {
        let mut log = Self { path, file: None, entries: 0, warning: ThrottledLog::default() };
        log.rewrite(order, now)?;
        Ok(log)
    }

    /// Appends the newest entry of `order`. A failure is logged, and the next call rewrites the whole file.
    pub(super) fn add(&mut self, order: &VecDeque<(Instant, Fingerprint)>, now: Instant) {
        let now = (now, ports::now());
        let added = match (&mut self.file, order.back()) {
            (Some(file), Some(&(_, fingerprint))) if self.entries < 2 * order.len() + SPARE => {
                self.entries += 1;
                file.write_all(&entry(now.1.timestamp(), fingerprint))
            }
            _ => self.rewrite(order, now),
        };
        if let Err(error) = added {
            self.file = None;
            self.warning.write(now.0, || tracing::warn!(%error, "hellos that were taken cannot be remembered on disk"));
        }
    }

    fn rewrite(&mut self, order: &VecDeque<(Instant, Fingerprint)>, now: (Instant, DateTime<Utc>)) -> io::Result<()> {
        let time = |since: Instant| {
            let age = i64::try_from(now.0.saturating_duration_since(since).as_secs()).unwrap_or(i64::MAX);
            now.1.timestamp().saturating_sub(age)
        };
        let bytes: Vec<u8> = order.iter().flat_map(|&(since, fingerprint)| entry(time(since), fingerprint)).collect();
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        // A file that was left there may belong to anybody, so it is not written to.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(&bytes)?;
        fs::rename(&new, &self.path)?;
        (self.file, self.entries) = (Some(file), order.len());
        Ok(())
    }
}

fn entry(time: i64, fingerprint: Fingerprint) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    entry[..8].copy_from_slice(&time.to_le_bytes());
    entry[8..].copy_from_slice(&fingerprint);
    entry
}
