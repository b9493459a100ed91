//! The scan of a text, line by line.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::DateTime;

use super::gap::Shown;
use super::series::{Family, Reading, UserSeries};
use super::text::{is_name_byte, labels, unescape, value_word};
use super::{ExpositionError, FileVerdict, Refusal, Snapshot, Trouble, trouble};

/// 2^63, the first float above every `i64`.
const TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;

/// The state of a scan.
#[derive(Debug, Default)]
pub(super) struct Scan {
    uptime: Option<f64>,
    version: Option<String>,
    connections_total: Reading,
    connections_bad_total: Reading,
    suppressed: bool,
    shown: Shown,
    file: Option<FileVerdict>,
    troubles: Vec<Trouble>,
    pub(super) users: HashMap<String, UserSeries>,
    refused: Vec<Refusal>,
    current: Option<Current>,
}

/// The user of the lines just read, ahead of what `users` holds of them: a user's lines mostly stand together.
#[derive(Debug)]
struct Current {
    name: String,
    series: UserSeries,
    is_new: bool,
}

impl Scan {
    pub(super) fn line(&mut self, line: &str, number: usize) -> Result<(), ExpositionError> {
        let line = line.trim_ascii();
        match line.as_bytes().first() {
            None | Some(b'#') => return Ok(()),
            Some(first) if is_name_byte(*first) && !first.is_ascii_digit() => {}
            Some(_) => return Err(ExpositionError::Format { line: number }),
        }
        let Some(name) = line.strip_prefix("telemt_") else {
            if let Some(name) = line.strip_prefix("mtproxy_config_") {
                self.file(name);
            } else if let Some(rest) = line.strip_prefix("mtproxy_warning{") {
                trouble::read(&line[line.len() - rest.len() - 1..], &mut self.troubles);
            }
            return Ok(());
        };
        if let Some(name) = name.strip_prefix("user_") {
            if let Some((family, rest)) = Family::ALL.iter().find_map(|family| Some((*family, family.after(name)?))) {
                self.user(family, rest, number);
            } else {
                self.shown.other_family(name);
            }
            return Ok(());
        }
        let (name, rest) = name.split_at(name.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(name.len()));
        match name {
            "uptime_seconds" => self.uptime = Some(uptime(rest).ok_or(ExpositionError::Uptime { line: number })?),
            "build_info" => self.build_info(rest),
            "connections_total" => {
                self.connections_total = self.global("telemt_connections_total", self.connections_total, rest, number);
            }
            "connections_bad_total" => {
                self.connections_bad_total =
                    self.global("telemt_connections_bad_total", self.connections_bad_total, rest, number);
            }
            "telemetry_user_series_users" => self.user_series(rest),
            "telemetry_user_enabled" => self.shown.is_switched_off = labels(rest, |_, _| {}).map(count) == NONE,
            _ => {}
        }
        Ok(())
    }

    /// A line of `telemt_telemetry_user_series_users`, which tells how many users have counters and how many of them are
    /// left out.
    fn user_series(&mut self, rest: &str) {
        let (mut stats, mut suppressed, mut emitted) = (false, false, false);
        let value = labels(rest, |label, value| {
            stats |= (label, value) == ("family", "stats");
            suppressed |= (label, value) == ("status", "suppressed");
            emitted |= (label, value) == ("status", "emitted");
        });
        match value {
            Some(value) => {
                self.suppressed |= stats && suppressed && count(value) != Reading::Value(0);
                self.shown.has_counters |= stats && emitted && count(value).value().is_some_and(|users| users > 0);
            }
            None => self.suppressed = true,
        }
    }

    /// A line of what the built-in proxy says of the file.
    fn file(&mut self, name: &str) {
        if let Some(rest) = name.strip_prefix("current") {
            let is_current = labels(rest, |_, _| {}).map(count) == Some(Reading::Value(1));
            self.file.get_or_insert_default().is_current = is_current;
        } else if let Some(rest) = name.strip_prefix("last_reload_failure_timestamp_seconds") {
            let at = labels(rest, |_, _| {}).map(count).and_then(Reading::value);
            self.file.get_or_insert_default().last_failure_at = at.and_then(|at| DateTime::from_timestamp(at, 0));
        } else if let Some(rest) = name.strip_prefix("last_reload_failure_info") {
            labels(rest, |label, value| {
                if label == "error" {
                    self.file.get_or_insert_default().last_failure = Some(unescape(value).into_owned());
                }
            });
        }
    }

