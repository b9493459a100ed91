//! Limits of a user: how much traffic, how many connections and addresses the panel allows.

use crate::fault::FieldErrors;
use crate::patch::Patch;

/// A limit: at least 1. No limit is `Option::None`, never 0, because 0 blocks a user in one of the proxy's tables and means
/// no limit in another (docs/contract-telemt.md, trap 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limit(i64);

/// Why a limit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at least 1, or null for no limit")]
pub struct LimitError;

impl Limit {
    /// A stored number as a limit. A number below 1, which no version of this program stores, becomes 1, the tightest limit:
    /// a user who has it must not be served without any.
    pub const fn of_stored(value: i64) -> Self {
        if value >= 1 { Self(value) } else { Self(1) }
    }

    /// The number, 1 to `i64::MAX`.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// A higher limit; at most `i64::MAX`.
    const fn raised_by(self, more: i64) -> Self {
        Self::of_stored(self.0.saturating_add(more))
    }
}

impl TryFrom<i64> for Limit {
    type Error = LimitError;

    fn try_from(value: i64) -> Result<Self, Self::Error> {
        if value >= 1 { Ok(Self(value)) } else { Err(LimitError) }
    }
}

/// One value for each limit of a user: the limits themselves, or what is known of each, such as the number that a request
/// or the database holds. A new limit is added here and to [`Limits::map`], [`Limits::zip`] and [`Limits::named`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits<T = Option<Limit>> {
    /// Bytes of traffic, both directions.
    pub data: T,
    /// Connections at the same time.
    pub connections: T,
    /// IP addresses at the same time.
    pub addresses: T,
}

impl<T> Limits<T> {
    /// Converts each value.
    pub fn map<U>(self, mut convert: impl FnMut(T) -> U) -> Limits<U> {
        Limits { data: convert(self.data), connections: convert(self.connections), addresses: convert(self.addresses) }
    }

    /// Pairs each value with the one of `other`.
    pub fn zip<U>(self, other: Limits<U>) -> Limits<(T, U)> {
        Limits {
            data: (self.data, other.data),
            connections: (self.connections, other.connections),
            addresses: (self.addresses, other.addresses),
        }
    }

    /// Each value with the field's name in requests, answers, the audit log and the database.
    pub fn named(self) -> Limits<(&'static str, T)> {
        Limits {
            data: ("data_limit", self.data),
            connections: ("max_connections", self.connections),
            addresses: ("max_unique_ips", self.addresses),
        }
    }

    /// Calls `visit` for each value.
    pub fn each(self, visit: impl FnMut(T)) {
        self.map(visit);
    }
}

impl Limits {
    /// No limit at all.
    pub const NONE: Self = Self { data: None, connections: None, addresses: None };

    /// Limits as the database holds them. Those that are none become the tightest ([`Limit::of_stored`]).
    pub fn of_stored(stored: Limits<Option<i64>>) -> Self {
        stored.map(|value| value.map(Limit::of_stored))
    }

    /// The numbers to store or to show.
    pub fn numbers(self) -> Limits<Option<i64>> {
        self.map(|limit| limit.map(Limit::get))
    }

    /// Raises the traffic limit. Without a limit there stays none.
    pub fn raise_data(&mut self, bytes: i64) {
        self.data = self.data.map(|limit| limit.raised_by(bytes));
    }
}

impl Limits<Patch<i64>> {
    /// Checks the limits of a request; `errors` gets every one that is refused.
    pub fn parse(self, errors: &mut FieldErrors) -> Limits<Patch<Limit>> {
        self.named().map(|(field, patch)| errors.take(field, patch.try_map(Limit::try_from)).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_that_is_refused_is_named() {
        let mut errors = FieldErrors::default();
        let limits = Limits { data: Patch::Set(0), connections: Patch::Set(5), addresses: Patch::Set(-1) };
        let parsed = limits.parse(&mut errors);
        assert_eq!(parsed.connections, Patch::Set(Limit(5)));
        let fields: Vec<_> = errors.finish().unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["data_limit", "max_unique_ips"]);
    }

    #[test]
    fn a_stored_number_that_is_no_limit_is_the_tightest_and_never_no_limit() {
        let stored = Limits { data: Some(0), connections: Some(-7), addresses: None };
        let limits = Limits::of_stored(stored);
        assert_eq!(limits.numbers(), Limits { data: Some(1), connections: Some(1), addresses: None });
    }
}
