//! The proxy's `config.toml` on the disk: read, given new managed tables, replaced (design section 6).
//!
//! Everything here blocks; the task that owns the file calls it from a blocking thread.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mtpannel_core::access::Access;
use mtpannel_core::document::{DocumentError, Layout};
use mtpannel_core::link::Endpoint;
use mtpannel_core::template::Template;
use mtpannel_core::user::{Secret, Username};
use sha2::{Digest, Sha256};

use crate::folder::{folder_of, sync_folder};
use crate::settings::{ProxyKind, ProxySettings};

const TEMPORARY_PREFIX: &str = ".mtpannel-";
const TEMPORARY_SUFFIX: &str = ".tmp";
/// A new file holds secrets: for its owner and the group of its directory, which the proxy belongs to.
const NEW_MODE: u32 = 0o640;

/// Symbolic links that are followed, as many as the system does.
const MOST_LINKS: usize = 40;

/// Why the file was not written. It was not touched then.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// The operator's file does not parse, so it is left alone.
    #[error("{path}: {source}; it is left as it is until that is mended")]
    Document {
        /// The file.
        path: PathBuf,
        /// What and where.
        source: DocumentError,
    },
    /// The file is not text.
    #[error("{0}: is not UTF-8 text; it is left as it is until that is mended")]
    NotText(PathBuf),
    /// The system refused something.
    #[error("{path}: cannot {deed}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        deed: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// The file, and what is remembered of it so that an unchanged one is not parsed again.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    endpoint: Endpoint,
    kind: ProxyKind,
    known: Option<([u8; 32], Layout)>,
    stamp: Option<Stamp>,
}

/// What tells two states of a file apart without reading them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    length: u64,
    modified: Option<SystemTime>,
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self { inode: metadata.ino(), length: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl ConfigFile {
    /// The file of these settings; nothing is read yet.
    pub fn new(settings: &ProxySettings) -> Self {
        let ProxySettings { config_path, endpoint, kind } = settings.clone();
        Self { path: config_path, endpoint, kind, known: None, stamp: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text; `None` if there is no file.
    pub fn read(&self) -> Result<Option<String>, ConfigFileError> {
        match fs::read(&self.path) {
            Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| ConfigFileError::NotText(self.path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("read the file")(error)),
        }
    }

    /// The file that a first start makes where there is none.
    fn template(&self) -> String {
        let Endpoint { host, port, domain } = &self.endpoint;
        let template = Template::new(host, *port, domain);
        match self.kind {
            ProxyKind::External => template.text(),
            ProxyKind::Embedded { metrics } => Template {
                listen_port: *port,
                metrics_listen: &metrics.to_string(),
                metrics_whitelist: &["127.0.0.0/8", "::1/128"],
                ..template
            }
            .text(),
        }
    }

    /// Whether there is a file; fails if there is one that cannot be taken apart.
    pub fn check(&self) -> Result<bool, ConfigFileError> {
        let text = self.read()?;
        text.map_or(Ok(false), |text| self.parse(&text).map(|_| true))
    }

    /// The whole text as it must be for `access`: the present one with other managed tables, or a new file from the
    /// template. `fresh` becomes the placeholder's secret if there must be one and the file has none.
    pub fn render(&mut self, access: &Access, fresh: &Secret) -> Result<Rendered, ConfigFileError> {
        let present = self.read()?;
        let text = match &present {
            Some(text) => self.layout(text)?.render(access, fresh),
            None => self.layout(&self.template())?.render(access, fresh),
        };
        let differs = present.as_deref() != Some(text.as_str());
        Ok(Rendered { text, differs })
    }

    /// Makes the file say what `access` says. Equal bytes are not written again. Tells whether it was written.
    pub fn apply(&mut self, access: &Access, fresh: &Secret) -> Result<bool, ConfigFileError> {
        let Rendered { text, differs } = self.render(access, fresh)?;
        if differs {
            self.replace(&text)?;
        }
        // The layout stays the same whatever the managed tables say; only the bytes that it belongs to are new.
        if let Some((digest, _)) = &mut self.known {
            *digest = self::digest(&text);
        }
        self.stamp = self.present_stamp();
        Ok(differs)
    }

    /// Users whom somebody else has put into the file since [`Self::apply`] and of whom `access` says nothing: the file
    /// will not have them any more, which alone does not end their sessions (contract, trap 2).
    pub fn strangers(&mut self, access: &Access) -> Result<Vec<Username>, ConfigFileError> {
        let text = if self.was_touched() { self.read()? } else { None };
        let Some(text) = text else { return Ok(Vec::new()) };
        let digest = digest(&text);
        if self.knows(&digest) {
            return Ok(Vec::new());
        }
        let (layout, mut names) = Layout::parse_with_names(&text).map_err(|source| self.unreadable(source))?;
        self.known = Some((digest, layout));
        names.retain(|name| !access.names(name));
        Ok(names)
    }

    /// Whether somebody else has changed, replaced or removed the file since [`Self::apply`].
    pub fn was_touched(&self) -> bool {
        self.stamp != self.present_stamp()
    }

    /// Removes temporary files that a killed process left.
    pub fn remove_leftovers(&self) -> io::Result<()> {
        let Ok(entries) = fs::read_dir(self.folder()) else { return Ok(()) };
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

    fn layout(&mut self, text: &str) -> Result<&Layout, ConfigFileError> {
        let digest = digest(text);
        if !self.knows(&digest) {
            self.known = Some((digest, self.parse(text)?));
        }
        match &self.known {
            Some((_, layout)) => Ok(layout),
            None => unreachable!("it was just set"),
        }
    }

    fn parse(&self, text: &str) -> Result<Layout, ConfigFileError> {
        Layout::parse(text).map_err(|source| self.unreadable(source))
    }

    fn knows(&self, digest: &[u8; 32]) -> bool {
        self.known.as_ref().is_some_and(|(known, _)| known == digest)
    }

    fn unreadable(&self, source: DocumentError) -> ConfigFileError {
        ConfigFileError::Document { path: self.path.clone(), source }
    }

    /// Writes a temporary file beside the file, makes it durable, and puts it in the file's place.
    fn replace(&self, text: &str) -> Result<(), ConfigFileError> {
        let target = self.target();
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
        // One after the other: only a privileged process may give files away, but its group anybody may give them, and by
        // that the proxy reads the file.
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

    fn present_stamp(&self) -> Option<Stamp> {
        fs::metadata(&self.path).ok().as_ref().map(Stamp::from)
    }

    /// What is replaced: where a symbolic link leads, be there a file or not, so that the link stays.
    fn target(&self) -> PathBuf {
        let mut target = self.path.clone();
        for _ in 0..MOST_LINKS {
            let Ok(link) = fs::read_link(&target) else { break };
            target = folder_of(&target).join(link);
        }
        target
    }

    fn folder(&self) -> PathBuf {
        folder_of(&self.target()).to_owned()
    }

    fn io(&self, deed: &'static str) -> impl Fn(io::Error) -> ConfigFileError {
        let path = self.path.clone();
        move |source| ConfigFileError::Io { path: path.clone(), deed, source }
    }
}

/// The whole text of the file as it must be.
#[derive(Debug)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Whether the file on the disk is different or missing.
    pub differs: bool,
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests;
