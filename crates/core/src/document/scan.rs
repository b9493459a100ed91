//! Where the statements of a file stand, and which of them belong to the managed tables.
//!
//! One pass over the parser's events. A statement is a table header or a `key = value`; its path is that of the last
//! header and its own key. All text between statements is blank lines and comments.

use std::ops::Range;

use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, parse_document};

use super::events::{Place, closes, is_value, key, opens};
use super::unfold::{Unfolded, unfold};

/// A header with its statements, or the statements before the first header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) place: Place,
    /// First byte of the header's line.
    pub(super) start: usize,
    /// First byte after the line of the last statement. From here to the next header are blank lines and comments.
    pub(super) body_end: usize,
}

/// Text to be replaced, in a section that is not itself managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) range: Range<usize>,
    pub(super) replacement: String,
}

/// What a pass found. All lists are in the order of the file.
#[derive(Debug)]
pub(super) struct Scan {
    /// The first is the root, which has no header.
    pub(super) sections: Vec<Section>,
    pub(super) cuts: Vec<Cut>,
    pub(super) entries: Vec<Entries>,
}

/// Entries of tables by user that the panel does not manage.
#[derive(Debug)]
pub(super) enum Entries {
    /// A header with its statements: index of the section, and the user's name.
    Section(usize, String),
    /// A statement of whole lines, and the user's name.
    Lines(Range<usize>, String),
    /// An inline table at this place, by the events inside of it.
    Inline(Place, Vec<Event>),
}

/// A value that is not a table stands where only a table may be.
#[derive(Debug)]
pub(super) struct NotATable {
    pub(super) path: String,
    pub(super) offset: usize,
}

/// Scans a text which the caller knows to be valid TOML without a byte order mark.
pub(super) fn scan(text: &str) -> Result<Scan, NotATable> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut scanner = Scanner::new(text);
    let mut receiver = |event: Event| scanner.on(&event);
    parse_document(&tokens, &mut receiver, &mut ());
    scanner.finish()
}

/// The statement that is being read.
struct Statement {
    kind: Kind,
    place: Place,
    /// First byte of its line.
    line_start: usize,
    /// First byte of its key or bracket.
    start: usize,
    /// First byte of its value.
    value_start: usize,
    /// First byte after its value.
    value_end: usize,
    /// Its value is an inline table.
    inline: bool,
    /// The events inside the inline table, where they are needed.
    events: Vec<Event>,
    /// The user's name, if it leads to [`Place::Entry`] by a key of its own.
    entry: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Header,
    ArrayHeader,
    Pair,
}

impl Statement {
    fn new(kind: Kind, place: Place, line_start: usize, start: usize) -> Self {
        let (value_start, value_end) = (start, start);
        Self { kind, place, line_start, start, value_start, value_end, inline: false, events: Vec::new(), entry: None }
    }

    /// Takes the next key of its path.
    fn step(&mut self, text: &str, event: &Event) {
        if self.place == Place::ByUser {
            self.entry = Some(key(text, event).into_owned());
        }
        self.place = self.place.step(|| key(text, event));
    }

    /// Notes where its value begins or ends.
    fn take_value(&mut self, event: &Event) {
        let span = event.span();
        if !closes(event) {
            self.inline = event.kind() == EventKind::InlineTableOpen;
            self.value_start = span.start();
        }
        self.value_end = span.end();
    }
}

