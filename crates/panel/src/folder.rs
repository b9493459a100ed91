//! Folders of files.

use std::fs::File;
use std::io;
use std::path::Path;

/// The folder that a file is in; the present one for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Makes the names in a folder durable, as far as its file system can: CIFS and many file systems in user space refuse it,
/// which says nothing of the file that was written or renamed before.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            tracing::debug!(folder = %folder.display(), %error, "the folder cannot be made durable");
            Ok(())
        }
        done => done,
    }
}
