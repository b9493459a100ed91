//! Changes of a user that are more than a field: resets, additions, and the status that follows.

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use super::{Limits, ResetStrategy, Standing, Status};

/// Everything of a user that an administrator sets, and the usage and status that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Status as stored: right at the moment when it was last evaluated.
    pub status: Status,
    /// The limits.
    pub limits: Limits,
    /// Bytes since the last reset.
    pub data_used: i64,
    /// Lifetime total of the name at the last reset. `None` while connections of an earlier user of the name may still count.
    pub usage_base: Option<i64>,
    /// When the user expires.
    pub expire_at: Option<DateTime<Utc>>,
    /// Note of the administrators.
    pub note: String,
    /// How often usage is reset.
    pub reset_strategy: ResetStrategy,
    /// The next reset.
    pub next_reset_at: Option<DateTime<Utc>>,
}

impl Profile {
    /// An active user without limits, dates and usage.
    pub const fn new() -> Self {
        Self {
            status: Status::Active,
            limits: Limits::NONE,
            data_used: 0,
            usage_base: None,
            expire_at: None,
            note: String::new(),
            reset_strategy: ResetStrategy::None,
            next_reset_at: None,
        }
    }

    /// What the status depends on.
    pub fn standing(&self) -> Standing {
        Standing {
            disabled: self.status == Status::Disabled,
            expire_at: self.expire_at,
            data_limit: self.limits.data,
            data_used: self.data_used,
        }
    }

    /// Disables the user, or serves them again as far as limits and time allow.
    pub fn set_disabled(&mut self, disabled: bool, now: DateTime<Utc>) {
        self.status = Standing { disabled, ..self.standing() }.status(now);
    }

    /// Evaluates the status at `now`.
    pub fn update_status(&mut self, now: DateTime<Utc>) {
        self.status = self.standing().status(now);
    }

    /// Sets usage to 0; `lifetime` is the lifetime total of the name. The schedule of resets stays.
    pub fn reset_usage(&mut self, lifetime: i64, now: DateTime<Utc>) {
        self.usage_base = self.usage_base.map(|_| lifetime);
        self.data_used = 0;
        self.update_status(now);
    }

    /// Moves the expiry by days, counted from `now` if it is over. A user who does not expire stays so, and an expiry after
    /// the year 9999 is not set: the proxy refuses a file that holds one.
    pub fn add_days(&mut self, days: i64, now: DateTime<Utc>) {
        let end = self.expire_at.map(|end| end.max(now));
        let later = end.zip(TimeDelta::try_days(days)).and_then(|(end, days)| end.checked_add_signed(days));
        self.expire_at = later.filter(|end| end.year() <= 9_999).or(self.expire_at);
        self.update_status(now);
    }

    /// Raises the traffic limit. A user without a limit keeps none.
    pub fn add_bytes(&mut self, bytes: i64, now: DateTime<Utc>) {
        self.limits.raise_data(bytes);
        self.update_status(now);
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::new()
    }
}