    fn build_info(&mut self, rest: &str) {
        labels(rest, |label, value| {
            if label == "version" {
                self.version = Some(unescape(value).into_owned());
            }
        });
    }

    /// A line of a metric of the whole proxy; gives the sum with `before`.
    fn global(&mut self, family: &'static str, before: Reading, rest: &str, line: usize) -> Reading {
        let sum = before.plus(labels(rest, |_, _| {}).map_or(Reading::Refused, count));
        if sum == Reading::Refused && before != Reading::Refused {
            self.refused.push(Refusal { line, family, user: None });
        }
        sum
    }

    /// A line of a user's metric.
    fn user(&mut self, family: Family, rest: &str, line: usize) {
        let mut name = None;
        let value = labels(rest, |label, value| {
            if label == "user" {
                name = Some(value);
            }
        });
        let Some(value) = value else {
            self.shown.family(family);
            self.refused.push(Refusal { line, family: family.name(), user: None });
            return;
        };
        let Some(name) = name.map(unescape) else { return };
        self.shown.family(family);
        let current = self.current_user(name);
        let slot = current.series.reading_mut(family);
        let before = *slot;
        *slot = before.plus(count(value));
        if *slot == Reading::Refused && before != Reading::Refused {
            let user = Some(current.name.clone());
            self.refused.push(Refusal { line, family: family.name(), user });
        }
    }

    /// Makes `name` the current user.
    fn current_user(&mut self, name: Cow<'_, str>) -> &mut Current {
        let current = self.current.take_if(|current| current.name == name).unwrap_or_else(|| {
            self.store_current();
            let known = self.users.get(name.as_ref()).copied();
            Current { name: name.into_owned(), series: known.unwrap_or_default(), is_new: known.is_none() }
        });
        self.current.insert(current)
    }

    pub(super) fn store_current(&mut self) {
        let Some(Current { name, series, is_new }) = self.current.take() else { return };
        if is_new {
            self.users.insert(name, series);
        } else if let Some(known) = self.users.get_mut(&name) {
            *known = series;
        }
    }

    pub(super) fn finish(self, lines: usize) -> Result<Snapshot, ExpositionError> {
        Ok(Snapshot {
            uptime: self.uptime.ok_or(ExpositionError::NoUptime { lines })?,
            version: self.version,
            connections_total: self.connections_total.value(),
            connections_bad_total: self.connections_bad_total.value(),
            suppressed: self.suppressed,
            gap: self.shown.gap(),
            file: self.file,
            troubles: self.troubles,
            users: self.users,
            refused: self.refused,
        })
    }
}

/// What a switch that is off shows.
const NONE: Option<Reading> = Some(Reading::Value(0));

/// A count of something.
fn count(value: &str) -> Reading {
    // Mostly there is nothing but digits.
    let value = value.trim_ascii();
    match value.parse().ok().or_else(|| whole(value_word(value)?)) {
        Some(value) if value >= 0 => Reading::Value(value),
        Some(_) | None => Reading::Refused,
    }
}

/// A whole number, perhaps written as a float, such as `1.5e3`.
#[allow(clippy::cast_possible_truncation, reason = "whole, and between 0 and 2^63")]
fn whole(word: &str) -> Option<i64> {
    word.parse().ok().or_else(|| {
        let value: f64 = word.parse().ok()?;
        ((0.0..TOO_LARGE).contains(&value) && value.fract() == 0.0).then_some(value as i64)
    })
}

fn uptime(rest: &str) -> Option<f64> {
    let seconds: f64 = value_word(labels(rest, |_, _| {})?)?.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then_some(seconds)
}
