//! Lines such as `include = "other.toml"`, read as telemt reads them.
//!
//! The proxy replaces such a line by the text of the file before it reads any TOML. So a line counts wherever it stands:
//! in a table, and even inside a string of several lines. A [`Source`] holds the text that the proxy parses, and knows for
//! each place of it in which file and line it stands.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// The proxy follows included files that include others so many levels deep.
const MAX_DEPTH: usize = 10;
/// Included files that are read for one file, at most.
const MAX_FILES: usize = 1_000;
/// Bytes of all texts together, at most: as much as the built-in proxy reads.
const MAX_SIZE: usize = 256 << 20;
/// The mark that some editors put before a text; TOML ignores it at the very beginning.
const BOM: &str = "\u{feff}";

/// Why an included file could not be put into the place of its line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}, line {line}: {message}", file.display())]
pub struct IncludeError {
    /// The file with the line.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// A place in one of the files of a [`Source`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// The included file; `None` in the main file.
    pub(crate) file: Option<PathBuf>,
    /// Line, from 1.
    pub(crate) line: usize,
    /// Column in characters, from 1.
    pub(crate) column: usize,
}

/// A file and the files that it includes.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    main: String,
    /// The text with all included files in their places; `None` if there are no include lines.
    expanded: Option<String>,
    /// Paths of the included files, in the order of their lines.
    included: Vec<PathBuf>,
    /// Where the parts of the expanded text come from, in its order.
    pieces: Vec<Piece>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("included", &self.included).finish_non_exhaustive()
    }
}

/// A part of the expanded text that is a part of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// First byte in the expanded text.
    start: usize,
    /// Index in `included`; `None` for the main file.
    file: Option<usize>,
    /// First byte in the file.
    offset: usize,
    /// First line in the file, from 1.
    line: usize,
}

/// The path that this line includes, if it is an include line. What the proxy takes as such is simpler than TOML: a
/// comment behind the path belongs to the path.
pub fn included_path(line: &str) -> Option<&str> {
    let value = line.trim().strip_prefix("include")?.trim_start().strip_prefix('=')?;
    Some(value.trim().trim_matches('"'))
}

/// Whether the text has an include line.
fn has_includes(text: &str) -> bool {
    text.contains("include") && text.lines().any(|line| included_path(line).is_some())
}

impl Source {
    /// A text whose include lines, if it has any, are taken as what TOML makes of them.
    pub fn alone(text: impl Into<String>) -> Self {
        Self { main: text.into(), expanded: None, included: Vec::new(), pieces: Vec::new() }
    }

    /// The text of the file at `path`, with the files that it includes. `read` reads such a file, or says why not.
    pub fn read(
        path: &Path,
        text: impl Into<String>,
        mut read: impl FnMut(&Path) -> Result<String, String>,
    ) -> Result<Self, IncludeError> {
        let mut source = Self::alone(text);
        if has_includes(&source.main) {
            let mut reader = Reader { out: String::new(), included: Vec::new(), pieces: Vec::new(), read: &mut read };
            reader.file(&source.main, None, path, 0)?;
            source.expanded = Some(reader.out);
            (source.included, source.pieces) = (reader.included, reader.pieces);
        }
        Ok(source)
    }

    /// The text that the proxy parses.
    pub fn text(&self) -> &str {
        self.expanded.as_deref().unwrap_or(&self.main)
    }

    /// The text of the main file.
    pub fn main(&self) -> &str {
        &self.main
    }

    /// The included files, once for each line that includes them.
    pub fn included(&self) -> &[PathBuf] {
        &self.included
    }

    /// The included file (`None` for the main file) and the line in it, of a line of [`Self::text`], from 1.
    pub fn place_of_line(&self, line: usize) -> (Option<&Path>, usize) {
        let text = self.text();
        let first_line = |piece: &Piece| text[..piece.start].matches('\n').count() + 1;
        let piece = self.pieces.iter().rev().find(|piece| first_line(piece) <= line);
        piece.map_or((None, line), |piece| {
            let file = piece.file.map(|index| self.included[index].as_path());
            (file, piece.line + (line - first_line(piece)))
        })
    }

    /// The text that the proxy parses without a byte order mark. All offsets below are offsets in it.
    pub(crate) fn bare(&self) -> &str {
        self.text().strip_prefix(BOM).unwrap_or(self.text())
    }

    /// The text of the main file without a byte order mark.
    pub(crate) fn bare_main(&self) -> &str {
        self.main.strip_prefix(BOM).unwrap_or(&self.main)
    }

