//! Traffic over time.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use mtpannel_core::fault::FieldError;
use mtpannel_core::policy::StatsRead;

use super::caller::Allowed;
use super::{ServiceError, ServiceResult};
use crate::app::App;
use crate::store::traffic::{self, Moved};
use crate::store::users::User;

/// Longest history that is kept.
const LONGEST: TimeDelta = TimeDelta::days(366);
/// What is shown when nothing is asked for.
const DEFAULT_RANGE: TimeDelta = TimeDelta::days(1);

/// Width of the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// As it is stored: by scrape for the last day, then by the hour, then by the day.
    Stored,
    /// By the hour, UTC.
    Hour,
    /// By the day, UTC.
    Day,
}

/// Which part of the history.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    step: Step,
}

impl Range {
    /// From `from` (a day before the end) until before `to` (now). Without a step, hours for up to two days and days for
    /// more.
    pub fn new(
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        step: Option<Step>,
        now: DateTime<Utc>,
    ) -> ServiceResult<Self> {
        // A row of this very second is within.
        let to = to.unwrap_or(now + TimeDelta::seconds(1));
        let from = from.unwrap_or_else(|| to.checked_sub_signed(DEFAULT_RANGE).unwrap_or(to));
        let length = to.signed_duration_since(from);
        if length <= TimeDelta::zero() || length > LONGEST {
            let error = FieldError::new("from", "must be before 'to', by at most 366 days");
            return Err(ServiceError::Invalid(vec![error]));
        }
        let step = step.unwrap_or(if length <= TimeDelta::days(2) { Step::Hour } else { Step::Day });
        Ok(Self { from, to, step })
    }
}

/// Traffic of one user.
pub async fn of_user(app: &App, user: &User, range: Range) -> ServiceResult<Vec<Moved>> {
    let rows = traffic::of_user(app.store.read().await?.db(), user.id, range.from, range.to).await?;
    Ok(gather(rows, range.step))
}

/// Traffic of the users that the caller sees; for a sudo administrator that of all users, deleted ones included.
pub async fn of_scope(app: &App, caller: &Allowed<StatsRead>, range: Range) -> ServiceResult<Vec<Moved>> {
    let owner = caller.scope().owner();
    let rows = traffic::of_scope(app.store.read().await?.db(), owner, range.from, range.to).await?;
    Ok(gather(rows, range.step))
}

/// Adds up rows, which are in order, that fall into one step.
fn gather(rows: Vec<Moved>, step: Step) -> Vec<Moved> {
    let width = match step {
        Step::Stored => return rows,
        Step::Hour => TimeDelta::hours(1),
        Step::Day => TimeDelta::days(1),
    };
    let mut points: Vec<Moved> = Vec::new();
    for row in rows {
        let begin = row.recorded_at.duration_trunc(width).unwrap_or(row.recorded_at);
        match points.last_mut().filter(|point| point.recorded_at == begin) {
            Some(point) => {
                point.octets_from = point.octets_from.saturating_add(row.octets_from);
                point.octets_to = point.octets_to.saturating_add(row.octets_to);
            }
            None => points.push(Moved { recorded_at: begin, ..row }),
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(at: &str, octets: i64) -> Moved {
        Moved { recorded_at: at.parse().unwrap(), octets_from: octets, octets_to: 2 * octets }
    }

    #[test]
    fn rows_of_one_hour_or_day_become_one_point_with_the_same_sum() {
        let rows = vec![
            moved("2026-05-05T10:00:00Z", 1),
            moved("2026-05-05T10:59:59Z", 2),
            moved("2026-05-05T11:00:00Z", 4),
            moved("2026-05-06T00:00:00Z", 8),
        ];
        let hours = gather(rows.clone(), Step::Hour);
        assert_eq!(hours, [moved("2026-05-05T10:00:00Z", 3), moved("2026-05-05T11:00:00Z", 4), rows[3]]);
        let days = gather(rows.clone(), Step::Day);
        assert_eq!(days, [moved("2026-05-05T00:00:00Z", 7), rows[3]]);
        assert_eq!(gather(rows.clone(), Step::Stored), rows);
    }

    #[test]
    fn a_range_is_neither_empty_nor_longer_than_what_is_kept() {
        let at = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
        let now = at("2026-05-05T10:00:00Z").unwrap();
        assert!(Range::new(None, None, None, now).is_ok());
        assert!(Range::new(at("2026-05-05T10:00:00Z"), at("2026-05-05T10:00:00Z"), None, now).is_err());
        assert!(Range::new(at("2020-05-05T10:00:00Z"), None, None, now).is_err());
        assert!(Range::new(None, Some(DateTime::<Utc>::MIN_UTC), None, now).is_err());
    }
}