struct Scanner<'t> {
    text: &'t str,
    scan: Scan,
    wrong: Option<NotATable>,
    /// First byte of the current line; lines inside a value do not count.
    line_start: usize,
    /// Open inline tables and arrays.
    depth: usize,
    statement: Option<Statement>,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        let root = Section { place: Place::Root, start: 0, body_end: 0 };
        let scan = Scan { sections: vec![root], cuts: Vec::new(), entries: Vec::new() };
        Self { text, scan, wrong: None, line_start: 0, depth: 0, statement: None }
    }

    /// The section that is being read.
    fn section(&mut self) -> &mut Section {
        let last = self.scan.sections.len() - 1;
        &mut self.scan.sections[last]
    }

    fn on(&mut self, event: &Event) {
        if closes(event) {
            self.depth = self.depth.saturating_sub(1);
        }
        if self.depth == 0 {
            self.on_outer(event);
        } else if let Some(statement) =
            self.statement.as_mut().filter(|statement| matches!(statement.place, Place::Access | Place::ByUser))
        {
            statement.events.push(*event);
        }
        if opens(event) {
            self.depth += 1;
        }
    }

    /// An event outside of any value, or one that begins or ends a value.
    fn on_outer(&mut self, event: &Event) {
        let span = event.span();
        match event.kind() {
            EventKind::StdTableOpen => self.open(Kind::Header, Place::Root, span.start()),
            EventKind::ArrayTableOpen => self.open(Kind::ArrayHeader, Place::Root, span.start()),
            EventKind::SimpleKey => {
                if self.statement.is_none() {
                    let place = self.section().place;
                    self.open(Kind::Pair, place, span.start());
                }
                let text = self.text;
                if let Some(statement) = &mut self.statement {
                    statement.step(text, event);
                }
            }
            EventKind::Newline => self.end_line(span.end()),
            _ if is_value(event) => {
                if let Some(statement) = &mut self.statement {
                    statement.take_value(event);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, kind: Kind, place: Place, start: usize) {
        self.statement = Some(Statement::new(kind, place, self.line_start, start));
    }

    fn end_line(&mut self, end: usize) {
        if let Some(mut statement) = self.statement.take() {
            if statement.kind == Kind::Pair {
                self.end_pair(&mut statement, end);
            } else {
                self.end_header(&mut statement, end);
            }
        }
        self.line_start = end;
    }

    fn end_header(&mut self, statement: &mut Statement, end: usize) {
        if statement.kind == Kind::ArrayHeader {
            self.refuse(statement.place, statement.start);
        }
        let section = Section { place: statement.place, start: statement.line_start, body_end: end };
        self.scan.sections.push(section);
        if let Some(name) = statement.entry.take() {
            self.scan.entries.push(Entries::Section(self.scan.sections.len() - 1, name));
        }
    }

    fn end_pair(&mut self, statement: &mut Statement, end: usize) {
        self.section().body_end = end;
        if matches!(self.section().place, Place::Managed { .. }) {
            return;
        }
        if !statement.inline {
            self.refuse(statement.place, statement.value_start);
        }
        let line = statement.line_start..end;
        match statement.place {
            Place::Managed { .. } => self.scan.cuts.push(Cut { range: line, replacement: String::new() }),
            Place::Access if statement.inline => {
                let Unfolded { lines: kept, wrong } = unfold(self.text, &statement.events);
                for (place, offset) in wrong {
                    self.refuse(place, offset);
                }
                let range = if kept.is_empty() { line } else { statement.start..statement.value_end };
                let replacement = kept.join(first_newline(self.text).unwrap_or("\n"));
                self.scan.cuts.push(Cut { range, replacement });
            }
            Place::Entry => {
                // In the section of an entry there is no name: the whole section is the entry.
                if let Some(name) = statement.entry.take() {
                    self.scan.entries.push(Entries::Lines(line, name));
                }
            }
            Place::Access | Place::ByUser | Place::Root | Place::Other => {}
        }
        if matches!(statement.place, Place::Access | Place::ByUser) && statement.inline {
            self.scan.entries.push(Entries::Inline(statement.place, std::mem::take(&mut statement.events)));
        }
    }

    /// Notes the first place that must be a table and is not.
    fn refuse(&mut self, place: Place, offset: usize) {
        if let Some(path) = place.path_of_table() {
            self.wrong.get_or_insert(NotATable { path, offset });
        }
    }

    fn finish(mut self) -> Result<Scan, NotATable> {
        self.end_line(self.text.len());
        self.wrong.map_or(Ok(self.scan), Err)
    }
}

/// The first line ending of a text: `"\n"` or `"\r\n"`.
pub(super) fn first_newline(text: &str) -> Option<&'static str> {
    let at = text.find('\n')?;
    Some(if text[..at].ends_with('\r') { "\r\n" } else { "\n" })
}