    /// The piece that holds an offset; `None` if nothing is included.
    fn piece(&self, offset: usize) -> Option<&Piece> {
        let offset = offset + self.mark();
        self.pieces[..self.pieces.partition_point(|piece| piece.start <= offset)].last()
    }

    /// Length of the byte order mark of the text that the proxy parses.
    fn mark(&self) -> usize {
        self.text().len() - self.bare().len()
    }

    /// Where a byte stands in [`Self::bare_main`]; `None` if it comes from an included file.
    pub(crate) fn in_main(&self, offset: usize) -> Option<usize> {
        let Some(piece) = self.piece(offset) else { return Some(offset) };
        let in_file = piece.offset + (offset + self.mark() - piece.start);
        let main_mark = self.main.len() - self.bare_main().len();
        piece.file.is_none().then(|| (in_file - main_mark).min(self.bare_main().len()))
    }

    /// The place of a range in [`Self::bare_main`], with the include lines in it; `None` if its first or its last byte
    /// comes from an included file.
    pub(crate) fn range_in_main(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let start = self.in_main(range.start)?;
        let last = self.in_main(range.end.max(range.start + 1) - 1)?;
        Some(start..if range.is_empty() { start } else { (last + 1).min(self.bare_main().len()) })
    }

    /// The parts of a range that come from included files.
    pub(crate) fn included_parts(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let mark = self.mark();
        let ends = self.pieces.iter().skip(1).map(|piece| piece.start).chain([self.text().len()]);
        let parts = self.pieces.iter().zip(ends).filter(|(piece, _)| piece.file.is_some());
        parts
            .map(move |(piece, end)| piece.start.saturating_sub(mark)..end - mark)
            .map(move |part| part.start.max(range.start)..part.end.min(range.end))
            .filter(|part| part.start < part.end)
    }
}

/// Finds the file, the line and the column of an offset.
pub(crate) struct Lines<'s> {
    source: &'s Source,
    /// Offsets of the first bytes of all lines.
    starts: Vec<usize>,
}

impl<'s> Lines<'s> {
    pub(crate) fn new(source: &'s Source) -> Self {
        let after_newlines = source.bare().bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { source, starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// Where an offset stands; one past the end or inside a character counts as the place before.
    pub(crate) fn locate(&self, offset: usize) -> Location {
        let text = self.source.bare();
        let offset = text.floor_char_boundary(offset);
        let line = self.line(offset);
        let column = text[self.starts[line - 1]..offset].chars().count() + 1;
        let Some(piece) = self.source.piece(offset) else { return Location { file: None, line, column } };
        let first = self.line(piece.start.saturating_sub(self.source.mark()));
        let file = piece.file.map(|index| self.source.included[index].clone());
        Location { file, line: piece.line + (line - first), column }
    }

    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }
}

struct Reader<'r> {
    out: String,
    included: Vec<PathBuf>,
    pieces: Vec<Piece>,
    read: &'r mut dyn FnMut(&Path) -> Result<String, String>,
}

impl Reader<'_> {
    /// Appends the text of a file that is included `depth` levels deep.
    fn file(&mut self, text: &str, index: Option<usize>, path: &Path, depth: usize) -> Result<(), IncludeError> {
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let mut offset = 0;
        self.begin(index, 0, 1);
        for (number, line) in text.split_inclusive('\n').enumerate() {
            offset += line.len();
            if let Some(include) = included_path(line) {
                let wrong = |message| IncludeError { file: path.to_owned(), line: number + 1, message };
                let target = folder.join(include);
                let included = self.load(&target, depth + 1).map_err(wrong)?;
                self.included.push(target.clone());
                self.file(&included, Some(self.included.len() - 1), &target, depth + 1)?;
                self.out.push('\n');
                self.begin(index, offset, number + 2);
            } else {
                self.out.push_str(line);
                if !line.ends_with('\n') {
                    self.out.push('\n');
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, file: Option<usize>, offset: usize, line: usize) {
        self.pieces.push(Piece { start: self.out.len(), file, offset, line });
    }

    fn load(&mut self, target: &Path, depth: usize) -> Result<String, String> {
        let named = format!("the included file {}", target.display());
        if depth > MAX_DEPTH {
            return Err(format!("{named} would be more than {MAX_DEPTH} levels deep; does a file include itself?"));
        }
        if self.included.len() >= MAX_FILES {
            return Err(format!("{named} would be one of more than {MAX_FILES} included files"));
        }
        let text = (self.read)(target).map_err(|why| format!("{named} cannot be read: {why}"))?;
        if self.out.len().saturating_add(text.len()) > MAX_SIZE {
            return Err(format!("with {named} the configuration is larger than 256 MiB"));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
