//! Another masking domain in the text of a file.

use std::ops::Range;
use std::str::FromStr;

use toml_edit::{Item, Table, Value};

use super::scan::first_newline;
use super::{BOM, DocumentError, fault, parse};
use crate::include::Source;
use crate::link::{Host, MaskDomain};

/// Where the proxy reaches the site of the masking domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskSite {
    /// At the domain itself, on port 443.
    Domain,
    /// At another address.
    At {
        /// Its name or IP address.
        host: Host,
        /// Its port.
        port: u16,
    },
}

/// Why a text is no place of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be HOST:PORT, such as 192.0.2.7:8444 or [2001:db8::7]:8444, or none")]
pub struct MaskSiteError;

impl FromStr for MaskSite {
    type Err = MaskSiteError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::Domain);
        }
        let (host, port) = text.rsplit_once(':').ok_or(MaskSiteError)?;
        // Without brackets it could not be told where an IPv6 address ends.
        if host.contains(':') && !host.starts_with('[') {
            return Err(MaskSiteError);
        }
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(MaskSiteError)?;
        Ok(Self::At { host: host.parse().map_err(|_| MaskSiteError)?, port })
    }
}

/// The text of the main file with this `censorship.tls_domain` and, if `site` is given, with the `mask_host` and
/// `mask_port` for it. All other bytes stay as they are.
///
/// Fails, with the place, where the file names no masking domain, and where something that has to change stands in an
/// included file or, for `site`, in an inline table.
pub fn set_mask_domain(source: &Source, domain: &MaskDomain, site: Option<&MaskSite>) -> Result<String, DocumentError> {
    let (document, _) = parse(source)?;
    let section = document.get("censorship");
    let mut edits = Edits { source, all: Vec::new() };
    let Some(found) = section.and_then(|section| section.as_table_like()?.get("tls_domain")) else {
        return Err(fault(source, span(section).start, "there is no censorship.tls_domain here".to_owned()));
    };
    let place = span(Some(found));
    if found.as_str().is_none() {
        return Err(fault(source, place.start, "censorship.tls_domain must be a string".to_owned()));
    }
    if found.as_str() != Some(domain.as_str()) {
        edits.add(place.clone(), quoted(domain.as_str()))?;
    }
    if let Some(site) = site {
        let Some(table) = section.and_then(Item::as_table) else {
            let message = "[censorship] is an inline table, in which the site cannot be changed: change it by hand, or make it a table";
            return Err(fault(source, place.start, message.to_owned()));
        };
        edits.set_site(table, place, site)?;
    }
    Ok(edits.apply())
}

/// A TOML string, with what needs an escape escaped.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Where an item stands; the beginning of the file for none.
fn span(item: Option<&Item>) -> Range<usize> {
    item.and_then(Item::span).unwrap_or_default()
}

/// What has to be replaced in the main file, by places in it.
struct Edits<'s> {
    source: &'s Source,
    all: Vec<(Range<usize>, String)>,
}

impl Edits<'_> {
    /// Replaces a part of the text that the proxy parses; it must not stand in an included file.
    fn add(&mut self, range: Range<usize>, new: String) -> Result<(), DocumentError> {
        let Some(in_main) = self.source.range_in_main(&range) else {
            let message = "this stands in an included file, which is not written: change it by hand";
            return Err(fault(self.source, range.start, message.to_owned()));
        };
        self.all.push((in_main, new));
        Ok(())
    }

    /// Sets `mask_host` and `mask_port` where they stand, or in new lines after the one of the domain.
    fn set_site(&mut self, table: &Table, domain: Range<usize>, site: &MaskSite) -> Result<(), DocumentError> {
        let (host, port) = match site {
            MaskSite::Domain => (None, 443),
            MaskSite::At { host, port } => (Some(quoted(host.as_str())), *port),
        };
        let mut new_lines = Vec::new();
        match (table.get("mask_host"), host) {
            (Some(old), Some(host)) => self.add(span(Some(old)), host)?,
            (Some(old), None) => self.add(self.line(&span(Some(old))), String::new())?,
            (None, Some(host)) => new_lines.push(format!("mask_host = {host}")),
            (None, None) => {}
        }
        match table.get("mask_port") {
            Some(old) => self.add(span(Some(old)), port.to_string())?,
            None => new_lines.push(format!("mask_port = {port}")),
        }
        self.add_lines(table, &domain, &new_lines)
    }

    /// Adds lines after the one of the domain, with what stands in front of its key: an indent, or `censorship.`.
    fn add_lines(&mut self, table: &Table, domain: &Range<usize>, lines: &[String]) -> Result<(), DocumentError> {
        if lines.is_empty() {
            return Ok(());
        }
        let text = self.source.bare();
        let key = table.key("tls_domain").and_then(toml_edit::Key::span).unwrap_or_default();
        let line = self.line(&(key.start..domain.end));
        let before = &text[line.start..key.start];
        let newline = first_newline(text).unwrap_or("\n");
        let end = line.start + text[line.clone()].trim_end_matches(['\r', '\n']).len();
        self.add(end..end, lines.iter().flat_map(|line| [newline, before, line.as_str()]).collect())
    }

    /// The whole lines of a statement, with their end.
    fn line(&self, statement: &Range<usize>) -> Range<usize> {
        let text = self.source.bare();
        let start = text[..statement.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[statement.end..].find('\n').map_or(text.len(), |at| statement.end + at + 1);
        start..end
    }

    /// The text of the main file after all edits.
    fn apply(mut self) -> String {
        let mut text = self.source.bare_main().to_owned();
        self.all.sort_by_key(|(range, _)| range.start);
        for (range, new) in self.all.into_iter().rev() {
            text.replace_range(range, &new);
        }
        if self.source.main().starts_with(BOM) {
            text.insert_str(0, BOM);
        }
        text
    }
}
