//! One panel, or one command that needs it alone, per SQLite database.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::error::{StoreError, StoreResult};
use crate::folder::folder_of;

/// Held for as long as a process has the database for itself; the system releases it when the process ends, however it
/// ends. Commands that are safe beside a running panel do not take it.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    /// Takes the lock of the database file at `path`, which need not exist yet; [`StoreError::InUse`] if another process
    /// has it.
    ///
    /// The lock is on a file of its own, `<path>.lock`, which stays: removing it would let two processes lock two files.
    pub fn acquire(path: &Path) -> StoreResult<Self> {
        let database = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let lock_path = beside(&database, ".lock");
        let file_error = |source: io::Error| StoreError::File { path: lock_path.clone(), source };
        std::fs::create_dir_all(folder_of(&database)).map_err(file_error)?;
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&lock_path).map_err(file_error)?;
        // An administrator's command must not leave a lock that the service's own user cannot open.
        give_to_owner_of(&file, &database);
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(database)),
            Err(TryLockError::Error(source)) => Err(file_error(source)),
        }
    }
}

/// A file beside another one: its name and `suffix`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Gives a file to the owner of another one, or of its folder if that one does not exist. Only root can; for others the
/// file stays theirs.
pub(super) fn give_to_owner_of(file: &File, model: &Path) {
    let model = std::fs::metadata(model).or_else(|_| std::fs::metadata(folder_of(model)));
    if let (Ok(model), Ok(own)) = (model, file.metadata())
        && (model.uid(), model.gid()) != (own.uid(), own.gid())
        && let Err(error) = std::os::unix::fs::fchown(file, Some(model.uid()), Some(model.gid()))
    {
        tracing::debug!(%error, "the owner of a file could not be set");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_held_once_and_can_be_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/panel.db");
        let lock = InstanceLock::acquire(&path).unwrap();
        assert!(matches!(InstanceLock::acquire(&path), Err(StoreError::InUse(_))));
        drop(lock);
        InstanceLock::acquire(&path).unwrap();
    }

    #[test]
    fn a_link_to_the_database_has_the_same_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panel.db");
        std::fs::write(&path, "").unwrap();
        std::os::unix::fs::symlink(&path, folder.path().join("link.db")).unwrap();
        let _lock = InstanceLock::acquire(&path).unwrap();
        assert!(InstanceLock::acquire(&folder.path().join("link.db")).is_err());
    }
}
