//! Notices changes of the file, and of those that it includes, without reading them.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Metadata that changes whenever a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The file at the path, or where a symbolic link there leads; `None` if there is none.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    fs::metadata(path).ok().as_ref().map(Stamp::from)
}

/// A state of the file and of those that it includes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) main: Option<Stamp>,
    included: Vec<(PathBuf, Option<Stamp>)>,
}

impl State {
    /// The state of a file, without those that it includes.
    pub(super) fn of(path: &Path) -> Self {
        Self { main: stamp(path), included: Vec::new() }
    }

    /// Begins anew with the included files.
    pub(super) fn forget_includes(&mut self) {
        self.included.clear();
    }

    /// Adds an included file.
    pub(super) fn include(&mut self, path: &Path) {
        self.included.push((path.to_owned(), stamp(path)));
    }

    /// Whether it includes others.
    pub(super) fn has_includes(&self) -> bool {
        !self.included.is_empty()
    }

    /// Whether the files are still as they were.
    pub(super) fn is_current(&self, path: &Path) -> bool {
        self.main == stamp(path) && self.included.iter().all(|(path, before)| *before == stamp(path))
    }
}
