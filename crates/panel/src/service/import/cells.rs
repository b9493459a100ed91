//! Converts a cell of the old database into the value that it stands for.

use chrono::{DateTime, Datelike as _, NaiveDateTime, SubsecRound as _, Utc};
use mtpannel_core::rename::Renames;
use mtpannel_core::user::{Limit, NOTE_MAX, Status, Username};

use crate::runtime::password;
use crate::store::old_panel::Cell;

/// A value, and what was changed to get it, if anything was: to be read after the place of the cell.
#[derive(Debug, PartialEq)]
pub(super) struct Taken<T> {
    pub(super) value: T,
    pub(super) change: Option<String>,
}

impl<T> Taken<T> {
    fn changed(value: T, change: impl Into<String>) -> Self {
        Self { value, change: Some(change.into()) }
    }
}

impl<T> From<T> for Taken<T> {
    fn from(value: T) -> Self {
        Self { value, change: None }
    }
}

pub(super) fn optional<T>(cell: &Cell, value: impl FnOnce(&Cell) -> Result<T, String>) -> Result<Option<T>, String> {
    if *cell == Cell::Null { Ok(None) } else { value(cell).map(Some) }
}

pub(super) fn integer(cell: &Cell) -> Result<i64, String> {
    match cell {
        Cell::Integer(number) => Ok(*number),
        _ => Err("must be a whole number".to_owned()),
    }
}

/// A number that cannot be negative: a negative one counts as 0.
pub(super) fn at_least_zero(cell: &Cell) -> Result<Taken<i64>, String> {
    match cell {
        Cell::Null => Ok(Taken::changed(0, "is empty; becomes 0")),
        cell => match integer(cell)? {
            number @ 0.. => Ok(number.into()),
            number => Ok(Taken::changed(0, format!("{number} becomes 0"))),
        },
    }
}

/// A limit. The old panel treated 0 like no limit.
pub(super) fn limit(cell: &Cell) -> Result<Taken<Option<Limit>>, String> {
    match cell {
        Cell::Null => Ok(Taken::from(None)),
        cell => match integer(cell)? {
            0 => Ok(Taken::changed(None, "0 becomes no limit")),
            number => Limit::try_from(number)
                .map(|limit| Taken::from(Some(limit)))
                .map_err(|error| format!("{error}; it is {number}")),
        },
    }
}

pub(super) fn flag(cell: &Cell) -> Result<bool, String> {
    match cell {
        Cell::Integer(0) => Ok(false),
        Cell::Integer(1) => Ok(true),
        _ => Err("must be 0 or 1".to_owned()),
    }
}

pub(super) fn seconds(cell: &Cell) -> Result<f64, String> {
    let seconds = match cell {
        Cell::Real(seconds) => *seconds,
        #[expect(clippy::cast_precision_loss, reason = "an uptime has far fewer digits")]
        Cell::Integer(seconds) => *seconds as f64,
        _ => return Err("must be a number".to_owned()),
    };
    if seconds.is_finite() && seconds >= 0.0 { Ok(seconds) } else { Err("must not be negative".to_owned()) }
}

pub(super) fn text(cell: &Cell) -> Result<&str, String> {
    match cell {
        Cell::Text(text) => Ok(text),
        _ => Err("must be text".to_owned()),
    }
}

/// A name, or the one that the table gives it.
pub(super) fn name(cell: &Cell, renames: &Renames) -> Result<Taken<Username>, String> {
    let old = text(cell)?;
    let name = renames.name(old).map_err(|error| format!("{old:?} {error}; give it another name with --rename"))?;
    let change = renames.get(old).map(|new| format!("{old:?} becomes {new}"));
    Ok(Taken { value: name, change })
}

pub(super) fn password_hash(cell: &Cell) -> Result<String, String> {
    let hash = text(cell)?;
    if password::is_hash(hash) { Ok(hash.to_owned()) } else { Err("must be a bcrypt hash".to_owned()) }
}

pub(super) fn status_word(word: &str) -> Result<Status, String> {
    word.parse().map_err(|_| format!("{word:?} is none of active, disabled, limited, expired"))
}

/// A note, cut to what a note may hold.
pub(super) fn note(cell: &Cell) -> Result<Taken<String>, String> {
    if *cell == Cell::Null {
        return Ok(Taken::from(String::new()));
    }
    let note = text(cell)?;
    let kept: String = note.chars().filter(|letter| *letter != '\0').take(NOTE_MAX).collect();
    let lost = note.chars().count() - kept.chars().count();
    let change = (lost > 0).then(|| format!("loses {lost} characters; a note has at most {NOTE_MAX} and no NUL"));
    Ok(Taken { value: kept, change })
}

/// The time of a row's creation; `None` is the time of the import, for a row that has none.
pub(super) fn created_at(cell: &Cell) -> Result<Taken<Option<DateTime<Utc>>>, String> {
    match cell {
        Cell::Null => Ok(Taken::changed(None, "is empty; becomes the time of the import")),
        cell => time(cell).map(|time| Taken::from(Some(time))),
    }
}

/// A time as `SQLAlchemy` writes it, `2026-01-02 03:04:05.678901`, or in any other ISO 8601 form down to the second; UTC if
/// it has no offset. Cut to the second.
pub(super) fn time(cell: &Cell) -> Result<DateTime<Utc>, String> {
    let written = text(cell)?;
    let spaced = written.replacen('T', " ", 1);
    let bare = spaced.strip_suffix(['Z', 'z']).unwrap_or(&spaced).trim_end();
    let naive = NaiveDateTime::parse_from_str(bare, "%Y-%m-%d %H:%M:%S%.f").map(|time| time.and_utc());
    let time =
        naive.or_else(|_| DateTime::parse_from_str(&spaced, "%Y-%m-%d %H:%M:%S%.f%#z").map(|time| time.to_utc()));
    time.map(|time| time.trunc_subsecs(0))
        .ok()
        .filter(|time| (1..=9999).contains(&time.year()))
        .ok_or_else(|| format!("{written:?} is not a date and time"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-01-02 03:04:05.678901", "2026-01-02T03:04:05Z")]
    #[case("2026-01-02 03:04:05", "2026-01-02T03:04:05Z")]
    #[case("2026-01-02T03:04:05.678901", "2026-01-02T03:04:05Z")]
    #[case("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z")]
    #[case("2026-01-02 03:04:05.5+03:00", "2026-01-02T00:04:05Z")]
    #[case("2026-01-02T03:04:05-0130", "2026-01-02T04:34:05Z")]
    fn times_are_read_in_every_form_and_without_an_offset_are_utc(#[case] written: &str, #[case] meant: &str) {
        assert_eq!(time(&Cell::Text(written.into())), Ok(meant.parse().unwrap()));
    }

    #[rstest]
    #[case("")]
    #[case("2026-01-02")]
    #[case("2026-13-02 03:04:05")]
    #[case("soon")]
    #[case("12026-01-02 03:04:05")]
    fn what_is_no_time_is_refused(#[case] written: &str) {
        assert!(time(&Cell::Text(written.into())).is_err());
    }
}
