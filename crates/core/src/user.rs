//! A proxy user: validated names, secrets and limits, and the rule that gives him his status.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveTime, TimeDelta, Utc};

/// Name under which the file holds a disabled entry when nobody else may be served, because the proxy never accepts an
/// empty user table (contract, trap 1). No user can have it.
pub const PLACEHOLDER: &str = "mtpannel-placeholder";

/// Prefix that the proxy reads as an upstream scope (contract, trap 8).
const SCOPE_PREFIX: &str = "scope_";

/// Longest note, in characters.
pub const NOTE_MAX: usize = 1_000;

/// A name of a proxy user or an administrator: 3 to 32 of `[A-Za-z0-9_.-]`, stored as it was written, compared without
/// case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Username(String);

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Too short or too long.
    #[error("must have 3 to 32 characters")]
    Length,
    /// A character outside the rule.
    #[error("may hold only Latin letters, digits, '_', '.' and '-'")]
    Character,
    /// A name with a meaning of its own.
    #[error("is reserved; names may not start with 'scope_' nor be '{PLACEHOLDER}'")]
    Reserved,
}

impl Username {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if !(3..=32).contains(&name.chars().count()) {
            return Err(UsernameError::Length);
        }
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
            return Err(UsernameError::Character);
        }
        let folded = name.to_ascii_lowercase();
        if folded.starts_with(SCOPE_PREFIX) || folded == PLACEHOLDER {
            return Err(UsernameError::Reserved);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user's secret: 16 bytes, written as 32 lower-case hex digits. It does not print.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Secret([u8; 16]);

/// Why a secret is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 hex digits")]
pub struct SecretError;

impl Secret {
    /// Takes 16 bytes, which the caller drew from the system's random source.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 32 lower-case hex digits: for the file, the link and the database, never for a log.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl FromStr for Secret {
    type Err = SecretError;

    fn from_str(digits: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| SecretError)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A limit: at least 1. No limit is `Option::None`, never 0, because 0 blocks a user in one of the proxy's tables and
/// frees him in another (contract, traps 5 and the table of `[access]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limit(i64);

/// Why a limit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at least 1, or null for no limit")]
pub struct LimitError;

impl Limit {
    /// A stored number as a limit. One below 1, which no version of this program stores, becomes the tightest limit: whoever
    /// has it must not be served without any.
    pub const fn of_stored(value: i64) -> Self {
        if value >= 1 { Self(value) } else { Self(1) }
    }

    /// The number, 1 to `i64::MAX`.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Limit {
    type Error = LimitError;

    fn try_from(value: i64) -> Result<Self, Self::Error> {
        if value >= 1 { Ok(Self(value)) } else { Err(LimitError) }
    }
}

/// What a user may do at the moment. Stored for filtering; the truth is [`Standing::status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Served.
    Active,
    /// Switched off by an administrator.
    Disabled,
    /// His traffic has reached his limit.
    Limited,
    /// His time is over.
    Expired,
}

impl Status {
    /// Every status, in the order in which the interface shows them.
    pub const ALL: [Self; 4] = [Self::Active, Self::Disabled, Self::Limited, Self::Expired];

    /// The word of specification section 3.2.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Limited => "limited",
            Self::Expired => "expired",
        }
    }
}

impl FromStr for Status {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or(UnknownWord)
    }
}

/// Lets stored text become the type again.
macro_rules! try_from_string {
    ($($name:ty),+) => {
        $(impl TryFrom<String> for $name {
            type Error = <$name as FromStr>::Err;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        })+
    };
}

try_from_string!(Username, Secret, Status, ResetStrategy);

/// A word that names none of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not one of the known words")]
pub struct UnknownWord;

/// What a user's status depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// An administrator switched him off.
    pub disabled: bool,
    /// End of his time; he is out from this very second on.
    pub expire_at: Option<DateTime<Utc>>,
    /// Bytes he may move.
    pub data_limit: Option<Limit>,
    /// Bytes he has moved since the last reset.
    pub data_used: i64,
}

impl Standing {
    /// The status at `now`: disabled, else expired, else limited, else active (design section 5).
    pub fn status(&self, now: DateTime<Utc>) -> Status {
        if self.disabled {
            Status::Disabled
        } else if self.expire_at.is_some_and(|end| end <= now) {
            Status::Expired
        } else if self.data_limit.is_some_and(|limit| self.data_used >= limit.get()) {
            Status::Limited
        } else {
            Status::Active
        }
    }
}

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
    #[case("abc")]
    #[case("include")]
    #[case("a.b-c_D9")]
    #[case("abcdefghijklmnopqrstuvwxyz012345")]
    fn names_within_the_rule_are_kept_as_written(#[case] name: &str) {
        assert_eq!(name.parse::<Username>().unwrap().as_str(), name);
    }

    #[rstest]
    #[case("ab", UsernameError::Length)]
    #[case("abcdefghijklmnopqrstuvwxyz0123456", UsernameError::Length)]
    #[case("", UsernameError::Length)]
    #[case("алиса", UsernameError::Character)]
    #[case("a b", UsernameError::Character)]
    #[case("a\"b", UsernameError::Character)]
    #[case("abc\n", UsernameError::Character)]
    #[case("scope_x", UsernameError::Reserved)]
    #[case("SCOPE_x", UsernameError::Reserved)]
    #[case(PLACEHOLDER, UsernameError::Reserved)]
    #[case("Mtpannel-Placeholder", UsernameError::Reserved)]
    fn names_outside_the_rule_are_refused(#[case] name: &str, #[case] reason: UsernameError) {
        assert_eq!(name.parse::<Username>(), Err(reason));
    }

    #[test]
    fn a_secret_round_trips_in_lower_case_and_does_not_print() {
        let secret: Secret = "00112233445566778899AABBCCDDEEFF".parse().unwrap();
        assert_eq!(secret.to_hex(), "00112233445566778899aabbccddeeff");
        assert!(!format!("{secret:?}").contains("0011"));
        assert!("00".parse::<Secret>().is_err());
        assert!("zz112233445566778899aabbccddeeff".parse::<Secret>().is_err());
    }

    #[rstest]
    #[case(false, None, None, i64::MAX, Status::Active)]
    #[case(true, Some("2026-01-01T00:00:00Z"), Some(1), 5, Status::Disabled)]
    #[case(false, Some("2026-05-05T12:00:00Z"), Some(1), 5, Status::Expired)]
    #[case(false, Some("2026-05-05T12:00:01Z"), Some(5), 5, Status::Limited)]
    #[case(false, Some("2026-05-05T12:00:01Z"), Some(6), 5, Status::Active)]
    fn disabled_goes_before_expired_before_limited(
        #[case] disabled: bool,
        #[case] expire_at: Option<&str>,
        #[case] limit: Option<i64>,
        #[case] data_used: i64,
        #[case] expected: Status,
    ) {
        let standing = Standing {
            disabled,
            expire_at: expire_at.map(at),
            data_limit: limit.map(|limit| Limit::try_from(limit).unwrap()),
            data_used,
        };
        assert_eq!(standing.status(at("2026-05-05T12:00:00Z")), expected);
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

    #[test]
    fn words_round_trip() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for strategy in ResetStrategy::ALL {
            assert_eq!(strategy.as_str().parse(), Ok(strategy));
        }
        assert_eq!("Active".parse::<Status>(), Err(UnknownWord));
    }
}
