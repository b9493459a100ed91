//! Copies of the file, kept before the panel overwrites what somebody else has written into it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};
use mtpannel_core::document::Managed;
use mtpannel_core::include::Source;

use super::replace::target;
use super::{ConfigFile, ConfigFileError, Rendered, TextDigest, hex_digest};
use crate::folder::{folder_of, sync_folder};

/// Number of copies that are kept.
const KEPT: usize = 5;
/// The time in a copy's name. Names sort by it.
const TIME: &str = "%Y%m%dT%H%M%S%3fZ";

impl ConfigFile {
    /// The digest of the managed tables in the present file, if they are others than the ones that this process wrote last
    /// and something in them would be lost.
    pub fn loses(&self, rendered: &Rendered) -> Result<Option<TextDigest>, ConfigFileError> {
        let Some(present) = rendered.present.as_ref().filter(|_| rendered.differs && self.was_touched()) else {
            return Ok(None);
        };
        let managed = |source: &Source| Managed::of(source).map_err(|source| self.unreadable(source));
        let before = managed(present)?;
        let digest = hex_digest([before.text.as_str()]);
        if self.managed.as_ref() == Some(&digest)
            || !before.is_lost_in(&managed(&Source::alone(rendered.tables().collect::<String>()))?)
        {
            return Ok(None);
        }
        Ok(Some(digest))
    }

    /// Keeps a copy of the present file beside it, readable by its owner alone, and removes all but the newest copies.
    pub fn keep_copy(&self, rendered: &Rendered, now: DateTime<Utc>) -> Result<PathBuf, ConfigFileError> {
        let file = target(&self.path);
        let folder = folder_of(&file);
        let prefix = prefix(&file);
        let copy = folder.join(format!("{prefix}{}", now.format(TIME)));
        let text = rendered.present.as_ref().map_or("", Source::main);
        write_private(&copy, text).map_err(self.io("keep a copy of the file"))?;
        if let Err(error) = remove_old(folder, &prefix) {
            tracing::warn!(%error, "old copies of config.toml could not be removed");
        }
        Ok(copy)
    }
}

fn prefix(file: &Path) -> String {
    format!("{}.before-", file.file_name().unwrap_or_default().to_string_lossy())
}

/// Writes a new file; one of this name must not exist.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder(folder_of(path))
}

/// Removes all copies but the newest. Files of other names stay.
fn remove_old(folder: &Path, prefix: &str) -> io::Result<()> {
    let mut copies: Vec<String> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.strip_prefix(prefix).is_some_and(|time| NaiveDateTime::parse_from_str(time, TIME).is_ok()) {
            copies.push(name);
        }
    }
    copies.sort_unstable();
    let old = copies.len().saturating_sub(KEPT);
    copies[..old].iter().try_for_each(|name| fs::remove_file(folder.join(name)))
}
