//! The metrics of each user: the families with one or more series per user.

/// The sum of all series of one family for one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reading {
    /// No such series.
    #[default]
    Absent,
    /// 0 to `i64::MAX`.
    Value(i64),
    /// Not a number, infinite, negative, with a fraction, or above `i64::MAX`, alone or in sum.
    Refused,
}

impl Reading {
    /// The number, if there is one.
    pub const fn value(self) -> Option<i64> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Refused => None,
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Absent, one) | (one, Self::Absent) => one,
            (Self::Value(a), Self::Value(b)) => a.checked_add(b).map_or(Self::Refused, Self::Value),
            (Self::Refused, _) | (_, Self::Refused) => Self::Refused,
        }
    }
}

/// A family with one or more series per user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    FromClient,
    FromClientOlder,
    ToClient,
    ToClientOlder,
    Connections,
    UniqueIps,
    UniqueIpsOlder,
}

impl Family {
    /// Every family; one whose name begins another's stands after it.
    pub(super) const ALL: [Self; 7] = [
        Self::FromClient,
        Self::FromClientOlder,
        Self::ToClient,
        Self::ToClientOlder,
        Self::Connections,
        Self::UniqueIps,
        Self::UniqueIpsOlder,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::FromClient => "telemt_user_octets_from_client_total",
            Self::FromClientOlder => "telemt_user_octets_from_client",
            Self::ToClient => "telemt_user_octets_to_client_total",
            Self::ToClientOlder => "telemt_user_octets_to_client",
            Self::Connections => "telemt_user_connections_current",
            Self::UniqueIps => "telemt_user_unique_ips_current",
            Self::UniqueIpsOlder => "telemt_user_unique_ips_active",
        }
    }

    /// Whether it counts bytes.
    pub(super) const fn is_octets(self) -> bool {
        matches!(self, Self::FromClient | Self::FromClientOlder | Self::ToClient | Self::ToClientOlder)
    }

    /// What follows this family's name in a line that continues with `line` after `telemt_user_`. Of a longer name that
    /// begins alike its rest is given, too, which does not open labels and is therefore about nobody.
    pub(super) fn after(self, line: &str) -> Option<&str> {
        match self {
            Self::FromClient => line.strip_prefix("octets_from_client_total"),
            Self::FromClientOlder => line.strip_prefix("octets_from_client"),
            Self::ToClient => line.strip_prefix("octets_to_client_total"),
            Self::ToClientOlder => line.strip_prefix("octets_to_client"),
            Self::Connections => line.strip_prefix("connections_current"),
            Self::UniqueIps => line.strip_prefix("unique_ips_current"),
            Self::UniqueIpsOlder => line.strip_prefix("unique_ips_active"),
        }
    }
}

/// The readings of one name at one scrape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserSeries {
    readings: [Reading; Family::ALL.len()],
}

impl UserSeries {
    /// Bytes from the client since the counter began (`telemt_user_octets_from_client_total`; telemt before 3.5.4 writes
    /// it without `_total`, which is read only where the first is missing).
    pub const fn from_client(&self) -> Reading {
        self.first_of(Family::FromClient, Family::FromClientOlder)
    }

    /// Bytes to the client since the counter began (`telemt_user_octets_to_client_total`, or the same without `_total`).
    pub const fn to_client(&self) -> Reading {
        self.first_of(Family::ToClient, Family::ToClientOlder)
    }

    /// Connections open now (`telemt_user_connections_current`).
    pub const fn connections(&self) -> Option<i64> {
        self.readings[Family::Connections as usize].value()
    }

    /// Addresses connected now (`telemt_user_unique_ips_current`; older proxies say `telemt_user_unique_ips_active`,
    /// which is read only where the first is missing).
    pub const fn unique_ips(&self) -> Option<i64> {
        self.first_of(Family::UniqueIps, Family::UniqueIpsOlder).value()
    }

    /// The sum so far of one family.
    pub(super) const fn reading_mut(&mut self, family: Family) -> &mut Reading {
        &mut self.readings[family as usize]
    }

    /// One figure under two names is never added up.
    const fn first_of(&self, newer: Family, older: Family) -> Reading {
        match self.readings[newer as usize] {
            Reading::Absent => self.readings[older as usize],
            found => found,
        }
    }
}
