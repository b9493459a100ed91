//! One panel at a time over a SQLite file.

use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{StoreError, StoreResult};

/// Held by a process that must be the only one over a SQLite file: a panel that serves, a restore, an import. It ends
/// with the process, however that ends.
#[derive(Debug)]
pub struct InstanceLock(#[expect(dead_code, reason = "holding it open is the point")] File);

impl InstanceLock {
    /// Takes the lock of the database at `path`; [`StoreError::InUse`] if another process has it.
    pub fn acquire(path: &Path) -> StoreResult<Self> {
        let lock = PathBuf::from(format!("{}.lock", path.display()));
        let file_error = |source| StoreError::File { path: lock.clone(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file_error)?;
        }
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .map_err(file_error)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(file_error(source)),
        }
    }
}
