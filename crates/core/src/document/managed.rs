//! What the managed tables of a file hold, so that it can be compared before the file is replaced.

use std::collections::HashMap;

use toml_edit::{Document, Item, TableLike};

use super::events::Place;
use super::scan::Scan;
use super::{DocumentError, parts};
use crate::access::Table;
use crate::include::Source;

/// What stands in the managed tables.
#[derive(Clone, PartialEq, Eq)]
pub struct Managed {
    /// The lines of the tables, as they stand there.
    pub text: String,
    /// Values by table and name, in the spelling of the file.
    values: HashMap<(usize, String), String>,
}

impl std::fmt::Debug for Managed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Managed(…)")
    }
}

impl Managed {
    /// What stands in the managed tables of a file.
    pub fn of(source: &Source) -> Result<Self, DocumentError> {
        let (document, scan) = super::parse(source)?;
        let values = values(&document);
        Ok(Self { text: text(source, scan)?, values })
    }

    /// Whether something of it is lost when `new` takes its place: a comment, a value, or a name.
    pub fn is_lost_in(&self, new: &Self) -> bool {
        // A name may have that character, too. Then a copy too many is kept, and nothing is lost.
        self.text.contains('#') || self.values.iter().any(|(key, value)| new.values.get(key) != Some(value))
    }
}

fn values(document: &Document<&str>) -> HashMap<(usize, String), String> {
    let access = document.get("access").and_then(Item::as_table_like);
    let mut values = HashMap::new();
    for table in Table::ALL {
        let rows = access.and_then(|access| access.get(table.key())).and_then(Item::as_table_like);
        for (name, item) in rows.into_iter().flat_map(TableLike::iter) {
            let value = item.as_str().map_or_else(|| item.to_string().trim().to_owned(), str::to_owned);
            values.insert((table.index(), name.to_owned()), value);
        }
    }
    values
}

/// The managed lines, in the order of the file.
fn text(source: &Source, scan: Scan) -> Result<String, DocumentError> {
    let parts = parts::in_main_file(source, scan)?;
    let sections = parts.sections.iter().filter(|section| matches!(section.place, Place::Managed { .. }));
    let mut ranges: Vec<_> = sections.map(|section| section.start..section.body_end).collect();
    ranges.extend(parts.cuts.into_iter().map(|cut| cut.range));
    ranges.sort_by_key(|range| range.start);
    Ok(ranges.into_iter().map(|range| &source.bare_main()[range]).collect())
}
