//! When a user's usage goes back to zero by itself.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveTime, TimeDelta, Utc};

use super::UnknownWord;

/// How far the clocks of two panels, or a clock before and after a correction, may be apart. A moment that was noted and is
/// further ahead than this was noted by a clock that was wrong.
pub const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);

/// How often a user's usage goes back to zero by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResetStrategy {
    /// Never.
    None,
    /// At each midnight, UTC.
    Daily,
    /// At midnight before each Monday, UTC.
    Weekly,
    /// At midnight before the first of each month, UTC.
    Monthly,
}

impl ResetStrategy {
    /// Every strategy.
    pub const ALL: [Self; 4] = [Self::None, Self::Daily, Self::Weekly, Self::Monthly];

    /// The word that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The first reset after `now`, or `None` if there is none (also past the end of the calendar).
    pub fn next_reset(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = now.date_naive();
        let day = match self {
            Self::None => None,
            Self::Daily => today.checked_add_days(Days::new(1)),
            Self::Weekly => today.checked_add_days(Days::new(7 - u64::from(today.weekday().num_days_from_monday()))),
            Self::Monthly => today.with_day(1).and_then(|first| first.checked_add_months(Months::new(1))),
        };
        day.map(|day| day.and_time(NaiveTime::MIN).and_utc())
    }
}

impl ResetStrategy {
    /// Whether usage that was reset at `last` is to be reset at `now`: a moment of the schedule lies between. A `last` that
    /// is ahead of `now` by more than clocks of two panels differ was noted by a clock that was wrong, and proves nothing.
    pub fn is_due(self, last: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        last - now > CLOCKS_DIFFER || self.next_reset(last).is_some_and(|next| next <= now)
    }
}

impl FromStr for ResetStrategy {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == word).ok_or(UnknownWord)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[rstest]
    #[case(ResetStrategy::Daily, "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z")]
    #[case(ResetStrategy::Daily, "2026-05-05T00:00:00Z", "2026-05-06T00:00:00Z")]
    #[case(ResetStrategy::Weekly, "2026-11-23T10:00:00Z", "2026-11-30T00:00:00Z")]
    #[case(ResetStrategy::Weekly, "2026-11-29T10:00:00Z", "2026-11-30T00:00:00Z")]
    #[case(ResetStrategy::Monthly, "2028-01-31T10:00:00Z", "2028-02-01T00:00:00Z")]
    #[case(ResetStrategy::Monthly, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")]
    fn resets_fall_on_utc_midnights(#[case] strategy: ResetStrategy, #[case] now: &str, #[case] next: &str) {
        assert_eq!(strategy.next_reset(at(now)), Some(at(next)));
    }

    #[rstest]
    #[case::a_midnight_between("2026-05-05T23:59:59Z", "2026-05-06T00:00:00Z", true)]
    #[case::the_same_day("2026-05-05T00:00:00Z", "2026-05-05T23:59:59Z", false)]
    #[case::noted_by_a_clock_a_little_ahead("2026-05-06T00:00:02Z", "2026-05-06T00:00:00Z", false)]
    #[case::noted_by_a_wrong_clock("2027-05-05T00:00:00Z", "2026-05-05T23:59:59Z", true)]
    fn a_reset_is_due_once_in_its_period(#[case] last: &str, #[case] now: &str, #[case] due: bool) {
        assert_eq!(ResetStrategy::Daily.is_due(at(last), at(now)), due);
    }

    #[test]
    fn no_strategy_means_no_reset() {
        assert_eq!(ResetStrategy::None.next_reset(at("2026-05-05T00:00:00Z")), None);
    }
}
