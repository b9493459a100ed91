//! Finds counters that accounting needs and that a text lacks although it shows that there is traffic. They are not zero but
//! unknown, so nothing may be counted.

use super::series::Family;

/// Families that the proxy writes for every user who has counters, besides those that are read. telemt from 3.5.4 on
/// adds `_total` to some of them.
const OTHERS: [&str; 3] =
    ["telemt_user_connections_total", "telemt_user_msgs_from_client", "telemt_user_msgs_to_client"];

/// How the name of every metric about users begins.
const PREFIX: &str = "telemt_user_";

/// Why the traffic of users cannot be counted from a text that is well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Gap {
    /// The operator has switched the counters of users off (`telemt_telemetry_user_enabled` is 0).
    #[error(
        "the proxy's counters of users are switched off, so traffic cannot be counted: set general.telemetry.user_enabled = true in config.toml"
    )]
    SwitchedOff,
    /// Users have counters, but one that is needed is not among them: the proxy may have a new name for it.
    #[error(
        "the proxy shows {shown} and no {missing}, so traffic cannot be counted: use a version of the proxy that this panel was checked with ({}), or a newer panel",
        super::version::checked()
    )]
    Missing {
        /// Name of the metric that is missing.
        missing: &'static str,
        /// Name of a metric which proves that users have counters.
        shown: &'static str,
    },
}

/// Which families a text has shown.
#[derive(Debug, Default)]
pub(super) struct Shown {
    families: [bool; Family::ALL.len()],
    other: Option<&'static str>,
    /// The proxy says that it shows the counters of somebody.
    pub(super) has_counters: bool,
    /// The proxy says that it shows the counters of nobody, because it was told so.
    pub(super) is_switched_off: bool,
}

impl Shown {
    /// There is a sample of this family about a user.
    pub(super) const fn family(&mut self, family: Family) {
        self.families[family as usize] = true;
    }

    /// A line of a family that is not read continues with `name` after `telemt_user_`.
    pub(super) fn other_family(&mut self, name: &str) {
        if self.other.is_none() {
            self.other = OTHERS.into_iter().find(|other| {
                let rest = name.strip_prefix(&other[PREFIX.len()..]);
                let rest = rest.map(|rest| rest.strip_prefix("_total").unwrap_or(rest));
                rest.is_some_and(|rest| rest.trim_ascii_start().starts_with('{'))
            });
        }
    }

    fn has(&self, family: Family) -> bool {
        self.families[family as usize]
    }

    /// What is missing. A proxy to which nobody has connected yet shows no counter of anybody, and nothing is missing.
    ///
    /// `telemt_user_unique_ips_*` prove nothing: the proxy shows them for all users of the file. Neither do connections of
    /// the whole proxy: any of them may be a visitor's who is not identified yet.
    pub(super) fn gap(&self) -> Option<Gap> {
        if self.is_switched_off {
            return Some(Gap::SwitchedOff);
        }
        let shown = self.proof()?;
        let needed = [
            (Family::FromClient, Family::FromClientOlder),
            (Family::ToClient, Family::ToClientOlder),
            (Family::Connections, Family::Connections),
        ];
        let missing = needed.into_iter().find(|(newer, older)| !self.has(*newer) && !self.has(*older));
        missing.map(|(family, _)| Gap::Missing { missing: family.name(), shown })
    }

    /// The metric which proves that users have counters.
    fn proof(&self) -> Option<&'static str> {
        let read = Family::ALL.into_iter().filter(|family| family.is_octets() || *family == Family::Connections);
        let read = read.filter(|family| self.has(*family)).map(Family::name).next();
        read.or(self.other).or_else(|| self.has_counters.then_some("telemt_telemetry_user_series_users"))
    }
}
