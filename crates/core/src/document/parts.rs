//! Maps what was found in the whole text, with included files in it, to the main file: its managed parts, by offsets in that
//! file. A managed table in an included file is an error.

use std::ops::Range;

use super::events::Place;
use super::scan::{Cut, Scan, Section};
use super::{DocumentError, fault};
use crate::include::Source;

/// What a scan found, by offsets in the main file without its byte order mark.
pub(super) struct Parts {
    /// All sections, if nothing is included; otherwise the managed ones, and one section for each run of others between them.
    pub(super) sections: Vec<Section>,
    pub(super) cuts: Vec<Cut>,
    /// Whether the file has include lines.
    pub(super) has_includes: bool,
}

/// Finds the parts of a scan in the main file. Fails if an included file has a managed table, or a row of one: the panel
/// writes the main file only, and the proxy refuses a table that stands twice.
pub(super) fn in_main_file(source: &Source, scan: Scan) -> Result<Parts, DocumentError> {
    let has_includes = !source.included().is_empty();
    if !has_includes {
        return Ok(Parts { sections: scan.sections, cuts: scan.cuts, has_includes });
    }
    let mut parts = Parts { sections: Vec::new(), cuts: Vec::new(), has_includes };
    for section in scan.sections {
        if let Place::Managed { table, .. } = section.place {
            let range = own_part(source, section.start..section.body_end, &format!("[access.{}]", table.key()))?;
            parts.sections.push(Section { start: range.start, body_end: range.end, ..section });
        } else {
            // Only that it lies between two managed ones matters.
            parts.sections.push(Section { place: Place::Other, start: 0, body_end: 0 });
        }
    }
    for Cut { range, replacement } in scan.cuts {
        let range = own_part(source, range, "a managed table of [access]")?;
        parts.cuts.push(Cut { range, replacement });
    }
    Ok(parts)
}

/// The place of a managed range in the main file, if no statement of it stands in an included file.
fn own_part(source: &Source, range: Range<usize>, what: &str) -> Result<Range<usize>, DocumentError> {
    let text = source.bare();
    let statements = source.included_parts(range.clone()).find_map(|part| {
        let mut offset = part.start;
        text[part].split_inclusive('\n').find_map(|line| {
            let start = offset + (line.len() - line.trim_start().len());
            offset += line.len();
            let bare = line.trim();
            (!bare.is_empty() && !bare.starts_with('#')).then_some(start)
        })
    });
    match (statements, source.range_in_main(&range)) {
        (None, Some(range)) => Ok(range),
        (statement, _) => Err(fault(
            source,
            statement.unwrap_or(range.start),
            format!(
                "{what} stands here, and the panel writes it into the main file; the proxy refuses a table that stands twice. \
                 The panel has its users already: put the text of this file into the main file instead of the include \
                 line, or remove that table here"
            ),
        )),
    }
}
