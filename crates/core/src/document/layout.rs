//! What stays of a file when its managed tables are taken out, and where others are put in.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::OnceLock;

use toml_edit::{Document, TableLike};

use super::entries;
use super::events::Place;
use super::parts::{self, Parts};
use super::scan::{Cut, Section, first_newline};
use super::{BOM, DocumentError, FileEndpoint};
use crate::access::Table;
use crate::include::{Source, included_path};
use crate::user::{PLACEHOLDER, Secret, Username};

/// Everything of the file that the panel does not manage, ready to take managed tables again.
///
/// The managed tables are written where the first of them has its header; else after the body of `[access]`; else at
/// the end. Comments between the headers of managed tables that follow each other stay above their header.
#[derive(Clone, PartialEq, Eq)]
pub struct Layout {
    /// Text before the managed tables, with a byte order mark if there was one.
    pub(super) head: String,
    /// Text above the header of each managed table, where it holds a comment; by [`Table::index`].
    pub(super) above: [String; Table::ALL.len()],
    /// Text after the managed tables.
    pub(super) tail: String,
    /// Line ending of the managed text.
    pub(super) newline: &'static str,
    /// Names with entries in other tables by user than the managed ones.
    pub(super) entries: HashSet<String>,
    /// What the file says of links together with those that it includes, if it includes any.
    pub(super) with_includes: Option<FileEndpoint>,
    /// Secret of the placeholder that stands in the file, or that this layout was first given.
    pub(super) placeholder: OnceLock<Secret>,
}

impl std::fmt::Debug for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Layout(…)")
    }
}

impl Layout {
    /// Reads a file; one without any statement is fine.
    ///
    /// Fails with the place of the fault when the text is not valid TOML, when `access` or a managed key under it is
    /// something else than a table, or when a managed table stands in an included file: such a file is not to be
    /// overwritten.
    pub fn of(source: &Source) -> Result<Self, DocumentError> {
        Self::with_names(source).map(|(layout, _)| layout)
    }

    /// The same for the text of a file that includes no others.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        Self::of(&Source::alone(text))
    }

    /// The same as [`Self::of`], with the names in `[access.users]`, of those that a user can have.
    pub fn with_names(source: &Source) -> Result<(Self, Vec<Username>), DocumentError> {
        let (document, scan) = super::parse(source)?;
        let placeholder = standing_placeholder(&document);
        let names = users(&document).into_iter().flat_map(TableLike::iter).filter_map(|(name, _)| name.parse().ok());
        let names = names.collect();
        let with_includes = (!source.included().is_empty()).then(|| FileEndpoint::of(Some(&document)));
        drop(document);
        let entries = entries::names(source.bare(), &scan);
        let parts = parts::in_main_file(source, scan)?;
        let mut layout = split(source.bare_main(), parts);
        layout.entries = entries;
        layout.with_includes = with_includes;
        layout.placeholder = placeholder.map_or_else(OnceLock::new, OnceLock::from);
        if source.bare_main().len() < source.main().len() {
            layout.head.insert_str(0, BOM);
        }
        Ok((layout, names))
    }

    /// Whether the name has an entry in a table by user that is not managed, such as `user_rate_limits`.
    pub fn has_entry(&self, name: &Username) -> bool {
        self.entries.contains(name.as_str())
    }
}

/// The secret of the placeholder, if the file has one that is valid.
fn standing_placeholder(document: &Document<&str>) -> Option<Secret> {
    users(document)?.get(PLACEHOLDER)?.as_str()?.parse().ok()
}

/// The table `[access.users]`.
fn users<'d>(document: &'d Document<&str>) -> Option<&'d dyn TableLike> {
    document.get("access")?.as_table_like()?.get(Table::Users.key())?.as_table_like()
}

