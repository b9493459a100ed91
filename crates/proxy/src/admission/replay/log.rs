//! The memory of replays on disk: an entry of 24 bytes is added for each hello that is taken, and the file is written anew
//! when most of it is out of date. Nothing is synced: the system keeps what was written when the process dies, and a machine
//! that lost its power takes longer to start than most hellos stay acceptable.

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

/// Seconds since 1970, and the fingerprint.
const ENTRY: usize = 8 + 16;
/// Entries that may be out of date besides as many as are not.
const SPARE: usize = 1_024;

/// All entries of a file, oldest first; none if there is no file.
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

#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// `None` after a failure.
    file: Option<File>,
    entries: usize,
    warning: ThrottledLog,
}

impl Log {
    /// Writes a file with these entries.
    pub(super) fn create(
        path: PathBuf,
        order: &VecDeque<(Instant, Fingerprint)>,
        now: (Instant, DateTime<Utc>),
    ) -> io::Result<Self> {
        let mut log = Self { path, file: None, entries: 0, warning: ThrottledLog::default() };
        log.rewrite(order, now)?;
        Ok(log)
    }

    /// Adds the newest entry. A failure is reported, and the whole is written at the next try.
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
            self.warning.say(now.0, || tracing::warn!(%error, "hellos that were taken cannot be remembered on disk"));
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
        // A leftover may be anybody's: it is not written into.
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
