//! Replaces the file as a whole, so that no reader sees half of it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use super::state::stamp;
use super::{ConfigFile, ConfigFileError};
use crate::folder::{folder_of, sync_folder};

const TEMPORARY_PREFIX: &str = ".mtpannel-";
const TEMPORARY_SUFFIX: &str = ".tmp";
/// A new file holds secrets: for its owner and the group of its directory, which the proxy belongs to.
const NEW_MODE: u32 = 0o640;

/// Symbolic links that are followed, as many as the system does.
const MOST_LINKS: usize = 40;

/// The path to replace: the end of symbolic links, whether or not a file is there, so that the links stay.
pub(super) fn target(path: &Path) -> PathBuf {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(link) = fs::read_link(&target) else { break };
        target = folder_of(&target).join(link);
    }
    target
}

impl ConfigFile {
    /// Removes temporary files that a killed process left.
    pub fn remove_leftovers(&self) -> io::Result<()> {
        let Ok(entries) = fs::read_dir(folder_of(&target(&self.path))) else { return Ok(()) };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let ours = name
                .to_str()
                .is_some_and(|name| name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX));
            if ours {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Writes a temporary file beside the file, makes it durable, and puts it in the file's place.
    pub(super) fn replace(&self, text: &str) -> Result<(), ConfigFileError> {
        let target = target(&self.path);
        let folder = folder_of(&target);
        fs::create_dir_all(folder).map_err(self.io("make the directory"))?;
        let mut temporary = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .suffix(TEMPORARY_SUFFIX)
            .tempfile_in(folder)
            .map_err(self.io("make a temporary file beside it"))?;
        temporary.write_all(text.as_bytes()).map_err(self.io("write"))?;
        self.copy_permissions(&target, temporary.as_file())?;
        temporary.as_file().sync_all().map_err(self.io("make the file durable"))?;
        if stamp(&self.path) != self.seen.main {
            return Err(ConfigFileError::Busy(self.path.clone()));
        }
        temporary.persist(&target).map_err(|error| self.io("replace the file")(error.error))?;
        sync_folder(folder).map_err(self.io("make the directory durable"))
    }

    /// The mode, owner and group of the file that is replaced; for a new one the group of the directory.
    fn copy_permissions(&self, target: &Path, temporary: &File) -> Result<(), ConfigFileError> {
        let (mode, owner, group) = match fs::metadata(target) {
            Ok(old) => (old.permissions().mode() & 0o7777, Some(old.uid()), Some(old.gid())),
            Err(_) => (NEW_MODE, None, fs::metadata(folder_of(target)).ok().map(|folder| folder.gid())),
        };
        let new = temporary.metadata().map_err(self.io("read its permissions"))?;
        // One after the other: only a privileged process may change the owner, but every owner may set one of their own
        // groups, and the proxy reads the file by its group.
        if let Some(group) = group.filter(|group| *group != new.gid())
            && let Err(error) = fchown(temporary, None, Some(group))
        {
            tracing::warn!(group, %error, "config.toml could not be given its group; the proxy may not be able to read it");
        }
        if let Some(owner) = owner.filter(|owner| *owner != new.uid())
            && let Err(error) = fchown(temporary, Some(owner), None)
        {
            tracing::debug!(owner, %error, "config.toml could not be given its owner");
        }
        temporary.set_permissions(fs::Permissions::from_mode(mode)).map_err(self.io("set its permissions"))
    }
}