/// Takes the managed tables out of a text.
fn split(text: &str, parts: Parts) -> Layout {
    let sections = parts.sections;
    let managed = |section: &Section| matches!(section.place, Place::Managed { .. });
    let edits = edits(text, &sections, parts.cuts);
    let mut layout = Layout {
        head: String::new(),
        above: Default::default(),
        tail: String::new(),
        newline: "\n",
        entries: HashSet::new(),
        with_includes: None,
        placeholder: OnceLock::new(),
    };
    if let Some(first) = sections.iter().position(managed) {
        let group: Vec<&Section> = sections[first..].iter().take_while(|section| managed(section)).collect();
        layout.above = comments_above(text, &group);
        layout.head = edited(text, 0..group[0].start, &edits);
        let inside: String =
            group.iter().map(|section| include_lines(&text[section.start..section.body_end])).collect();
        layout.tail = inside + &edited(text, group[group.len() - 1].body_end..text.len(), &edits);
        layout.newline = newline_of(&layout, text);
    } else {
        let place = if parts.has_includes { text.len() } else { place_for_new(text, &sections) };
        layout.head = edited(text, 0..place, &edits);
        layout.tail = edited(text, place..text.len(), &edits);
        layout.newline = newline_of(&layout, text);
        set_apart(&mut layout);
    }
    layout
}

/// All that is taken out of the text, in its order: the cuts and the managed sections.
fn edits(text: &str, sections: &[Section], cuts: Vec<Cut>) -> Vec<Cut> {
    let whole = sections.iter().filter(|section| matches!(section.place, Place::Managed { .. }));
    let mut edits = cuts;
    edits.extend(whole.map(|section| {
        let range = section.start..section.body_end;
        Cut { replacement: include_lines(&text[range.clone()]), range }
    }));
    edits.sort_by_key(|edit| edit.range.start);
    edits
}

/// The include lines of a managed section. They stay: an included file may hold something again one day.
fn include_lines(section: &str) -> String {
    if !section.contains("include") {
        return String::new();
    }
    section.split_inclusive('\n').filter(|line| included_path(line).is_some()).collect()
}

/// A part of the text after the edits that lie in it.
fn edited(text: &str, part: Range<usize>, edits: &[Cut]) -> String {
    let mut out = String::new();
    let mut from = part.start;
    for edit in edits.iter().filter(|edit| part.start <= edit.range.start && edit.range.end <= part.end) {
        out.push_str(&text[from..edit.range.start]);
        out.push_str(&edit.replacement);
        from = edit.range.end;
    }
    out.push_str(&text[from..part.end]);
    out
}

/// The text between managed sections that follow each other, where it is more than blank lines, by the table below it.
fn comments_above(text: &str, group: &[&Section]) -> [String; Table::ALL.len()] {
    let mut above: [String; Table::ALL.len()] = Default::default();
    for pair in group.windows(2) {
        let between = &text[pair[0].body_end..pair[1].start];
        if let Place::Managed { table, .. } = pair[1].place
            && (between.contains('#') || !include_lines(between).is_empty())
        {
            above[table.index()].push_str(between);
        }
    }
    above
}

/// Where the managed tables go in a text that has no header of theirs: after `[access]`, else at the end.
fn place_for_new(text: &str, sections: &[Section]) -> usize {
    let Some(access) = sections.iter().position(|section| section.place == Place::Access) else { return text.len() };
    let Some(next) = sections.get(access + 1) else { return text.len() };
    let body_end = sections[access].body_end;
    body_end + comments_of_next(&text[body_end..next.start])
}

/// Where, in the text between a statement and the next header, the comment that stands directly above the header begins.
fn comments_of_next(between: &str) -> usize {
    let above = between.split_inclusive('\n').rev().take_while(|line| !is_blank(line)).map(str::len).sum::<usize>();
    between.len() - above
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// The line ending of the text that stays, because the next reader of the file must come to the same result; of all
/// text, if none of that stays.
fn newline_of(layout: &Layout, text: &str) -> &'static str {
    let stays = std::iter::once(&layout.head).chain(&layout.above).chain(std::iter::once(&layout.tail));
    stays.map(String::as_str).chain(std::iter::once(text)).find_map(first_newline).unwrap_or("\n")
}

/// Puts a blank line before and after the place of the managed tables, unless there is one.
fn set_apart(layout: &mut Layout) {
    if !layout.head.is_empty() && !layout.head.ends_with('\n') {
        layout.head.push_str(layout.newline);
    }
    if layout.head.lines().next_back().is_some_and(|line| !is_blank(line)) {
        layout.head.push_str(layout.newline);
    }
    if layout.tail.lines().next().is_some_and(|line| !is_blank(line)) {
        layout.tail.insert_str(0, layout.newline);
    }
}
