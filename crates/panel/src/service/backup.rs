//! Copies of a SQLite database, and the way back.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use tempfile::{TempDir, TempPath};

use crate::folder::folder_of;
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
    let copy = folder.path().join("copy.db");
    store.copy_to(&copy).await?;
    File::open(&copy).and_then(|file| file.sync_all()).map_err(at)?;
    let copy = TempPath::try_from_path(copy).map_err(at)?;
    copy.persist_noclobber(target).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
        _ => at(error.error).into(),
    })?;
    File::open(folder_of(target)).and_then(|folder| folder.sync_all()).map_err(at)?;
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
    let new = folder.path().join("new.db");
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

/// For files that must be on the same file system; removed when it drops.
fn temporary_folder_beside(path: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(".mtpannel-copy-").tempdir_in(folder_of(path))
}
