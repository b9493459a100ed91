//! Backup of a SQLite database, and restore.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use tempfile::{TempDir, TempPath};

use crate::folder::{folder_of, sync_folder};
use crate::store::copy::{self, Contents, CopyError};
use crate::store::{InstanceLock, Store, StoreError};

/// Why a copy was not made or not restored. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A backup replaces nothing.
    #[error("{0} exists already; a backup replaces no file")]
    Exists(PathBuf),
    /// The copy cannot be the database.
    #[error("{path}: {source}", path = path.display())]
    Copy {
        /// The copy.
        path: PathBuf,
        /// Why not.
        source: CopyError,
    },
    /// The copy is the database.
    #[error("{0} is the database itself")]
    Same(PathBuf),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What is in the database now.
    pub contents: Contents,
    /// Where the database before is, if there was one.
    pub kept: Option<PathBuf>,
}

/// Writes a consistent copy of a SQLite database to `target`. It appears there when it is whole.
pub async fn backup(store: &Store, target: &Path) -> Result<(), BackupError> {
    let at = |source| StoreError::File { path: target.to_owned(), source };
    if target.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let folder = temporary_folder_beside(target).map_err(at)?;
    let copy = folder.path.path().join("copy.db");
    store.copy_to(&copy).await?;
    File::open(&copy).and_then(|file| file.sync_all()).map_err(at)?;
    let copy = TempPath::try_from_path(copy).map_err(at)?;
    copy.persist_noclobber(target).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
        _ => at(error.error).into(),
    })?;
    sync_folder(folder_of(target)).map_err(at)?;
    Ok(())
}

/// Puts a copy in the place of the database file, after every check. Refused while a panel serves that database.
pub async fn restore(database: &Path, source: &Path, now: DateTime<Utc>) -> Result<Restored, BackupError> {
    let _lock = InstanceLock::acquire(database)?;
    let database = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    if source.canonicalize().is_ok_and(|source| source == database) {
        return Err(BackupError::Same(database));
    }
    let refused = |error| BackupError::Copy { path: source.to_owned(), source: error };
    let folder = temporary_folder_beside(&database)
        .map_err(|error| StoreError::File { path: database.clone(), source: error })?;
    let new = folder.path.path().join("new.db");
    copy::duplicate(source, &new).map_err(refused)?;
    let contents = copy::prepare(&new, now).await.map_err(refused)?;
    let kept = free_name(&database, now);
    let existed = database.exists();
    copy::put_in_place(&new, &database, &kept).await?;
    Ok(Restored { contents, kept: existed.then_some(kept) })
}

/// A name that no file has yet for the database that is replaced.
fn free_name(database: &Path, now: DateTime<Utc>) -> PathBuf {
    let name = format!("{}.before-restore-{}", database.display(), now.format("%Y%m%dT%H%M%SZ"));
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let names = std::iter::once(name.clone()).chain(numbered).map(PathBuf::from);
    names.into_iter().find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| name.into())
}

/// A folder for files that must be on the same file system; removed when it drops.
struct TemporaryFolder {
    path: TempDir,
    /// The system releases it when the process ends, however it ends.
    _lock: File,
}

const TEMPORARY_PREFIX: &str = ".mtpannel-copy-";

fn temporary_folder_beside(path: &Path) -> io::Result<TemporaryFolder> {
    let path = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempdir_in(folder_of(path))?;
    let lock = File::open(&path)?;
    lock.lock()?;
    Ok(TemporaryFolder { path, _lock: lock })
}

/// Removes what backups and restores that were killed have left beside the database; those that run go on.
pub fn remove_leftovers(database: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder_of(database))? {
        let entry = entry?;
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(TEMPORARY_PREFIX));
        if is_ours && entry.file_type()?.is_dir() && File::open(entry.path())?.try_lock().is_ok() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_of_killed_copies_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("panel.db");
        let running = temporary_folder_beside(&database).unwrap();
        let (killed, other) = (folder.path().join(".mtpannel-copy-x1y2"), folder.path().join("other"));
        for path in [&killed, &other] {
            fs::create_dir(path).unwrap();
            fs::write(path.join("copy.db"), "half").unwrap();
        }
        remove_leftovers(&database).unwrap();
        assert!(!killed.exists() && other.exists() && running.path.path().exists());
    }
}
