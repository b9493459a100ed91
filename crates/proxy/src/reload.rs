//! The file is looked at often, and applied as soon as it has changed.
//!
//! A look is one `stat`: cheaper and surer than a watch of the directory, which misses swapped symlinks and single-file
//! mounts (contract, trap 7). A file that was renamed into place is whole and is read at once; one that is being written
//! in place is read when it has not changed between two looks.

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::config::{Config, ConfigError};
use crate::ports;
use crate::server::Shared;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(30);
/// Looks between two looks at the order of the candidates: about a second.
const REORDER: u32 = 33;
/// Largest file that is read: 100,000 users with all limits take 15 MiB.
const MAX_SIZE: u64 = 256 << 20;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// It does not say what it must.
    #[error("{0}")]
    Config(#[from] ConfigError),
}

/// Tells one state of a file from any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let meta = std::fs::metadata(path)?;
        Ok(Self {
            file: (meta.dev(), meta.ino()),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }
}

/// Reads the file, and tells which state of it was read.
pub(crate) fn load(path: &Path) -> Result<(Config, Stamp), LoadError> {
    let stamp = Stamp::of(path)?;
    if stamp.size > MAX_SIZE {
        return Err(io::Error::other("the file is larger than 256 MiB").into());
    }
    let text = String::from_utf8(std::fs::read(path)?).map_err(|_| io::Error::other("the file is not UTF-8"))?;
    Ok((Config::parse(&text)?, stamp))
}

/// Follows the file, and ends the sessions of those whose time is over.
pub(crate) struct Watcher {
    shared: Arc<Shared>,
    path: PathBuf,
    /// The state that was last applied or refused.
    done: Option<Stamp>,
    /// The state at the last look.
    seen: Option<Stamp>,
    named: HashSet<String>,
    looks: u32,
}

impl Watcher {
    pub(crate) fn new(shared: Arc<Shared>, path: PathBuf, applied: Stamp) -> Self {
        let mut watcher =
            Self { shared, path, done: Some(applied), seen: Some(applied), named: HashSet::new(), looks: 0 };
        let ignored = watcher.shared.config.ignored.clone();
        watcher.name_ignored(ignored);
        watcher
    }

    /// Looks until told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut last = ports::now();
        while !stop.is_cancelled() {
            let task = tokio::task::spawn_blocking(move || {
                self.look();
                self
            });
            let Ok(watcher) = task.await else { return };
            self = watcher;
            let now = ports::now();
            self.shared.directory.expire(last, now);
            last = now;
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    fn look(&mut self) {
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(REORDER) {
            self.shared.directory.reorder(ports::now());
        }
        // A file that is missing for a moment, or for good, changes nothing.
        let Ok(stamp) = Stamp::of(&self.path) else { return };
        let before = self.seen.replace(stamp);
        if self.done == Some(stamp) {
            return;
        }
        let renamed = self.done.is_none_or(|done| done.file != stamp.file);
        if renamed || before == Some(stamp) {
            self.done = Some(stamp);
            self.apply();
        }
    }

    fn apply(&mut self) {
        let now = ports::now();
        match load(&self.path) {
            Ok((mut config, stamp)) => {
                self.done = Some(stamp);
                let users = std::mem::take(&mut config.users);
                tracing::info!(users = users.len(), "configuration applied");
                self.shared.directory.apply(users, now);
                self.shared.stats.applied(now);
                self.name_ignored(std::mem::take(&mut config.ignored));
                if config != self.shared.config.without_users() {
                    tracing::warn!("settings outside [access] have changed; they need a restart");
                }
            }
            Err(error) => {
                tracing::error!(%error, "the configuration is refused; the old one stays in force");
                self.shared.stats.refused_file(now, error.to_string());
            }
        }
    }

    fn name_ignored(&mut self, ignored: Vec<String>) {
        let new: Vec<String> = ignored.into_iter().filter(|key| self.named.insert(key.clone())).collect();
        if !new.is_empty() {
            tracing::info!(keys = new.join(", "), "keys of the configuration that this proxy does not use");
        }
    }
}
