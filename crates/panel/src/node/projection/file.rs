//! The proxy's `config.toml` on the disk: reads it, renders it with new managed tables, and replaces it.
//!
//! Everything here blocks; the config sync task calls it from a blocking thread.

mod copies;
mod quiet;
mod replace;
mod state;

use std::fs;
use std::io;
use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use mtpannel_core::access::Access;
use mtpannel_core::document::{DocumentError, FileEndpoint, Layout, MaskSite, set_mask_domain, without_entries};
use mtpannel_core::include::{IncludeError, Source};
use mtpannel_core::link::{Endpoint, MaskDomain};
use mtpannel_core::template::{Direct, Template};
use mtpannel_core::user::{Secret, Username};
use sha2::{Digest, Sha256};

pub use self::quiet::Look;
use self::quiet::Watched;
use self::state::State;
use crate::settings::{ProxyKind, ProxySettings};

/// Why the file was not written. It is as it was.
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
    /// A file that it includes cannot be read, as the proxy could not.
    #[error("{path}: {source}; it is left as it is until that is mended")]
    Include {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: IncludeError,
    },
    /// Somebody else has changed the file between two steps.
    #[error("{0}: somebody else is writing it; it is written once it has been left alone for 2 s")]
    Busy(PathBuf),
    /// The file is not text.
    #[error("{0}: is not UTF-8 text; it is left as it is until that is mended")]
    NotText(PathBuf),
    /// The system refused something.
    #[error("{path}: cannot {step}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        step: &'static str,
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
    /// State of the file after [`Self::write`].
    applied: Option<State>,
    /// What the last reading found, even if it failed.
    seen: State,
    /// The file after somebody else has changed it, and since when it is like that.
    watched: Option<Watched>,
    /// Digest of the managed tables that were written last.
    managed: Option<TextDigest>,
    /// Deleted names whose entries are out of the file, with the time of their deletion.
    cleared: Vec<(Username, DateTime<Utc>)>,
    file_endpoint: Option<FileEndpoint>,
}

/// SHA-256 in hex.
pub type TextDigest = String;

