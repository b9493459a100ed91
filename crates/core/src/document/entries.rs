//! Entries that a deleted user leaves in tables which the panel does not manage, such as `[access.user_rate_limits]`. The
//! next owner of the name must not inherit them.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;

use toml_parser::parser::{Event, EventKind};

use super::events::{Place, closes, is_value, key, opens};
use super::scan::{self, Entries, Scan};
use super::{BOM, DocumentError};
use crate::include::{Lines, Location, Source};
use crate::user::Username;

/// A file without the entries of some names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithoutEntries {
    /// The text of the main file.
    pub text: String,
    /// Included files and lines with such an entry. They stay, because the panel writes the main file only.
    pub included: Vec<(PathBuf, usize)>,
}

/// The names that have entries in tables by user which the panel does not manage.
pub(super) fn names(text: &str, scan: &Scan) -> HashSet<String> {
    let mut names = HashSet::new();
    for entries in &scan.entries {
        match entries {
            Entries::Section(_, name) | Entries::Lines(_, name) => {
                names.insert(name.clone());
            }
            Entries::Inline(place, events) => {
                let mut note = |name: &str| {
                    names.insert(name.to_owned());
                    false
                };
                in_inline(text, events, *place, &mut note);
            }
        }
    }
    names
}

/// Takes the entries of these names out of all tables by user that the panel does not manage. All else stays as it is;
/// a table may be empty then.
pub fn without_entries(source: &Source, gone: &[&Username]) -> Result<WithoutEntries, DocumentError> {
    let (_, scan) = super::parse(source)?;
    let gone: HashSet<&str> = gone.iter().map(|name| name.as_str()).collect();
    let mut ranges = removals(source.bare(), &scan, &gone);
    ranges.sort_by_key(|range| range.start);
    let lines = Lines::new(source);
    let (mut text, mut from, mut included) = (String::new(), 0, Vec::new());
    let main = source.bare_main();
    for range in ranges {
        let foreign = source.included_parts(range.clone()).next();
        match (foreign, source.range_in_main(&range)) {
            (None, Some(range)) => {
                text.push_str(&main[from..range.start.max(from)]);
                from = range.end.max(from);
            }
            (foreign, _) => {
                let Location { file, line, .. } = lines.locate(foreign.map_or(range.start, |part| part.start));
                included.extend(file.map(|file| (file, line)));
            }
        }
    }
    text.push_str(&main[from..]);
    if main.len() < source.main().len() {
        text.insert_str(0, BOM);
    }
    Ok(WithoutEntries { text, included })
}

/// What has to be taken out.
fn removals(text: &str, scan: &Scan, gone: &HashSet<&str>) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for entries in &scan.entries {
        match entries {
            Entries::Section(index, name) if gone.contains(name.as_str()) => {
                let scan::Section { start, body_end, .. } = scan.sections[*index];
                ranges.push(start..body_end);
            }
            Entries::Lines(range, name) if gone.contains(name.as_str()) => ranges.push(range.clone()),
            Entries::Inline(place, events) => {
                ranges.extend(in_inline(text, events, *place, &mut |name| gone.contains(name)));
            }
            Entries::Section(..) | Entries::Lines(..) => {}
        }
    }
    ranges
}

/// An element of an inline table.
struct Element<'e> {
    place: Place,
    /// The user's name, if it is an entry of a table by user.
    entry: Option<String>,
    span: Range<usize>,
    /// The events inside its value, if that is an inline table.
    inside: &'e [Event],
}

/// What has to be taken out of an inline table at `place`, given the events inside of it.
fn in_inline(text: &str, events: &[Event], place: Place, is_gone: &mut dyn FnMut(&str) -> bool) -> Vec<Range<usize>> {
    let elements = elements(text, events, place);
    let mut ranges = Vec::new();
    let mut kept = Vec::with_capacity(elements.len());
    for element in &elements {
        kept.push(!element.entry.as_deref().is_some_and(&mut *is_gone));
        if matches!(element.place, Place::Access | Place::ByUser) {
            ranges.extend(in_inline(text, element.inside, element.place, is_gone));
        }
    }
    let mut at = 0;
    while at < elements.len() {
        let run = kept[at..].iter().take_while(|kept| !**kept).count();
        if run > 0 {
            // A separator goes with each: the one behind, or the one before if nothing follows.
            let end = elements.get(at + run).map_or(elements[at + run - 1].span.end, |next| next.span.start);
            let is_last = at + run == elements.len();
            let before = at.checked_sub(1).filter(|_| is_last).map(|before| elements[before].span.end);
            ranges.push(before.unwrap_or(elements[at].span.start)..end);
        }
        at += run + 1;
    }
    ranges
}

/// The elements of an inline table.
fn elements<'e>(text: &str, events: &'e [Event], place: Place) -> Vec<Element<'e>> {
    let mut elements: Vec<Element<'e>> = Vec::new();
    let (mut depth, mut is_new, mut opened) = (0_usize, true, 0);
    for (index, event) in events.iter().enumerate() {
        let span = event.span();
        if closes(event) {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            match event.kind() {
                EventKind::SimpleKey => {
                    if is_new {
                        elements.push(Element { place, entry: None, span: span.start()..span.end(), inside: &[] });
                        is_new = false;
                    }
                    if let Some(element) = elements.last_mut() {
                        if element.place == Place::ByUser {
                            element.entry = Some(key(text, event).into_owned());
                        }
                        element.place = element.place.step(|| key(text, event));
                    }
                }
                EventKind::ValueSep => is_new = true,
                _ if is_value(event) => {
                    if let Some(element) = elements.last_mut() {
                        element.span.end = span.end();
                        match event.kind() {
                            EventKind::InlineTableOpen => opened = index + 1,
                            EventKind::InlineTableClose => element.inside = &events[opened..index],
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        if opens(event) {
            depth += 1;
        }
    }
    elements
}
