//! The folder of a file, and making changes in it durable.

use std::fs::File;
use std::io;
use std::path::Path;

/// The folder that a file is in; `.` for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Makes the names in a folder durable with fsync. File systems that do not support this, such as CIFS and many in user
/// space, are no error: the file that was written or renamed before is not affected.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            tracing::debug!(folder = %folder.display(), %error, "the folder cannot be made durable");
            Ok(())
        }
        done => done,
    }
}
