//! Reads `config.toml` and the files that it includes from the disk, and notices changes of them.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use mtpannel_core::include::Source;

use crate::config::{Config, ConfigError};

/// Largest file that is read, in bytes. A file with 100,000 users with all limits has 15 MiB.
const MAX_SIZE: u64 = 256 << 20;

/// Tells one state of a file from another: changes whenever the file is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    /// Device and inode.
    file: (u64, u64),
    size: u64,
    /// When the content was last changed: seconds and nanoseconds.
    modified: (i64, i64),
    /// When the inode was last changed.
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let meta = fs::metadata(path)?;
        Ok(Self {
            file: (meta.dev(), meta.ino()),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }

    /// Whether the file was renamed after it was last written. A rename changes only the inode.
    fn was_moved(&self) -> bool {
        self.changed > self.modified
    }
}

/// A state of the file and of the files that it includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    main: Stamp,
    /// Paths and states of included files; `None` for a file that is missing or not accessible.
    included: Vec<(PathBuf, Option<Stamp>)>,
}

impl Files {
    /// Reads the present state of the same files.
    pub(crate) fn look(&self, path: &Path) -> io::Result<Self> {
        let included = self.included.iter().map(|(path, _)| (path.clone(), Stamp::of(path).ok())).collect();
        Ok(Self { main: Stamp::of(path)?, included })
    }

    /// Whether every file that has changed since `done` was moved into place, and so is complete.
    pub(crate) fn were_moved_since(&self, done: &Self) -> bool {
        let included =
            self.included.iter().zip(&done.included).map(|(now, before)| (now.1.as_ref(), before.1.as_ref()));
        std::iter::once((Some(&self.main), Some(&done.main)))
            .chain(included)
            .all(|(now, before)| now == before || now.is_some_and(Stamp::was_moved))
    }
}

/// Reads the file with the files that it includes, and returns the state of them that was read.
///
/// Fails if a file cannot be read or changes meanwhile. The inner result is an error if the content is refused.
pub(crate) fn load(path: &Path) -> io::Result<(Result<Config, ConfigError>, Files)> {
    let mut files = Files { main: Stamp::of(path)?, included: Vec::new() };
    let loaded = read(path, &mut files)?;
    if files.look(path)? != files {
        return Err(ErrorKind::Interrupted.into());
    }
    Ok((loaded, files))
}

fn read(path: &Path, files: &mut Files) -> io::Result<Result<Config, ConfigError>> {
    if files.main.size > MAX_SIZE {
        return Ok(Err(ConfigError::new("the file is larger than 256 MiB")));
    }
    let Ok(text) = String::from_utf8(fs::read(path)?) else {
        return Ok(Err(ConfigError::new("the file is not UTF-8")));
    };
    // Paths of included files are relative to the folder of the real file, not of a symbolic link to it.
    let real = fs::canonicalize(path)?;
    let source = Source::read(&real, text, |path| {
        let stamp = Stamp::of(path).map_err(|error| error.to_string());
        files.included.push((path.to_owned(), stamp.as_ref().ok().copied()));
        if stamp?.size > MAX_SIZE {
            return Err("it is larger than 256 MiB".to_owned());
        }
        fs::read_to_string(path).map_err(|error| error.to_string())
    });
    let source = source.map_err(|error| ConfigError::new(&error.to_string()));
    Ok(source.and_then(|source| Config::parse_source(&source)))
}
