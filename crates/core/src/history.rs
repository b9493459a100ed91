//! Up to when the history may be rolled up and pruned.

use chrono::{DateTime, TimeDelta, Utc};

/// By how much the history follows a clock at each turn without asking how long the panel has run: as long as it mostly is
/// between two turns, so that a panel that is often started anew follows as well.
const FREE: TimeDelta = TimeDelta::hours(1);

/// How much faster than time the history follows a clock that was far ahead of it. A panel that was off for a month has
/// caught up after a bit more than a day.
const CATCH_UP: i32 = 24;

/// The time as of which history may be deleted when the clock shows `clock`, `before` was that time at the last turn and the
/// panel has run for `lived` since.
///
/// A clock that is wrong for a moment must not delete a year. Nothing tells a wrong clock from a long pause at once, so
/// history follows a jump slowly, and a clock that is set back at once.
///
/// ```
/// # use chrono::{DateTime, TimeDelta, Utc};
/// # use mtpannel_core::history::follow;
/// let before: DateTime<Utc> = "2026-05-05T12:00:00Z".parse()?;
/// let hour = TimeDelta::hours(1);
/// assert_eq!(follow(Some(before), hour, before + hour), before + hour);
/// // A jump by 400 days, when the panel starts and an hour later:
/// let ahead = before + TimeDelta::days(400);
/// assert_eq!(follow(Some(before), TimeDelta::zero(), ahead), before + hour);
/// assert_eq!(follow(Some(before), hour, ahead), before + hour * 25);
/// // The first turn ever, and a clock that was set back:
/// assert_eq!(follow(None, TimeDelta::zero(), ahead), ahead);
/// assert_eq!(follow(Some(ahead), hour, before), before);
/// # Ok::<(), chrono::ParseError>(())
/// ```
pub fn follow(before: Option<DateTime<Utc>>, lived: TimeDelta, clock: DateTime<Utc>) -> DateTime<Utc> {
    let step = lived.checked_mul(CATCH_UP).and_then(|step| step.checked_add(&FREE)).unwrap_or(TimeDelta::MAX);
    before.and_then(|before| before.checked_add_signed(step)).map_or(clock, |furthest| furthest.min(clock))
}