impl ConfigFile {
    /// The file of these settings; nothing is read yet.
    pub fn new(settings: &ProxySettings) -> Self {
        let ProxySettings { config_path, endpoint, kind } = settings.clone();
        let (known, file_endpoint, applied, seen, watched, managed) = (None, None, None, State::default(), None, None);
        Self {
            path: config_path,
            endpoint,
            kind,
            known,
            file_endpoint,
            applied,
            seen,
            watched,
            managed,
            cleared: Vec::new(),
        }
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text, with those of the files that it includes; `None` if there is no file.
    pub fn read(&mut self) -> Result<Option<Source>, ConfigFileError> {
        self.seen = State::of(&self.path);
        match fs::read(&self.path) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).map_err(|_| ConfigFileError::NotText(self.path.clone()))?;
                self.with_includes(text).map(Some)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("read the file")(error)),
        }
    }

    /// A text of the file with the files that it includes.
    fn with_includes(&mut self, text: String) -> Result<Source, ConfigFileError> {
        let seen = &mut self.seen;
        seen.forget_includes();
        // Paths start at the folder of the real file, as they do for the proxy.
        let source = Source::read(&replace::target(&self.path), text, |path| {
            seen.include(path);
            fs::read_to_string(path).map_err(|error| error.to_string())
        });
        source.map_err(|source| ConfigFileError::Include { path: self.path.clone(), source })
    }

    /// The file that a first start makes where there is none. `router` is where its connections come from.
    pub fn template(&self, router: Option<IpAddr>) -> String {
        let Endpoint { host, port, domain } = &self.endpoint;
        let direct = match self.kind {
            ProxyKind::External => None,
            ProxyKind::Embedded { metrics } => Some(Direct { port: *port, metrics }),
        };
        Template { router, direct, ..Template::new(host.as_str(), *port, domain) }.text()
    }

    /// Writes another masking domain and, if `site` is given, where the proxy reaches its site; the rest of the file stays
    /// as it is. Tells whether the file had to be changed.
    pub fn set_mask_domain(&mut self, domain: &MaskDomain, site: Option<&MaskSite>) -> Result<bool, ConfigFileError> {
        let Some(source) = self.read()? else {
            return Err(self.io("read the file")(io::ErrorKind::NotFound.into()));
        };
        let text = set_mask_domain(&source, domain, site).map_err(|source| self.unreadable(source))?;
        let differs = text != source.main();
        if differs {
            self.replace(&text)?;
        }
        Ok(differs)
    }

    /// Whether there is a file; fails if there is one that cannot be taken apart.
    pub fn check(&mut self) -> Result<bool, ConfigFileError> {
        let source = self.read()?;
        source.map_or(Ok(false), |source| self.parse(&source).map(|_| true))
    }

    /// The whole text as it must be for `access`: the present one with other managed tables, or a new file from the
    /// template. `fresh` becomes the placeholder's secret if there must be one and the file has none.
    pub fn render(&mut self, access: &Access, fresh: &Secret) -> Result<Rendered, ConfigFileError> {
        let present = self.read()?;
        let template;
        let source = if let Some(source) = &present {
            source
        } else {
            template = Source::alone(self.template(None));
            &template
        };
        let cleared = self.without_entries(source, access)?;
        let layout = self.layout(cleared.as_ref().unwrap_or(source))?;
        let (text, ranges) = layout.render_with_ranges(access, fresh);
        let differs = present.as_ref().map(Source::main) != Some(text.as_str());
        Ok(Rendered { text, differs, ranges, present })
    }

    /// The file without the entries that deleted users have in tables which the panel does not manage; `None` if there are
    /// none. Each deletion counts once: what an operator writes for the next owner of the name stays.
    fn without_entries(&mut self, source: &Source, access: &Access) -> Result<Option<Source>, ConfigFileError> {
        // Both lists are sorted.
        let is_new = |gone: &&(Username, DateTime<Utc>)| self.cleared.binary_search(gone).is_err();
        let gone: Vec<&Username> = access.cleared().iter().filter(is_new).map(|(name, _)| name).collect();
        if gone.is_empty() {
            return Ok(None);
        }
        let layout = self.layout(source)?;
        let gone: Vec<&Username> = gone.into_iter().filter(|name| layout.has_entry(name)).collect();
        if gone.is_empty() {
            return Ok(None);
        }
        let without = without_entries(source, &gone).map_err(|source| self.unreadable(source))?;
        for (file, line) in without.included {
            let file = file.display();
            tracing::warn!(
                %file,
                line,
                "an included file has an entry of a deleted user; remove it, or the next user of this name gets it"
            );
        }
        self.with_includes(without.text).map(Some)
    }

    /// Writes what [`Self::render`] gave, if that is another text than the present one. Fails if somebody else has changed
    /// the file since.
    pub fn write(&mut self, rendered: Rendered, access: &Access) -> Result<bool, ConfigFileError> {
        let managed = rendered.managed();
        let Rendered { text, differs, .. } = rendered;
        if differs {
            self.replace(&text)?;
            self.seen.main = state::stamp(&self.path);
            // The layout stays the same whatever the managed tables say; only the bytes that it belongs to are new.
            self.known = self.known.take().filter(|_| !self.seen.has_includes());
            if let Some((digest, _)) = &mut self.known {
                *digest = self::digest(&Source::alone(text));
            }
        }
        self.managed = Some(managed);
        self.cleared = access.cleared().to_vec();
        self.applied = Some(self.seen.clone());
        Ok(differs)
    }

    /// Names that somebody else has put into the file since [`Self::write`] and that `access` does not have. The next file is
    /// without them, which alone does not close their connections (`docs/contract-telemt.md`, trap 2).
    pub fn unknown_names(&mut self, access: &Access) -> Result<Vec<Username>, ConfigFileError> {
        let source = if self.was_touched() { self.read()? } else { None };
        let Some(source) = source else { return Ok(Vec::new()) };
        let digest = digest(&source);
        if self.knows(&digest) {
            return Ok(Vec::new());
        }
        let (layout, mut names) = Layout::with_names(&source).map_err(|source| self.unreadable(source))?;
        self.learn(digest, layout);
        names.retain(|name| !access.names(name));
        Ok(names)
    }

    /// What the file that was read last says of links; `None` before the first reading.
    pub const fn file_endpoint(&self) -> Option<&FileEndpoint> {
        self.file_endpoint.as_ref()
    }

    fn learn(&mut self, digest: [u8; 32], layout: Layout) {
        self.file_endpoint = Some(layout.endpoint());
        self.known = Some((digest, layout));
    }

    /// Whether somebody else has changed, replaced or removed the file, or one that it includes, since [`Self::write`].
    pub fn was_touched(&self) -> bool {
        self.applied.as_ref().is_none_or(|applied| !applied.is_current(&self.path))
    }

    /// Whether it has changed since it was last read.
    pub fn has_changed(&self) -> bool {
        !self.seen.is_current(&self.path)
    }

    fn layout(&mut self, source: &Source) -> Result<&Layout, ConfigFileError> {
        let digest = digest(source);
        if !self.knows(&digest) {
            let layout = self.parse(source)?;
            self.learn(digest, layout);
        }
        match &self.known {
            Some((_, layout)) => Ok(layout),
            None => unreachable!("it was just set"),
        }
    }

    fn parse(&self, source: &Source) -> Result<Layout, ConfigFileError> {
        Layout::of(source).map_err(|source| self.unreadable(source))
    }

    fn knows(&self, digest: &[u8; 32]) -> bool {
        self.known.as_ref().is_some_and(|(known, _)| known == digest)
    }

    fn unreadable(&self, source: DocumentError) -> ConfigFileError {
        ConfigFileError::Document { path: self.path.clone(), source }
    }

    fn io(&self, step: &'static str) -> impl Fn(io::Error) -> ConfigFileError {
        let path = self.path.clone();
        move |source| ConfigFileError::Io { path: path.clone(), step, source }
    }
}

/// The whole text of the file as it must be.
#[derive(Debug)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Whether the file on the disk is different or missing.
    pub differs: bool,
    /// Byte ranges of the managed tables in the text.
    ranges: Vec<Range<usize>>,
    /// The file on the disk.
    present: Option<Source>,
}

impl Rendered {
    /// Digests of the text and of its managed tables, by which they are known again.
    pub fn digests(&self) -> [TextDigest; 2] {
        [hex_digest([self.text.as_str()]), self.managed()]
    }

    /// The managed tables, one after the other.
    fn tables(&self) -> impl Iterator<Item = &str> {
        self.ranges.iter().map(|range| &self.text[range.clone()])
    }

    /// Digest of the managed tables.
    fn managed(&self) -> TextDigest {
        hex_digest(self.tables())
    }
}

/// The digest of texts one after the other.
fn hex_digest<'t>(texts: impl IntoIterator<Item = &'t str>) -> TextDigest {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update(text);
    }
    hex::encode(digest.finalize())
}

/// Digest of the text of the file and of those that it includes.
fn digest(source: &Source) -> [u8; 32] {
    let mut digest = Sha256::new_with_prefix(source.main());
    if !source.included().is_empty() {
        digest.update(source.text());
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests;
