//! What the parser's events mean for the managed tables: to which place a path of keys leads, and where values begin and end.

use std::borrow::Cow;

use toml_parser::Raw;
use toml_parser::parser::{Event, EventKind};

use crate::access::Table;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The document itself.
    Root,
    /// `access`.
    Access,
    /// A managed table, or (`inside`) something in it.
    Managed { table: Table, inside: bool },
    /// Another table of `access` that has entries by user, such as `user_rate_limits`.
    ByUser,
    /// An entry of such a table, or something in it.
    Entry,
    /// Anything else.
    Other,
}

/// The place of an unmanaged key under `access`. The proxy's tables by user all have such names, those of later versions
/// also; a key of this kind that holds no table has no entries.
fn unmanaged(key: &str) -> Place {
    if key.starts_with("user_") { Place::ByUser } else { Place::Other }
}

impl Place {
    /// The place that one more key leads to; the key is decoded only where it matters.
    pub(super) fn step<'k>(self, key: impl FnOnce() -> Cow<'k, str>) -> Self {
        match self {
            Self::Root => match key().as_ref() {
                "access" => Self::Access,
                _ => Self::Other,
            },
            Self::Access => {
                let key = key();
                Table::from_key(&key).map_or_else(|| unmanaged(&key), |table| Self::Managed { table, inside: false })
            }
            Self::Managed { table, .. } => Self::Managed { table, inside: true },
            Self::ByUser | Self::Entry => Self::Entry,
            Self::Other => Self::Other,
        }
    }

    /// The path of a place that may hold nothing but a table.
    pub(super) fn path_of_table(self) -> Option<String> {
        match self {
            Self::Access => Some("access".to_owned()),
            Self::Managed { table, inside: false } => Some(format!("access.{}", table.key())),
            Self::Root | Self::ByUser | Self::Entry | Self::Other | Self::Managed { inside: true, .. } => None,
        }
    }
}

/// Whether an event begins an inline table or an array.
pub(super) fn opens(event: &Event) -> bool {
    matches!(event.kind(), EventKind::InlineTableOpen | EventKind::ArrayOpen)
}

/// Whether an event ends an inline table or an array.
pub(super) fn closes(event: &Event) -> bool {
    matches!(event.kind(), EventKind::InlineTableClose | EventKind::ArrayClose)
}

/// Whether an event is a value, or begins or ends one.
pub(super) fn is_value(event: &Event) -> bool {
    opens(event) || closes(event) || event.kind() == EventKind::Scalar
}

/// The decoded key of a key event.
pub(super) fn key<'t>(text: &'t str, event: &Event) -> Cow<'t, str> {
    let span = event.span();
    let raw = &text[span.start()..span.end()];
    if event.encoding().is_none() {
        return Cow::Borrowed(raw);
    }
    let mut key = Cow::Borrowed("");
    Raw::new_unchecked(raw, event.encoding(), span).decode_key(&mut key, &mut ());
    key
}
