//! The text of the proxy's file: everything that the panel does not manage survives byte for byte, the managed tables
//! are written anew (specification section 4, design sections 6 and 13 "File.").
//!
//! [`Layout::parse`] cuts the managed tables out of a file, whatever form they have in it; [`Layout::render`] puts
//! others in. [`read_users`] reads the users of a file that a panel has not managed before.

mod endpoint;
mod import;
mod layout;
mod scan;
mod unfold;
mod write;

#[cfg(test)]
mod tests;

use toml_edit::Document;

pub use endpoint::FileEndpoint;
pub use import::{DisabledBecause, ImportError, ImportProblem, ImportedUser, read_users};
pub use layout::Layout;

/// Why a file is left alone. It never quotes the file, because that may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct DocumentError {
    /// Line of the fault, from 1.
    pub line: usize,
    /// Column of the fault in characters, from 1.
    pub column: usize,
    /// What is wrong, in one line.
    pub message: String,
}

/// The mark that some editors put before a text; TOML ignores it.
const BOM: &str = "\u{feff}";

/// Parses all of the text, without a byte order mark, and finds the statements of the managed tables.
fn parse(text: &str) -> Result<(Document<&str>, scan::Scan), DocumentError> {
    if text.starts_with(BOM) {
        // The parser would ignore this one, too; the proxy's would not.
        return Err(Lines::new(text).error(0, "a second byte order mark".to_owned()));
    }
    let document = Document::parse(text).map_err(|error| {
        let offset = error.span().map_or(text.len(), |span| span.start);
        Lines::new(text).error(offset, error.message().replace(['\r', '\n'], " "))
    })?;
    let scan = scan::scan(text).map_err(|wrong| {
        Lines::new(text).error(wrong.offset, format!("{} must be a table, such as [{}]", wrong.path, wrong.path))
    })?;
    Ok((document, scan))
}

/// Finds the line and the column of an offset.
struct Lines<'t> {
    text: &'t str,
    /// Offsets of the first bytes of all lines.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        let after_newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// Line and column from 1; an offset past the end or inside a character counts as the place before.
    fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let before = &self.text[self.starts[line - 1]..offset];
        (line, before.chars().count() + 1)
    }

    fn error(&self, offset: usize, message: String) -> DocumentError {
        let (line, column) = self.position(offset);
        DocumentError { line, column, message }
    }
}
