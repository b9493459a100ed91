//! The text of the proxy's file: everything that the panel does not manage survives byte for byte, the managed tables
//! are written anew.
//!
//! [`Layout::parse`] cuts the managed tables out of a file, whatever form they have in it; [`Layout::render`] puts
//! others in. [`read_users`] reads the users of a file that a panel has not managed before. A file may include others
//! ([`Source`]): their text is read, and never written.

mod comments;
mod endpoint;
mod entries;
mod events;
mod import;
mod layout;
mod managed;
mod masking;
mod parts;
mod scan;
mod unfold;
mod write;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use toml_edit::Document;

pub use endpoint::FileEndpoint;
pub use entries::{WithoutEntries, without_entries};
pub use import::{
    DisabledBecause, ImportError, ImportProblem, ImportedUser, read_renamed_users, read_users, read_users_of,
};
pub use layout::Layout;
pub use managed::Managed;
pub use masking::{MaskSite, MaskSiteError, set_mask_domain};

use crate::include::{Lines, Location, Source};

/// Why a file is left alone. It never quotes the file, because that may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}line {line}, column {column}: {message}", in_file(file.as_ref()))]
pub struct DocumentError {
    /// The included file with the fault; `None` if it is in the file itself.
    pub file: Option<PathBuf>,
    /// Line of the fault, from 1.
    pub line: usize,
    /// Column of the fault in characters, from 1.
    pub column: usize,
    /// What is wrong, in one line.
    pub message: String,
}

/// How messages begin that tell of an included file.
fn in_file(file: Option<&PathBuf>) -> String {
    file.map_or_else(String::new, |file| format!("in the included file {}, ", file.display()))
}

/// The mark that some editors put before a text; TOML ignores it.
const BOM: &str = "\u{feff}";

/// Parses all of the text, without a byte order mark, and finds the statements of the managed tables.
fn parse(source: &Source) -> Result<(Document<&str>, scan::Scan), DocumentError> {
    let text = source.bare();
    if text.starts_with(BOM) {
        // The parser would ignore this one, too; the proxy's would not.
        return Err(fault(source, 0, "a second byte order mark".to_owned()));
    }
    let document = Document::parse(text).map_err(|error| {
        let offset = error.span().map_or(text.len(), |span| span.start);
        fault(source, offset, error.message().replace(['\r', '\n'], " "))
    })?;
    let scan = scan::scan(text).map_err(|wrong| {
        fault(source, wrong.offset, format!("{} must be a table, such as [{}]", wrong.path, wrong.path))
    })?;
    Ok((document, scan))
}

/// What is wrong at an offset.
fn fault(source: &Source, offset: usize, message: String) -> DocumentError {
    let Location { file, line, column } = Lines::new(source).locate(offset);
    DocumentError { file, line, column, message }
}
