//! `access = { … }` as dotted keys. No header `[access.users]` may stand beside an inline table, but it may beside those.

use std::ops::Range;

use toml_parser::parser::{Event, EventKind};

use super::events::{Place, closes, is_value, key, opens};

/// The lines that replace an inline table.
pub(super) struct Unfolded {
    /// A line for each element that is not managed and for each comment, without line endings.
    pub(super) lines: Vec<String>,
    /// Managed keys that hold something else than a table, with the offset of that.
    pub(super) wrong: Vec<(Place, usize)>,
}

/// The element that is being read.
struct Element {
    /// Its key in the spelling of the file.
    key: String,
    place: Place,
    value: Option<Range<usize>>,
    inline: bool,
}

/// Unfolds the inline table of `access`, given the events inside of it.
pub(super) fn unfold(text: &str, events: &[Event]) -> Unfolded {
    let mut unfolded = Unfolded { lines: Vec::new(), wrong: Vec::new() };
    let (mut depth, mut current) = (1_usize, None::<Element>);
    for event in events {
        if closes(event) {
            depth = depth.saturating_sub(1);
        }
        if depth == 1 {
            let raw = &text[event.span().start()..event.span().end()];
            match (event.kind(), &mut current) {
                (EventKind::SimpleKey, None) => {
                    let place = Place::Access.step(|| key(text, event));
                    current = Some(Element { key: raw.to_owned(), place, value: None, inline: false });
                }
                (EventKind::SimpleKey, Some(element)) => {
                    element.key.push('.');
                    element.key.push_str(raw);
                    element.place = element.place.step(|| key(text, event));
                }
                (EventKind::ValueSep, _) => unfolded.end(text, current.take()),
                (EventKind::Comment, _) => {
                    // A comment behind a value comes after it, one in the midst of an element before it.
                    unfolded.end(text, current.take_if(|element| element.value.is_some()));
                    unfolded.lines.push(raw.to_owned());
                }
                (_, Some(element)) if is_value(event) => element.take_value(event),
                _ => {}
            }
        }
        if opens(event) {
            depth += 1;
        }
    }
    unfolded.end(text, current);
    unfolded
}

impl Element {
    /// Notes where its value begins or ends.
    fn take_value(&mut self, event: &Event) {
        let span = event.span();
        if closes(event) {
            self.value = self.value.take().map(|value| value.start..span.end());
        } else {
            self.inline = event.kind() == EventKind::InlineTableOpen;
            self.value = Some(span.start()..span.end());
        }
    }
}

impl Unfolded {
    /// Takes an element that is complete.
    fn end(&mut self, text: &str, element: Option<Element>) {
        let Some(Element { key, place, value: Some(value), inline }) = element else { return };
        if !matches!(place, Place::Managed { .. }) {
            self.lines.push(format!("access.{key} = {}", &text[value]));
        } else if !inline {
            self.wrong.push((place, value.start));
        }
    }
}
