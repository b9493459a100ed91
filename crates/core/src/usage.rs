//! From the proxy's counters to bytes used, each byte exactly once (docs/architecture.md, "Metering").
//!
//! The proxy's counters only grow, but they go back to zero in several ways (docs/contract-telemt.md, trap 4), and a scrape may miss a
//! name without saying anything about it. Everything that is needed to tell these cases apart is stored with the
//! totals: [`LastScrape`] once, a [`Meter`] per name. They move in the transaction that moves the totals, so a panel
//! that stops at any point neither loses nor repeats a byte.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::exposition::{Reading, Snapshot, UserSeries};
use crate::user::Username;

/// The first epoch: the life of the proxy's counters that the panel sees first.
const FIRST_EPOCH: i64 = 1;

/// Seconds by which two uptimes of one life may, by rounding alone, grow less than the time between them: each is
/// printed with one decimal, and instants are stored to the millisecond.
const ROUNDING: f64 = 0.2;

/// The last scrape that could be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LastScrape {
    /// The epoch: 1 for the first life of the proxy's counters, one more after each restart.
    pub epoch: i64,
    /// The proxy's uptime, in seconds.
    pub uptime: f64,
    /// When its answer had arrived, to the millisecond.
    pub answered_at: DateTime<Utc>,
}

/// The epoch of a scrape that was requested at `asked_at` and showed `uptime` seconds. It is the one of the last good scrape
/// unless the proxy has restarted since.
///
/// A smaller uptime is a restart for certain. Otherwise the surplus decides, `uptime` less the time from the last
/// answer to this request: it is at least the last uptime if the counters have lived on, and at most the latency of the
/// two requests if they began anew. Half the last uptime parts the two, so it takes an error of as much in the measured
/// time to be wrong either way: a clock set right by an hour harms only if the last uptime was under two hours.
///
/// Just after a start half the uptime is little. Latency can only raise the surplus, so even then nothing is counted
/// twice. A second start within that latency may be missed, and hides, at most, the traffic of the moments before it.
///
/// Within one boot of the machine [`epoch_since`] measures the time by monotonic clocks, so that no step of the clock matters.
pub fn epoch_of(last: Option<&LastScrape>, asked_at: DateTime<Utc>, uptime: f64) -> i64 {
    let Some(last) = last else { return FIRST_EPOCH };
    let elapsed = (asked_at - last.answered_at).as_seconds_f64();
    let threshold = (last.uptime / 2.0).min(last.uptime - ROUNDING);
    let restarted = uptime < last.uptime || uptime - elapsed < threshold;
    if restarted { last.epoch.saturating_add(1) } else { last.epoch }
}

/// Readings of the machine's monotonic clocks, which nobody can set.
#[derive(Debug, Clone, PartialEq)]
pub struct Clocks {
    /// Identifies the boot of the machine: readings of two boots cannot be compared.
    pub boot: String,
    /// Seconds, also those for which the machine was suspended.
    pub real: f64,
    /// Seconds for which the machine was running.
    pub running: f64,
}

/// Time between two readings of [`Clocks`], seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passed {
    /// With the time for which the machine was suspended.
    pub real: f64,
    /// Without it.
    pub running: f64,
}

impl Clocks {
    /// The time since `earlier`; `None` if the two cannot be compared.
    pub fn since(&self, earlier: &Self) -> Option<Passed> {
        let passed = Passed { real: self.real - earlier.real, running: self.running - earlier.running };
        let is_comparable = self.boot == earlier.boot && passed.real >= 0.0 && passed.running >= 0.0;
        is_comparable.then_some(passed)
    }
}

/// Seconds that two requests to the proxy may take together.
const LATENCIES: f64 = 20.0;

/// As [`epoch_of`], for a scrape that was requested when so much time had `passed` since the last answer.
///
/// The uptime of a proxy may or may not count the time for which its machine, which may be the panel's, was suspended. So
/// after a suspension the counters have lived on if the uptime has grown by either. To take the longer time alone would count
/// everything twice for a proxy that does not count suspensions, and to take the shorter alone would miss a restart of one
/// that does.
pub fn epoch_since(last: &LastScrape, passed: Passed, uptime: f64) -> i64 {
    let after = |seconds: f64| {
        #[allow(clippy::cast_possible_truncation, reason = "milliseconds since the machine's start")]
        let passed = TimeDelta::try_milliseconds((seconds * 1_000.0) as i64).unwrap_or(TimeDelta::MAX);
        last.answered_at.checked_add_signed(passed).unwrap_or(DateTime::<Utc>::MAX_UTC)
    };
    let growth = uptime - last.uptime - passed.running;
    let grew_while_running = uptime >= last.uptime && (-ROUNDING..=LATENCIES).contains(&growth);
    if grew_while_running { last.epoch } else { epoch_of(Some(last), after(passed.real), uptime) }
}

/// Bytes in both directions, never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes that the client sent (`octets_from`).
    pub from_client: i64,
    /// Bytes that the client received (`octets_to`).
    pub to_client: i64,
}

impl Counters {
    /// No bytes.
    pub const ZERO: Self = Self { from_client: 0, to_client: 0 };

    /// Both directions together, at most `i64::MAX`.
    pub const fn total(self) -> i64 {
        self.from_client.saturating_add(self.to_client)
    }

    /// The sum in each direction, at most `i64::MAX`.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self {
            from_client: self.from_client.saturating_add(other.from_client),
            to_client: self.to_client.saturating_add(other.to_client),
        }
    }

    /// What is left in each direction, at least 0.
    const fn above(self, baseline: Self) -> Self {
        Self {
            from_client: or_zero(self.from_client.saturating_sub(baseline.from_client)),
            to_client: or_zero(self.to_client.saturating_sub(baseline.to_client)),
        }
    }
}

const fn or_zero(bytes: i64) -> i64 {
    if bytes > 0 { bytes } else { 0 }
}

/// The reading of one name's bytes at a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// The counters. One direction may be missing: nothing is said of it then, so it stands where it stood in this
    /// life of the counters, and at 0 if the other direction shows that a new life has begun.
    Series {
        /// Bytes from the client.
        from_client: Option<i64>,
        /// Bytes to the client.
        to_client: Option<i64>,
    },
    /// The proxy has forgotten the name; its counters will begin at 0.
    Absent,
    /// Nothing can be concluded.
    Unknown,
}

impl Observation {
    /// What is said of a name whose series are `series`, where `tells_absence` is [`Snapshot::tells_absence`]. An
    /// impossible reading in either direction makes both unknown: they are one entry of the proxy.
    pub const fn new(series: Option<&UserSeries>, tells_absence: bool) -> Self {
        let (from_client, to_client) = match series {
            Some(series) => (series.from_client(), series.to_client()),
            None => (Reading::Absent, Reading::Absent),
        };
        match (from_client, to_client) {
            (Reading::Absent, Reading::Absent) if tells_absence => Self::Absent,
            (Reading::Absent, Reading::Absent) | (Reading::Refused, _) | (_, Reading::Refused) => Self::Unknown,
            (from_client, to_client) => Self::Series { from_client: from_client.value(), to_client: to_client.value() },
        }
    }
}

/// The account of one name (table `usage_meters`). It outlives the user, because the proxy's counters do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meter {
    /// The counters that were last accounted for.
    pub last: Counters,
    /// The epoch in which `last` was read; 0 for a name never seen.
    pub epoch: i64,
    /// The lifetime total, at most `i64::MAX` in each direction.
    pub lifetime: Counters,
}

impl Meter {
    /// The meter after a scrape, and the bytes that it adds.
    ///
    /// Counters read in another life begin at 0. So do both if either is below what it was: the proxy keeps them in one
    /// entry, which it dropped and made anew.
    #[must_use]
    pub fn advance(self, epoch: i64, observation: Observation) -> (Self, Counters) {
        match observation {
            Observation::Absent if self.epoch == epoch => (Self { last: Counters::ZERO, ..self }, Counters::ZERO),
            // In a new life `last` counts for nothing already.
            Observation::Absent | Observation::Unknown => (self, Counters::ZERO),
            Observation::Series { from_client, to_client } => {
                let baseline = self.baseline(epoch, from_client, to_client);
                let now = Counters {
                    from_client: from_client.unwrap_or(baseline.from_client),
                    to_client: to_client.unwrap_or(baseline.to_client),
                };
                let delta = now.above(baseline);
                (Self { last: now, epoch, lifetime: self.lifetime.saturating_add(delta) }, delta)
            }
        }
    }

    fn baseline(&self, epoch: i64, from_client: Option<i64>, to_client: Option<i64>) -> Counters {
        let fell = from_client.is_some_and(|bytes| bytes < self.last.from_client)
            || to_client.is_some_and(|bytes| bytes < self.last.to_client);
        if self.epoch != epoch || fell { Counters::ZERO } else { self.last }
    }
}

/// Connections and addresses of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Presence {
    /// Open connections.
    pub connections: i64,
    /// Connected IP addresses.
    pub unique_ips: i64,
}

impl Presence {
    /// What `series` shows, and in the place of what it does not show, what is said in `otherwise`.
    fn shown(series: &UserSeries, otherwise: Self) -> Self {
        Self {
            connections: series.connections().unwrap_or(otherwise.connections),
            unique_ips: series.unique_ips().unwrap_or(otherwise.unique_ips),
        }
    }
}

/// What is stored of one name. Names that differ in case are different, as they are for the proxy's counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// Bytes.
    pub meter: Meter,
    /// The rest, as of the last scrape.
    pub presence: Presence,
}

impl Account {
    /// The account after a scrape that shows `series` of the name. What it does not show is 0, unless it leaves out some
    /// names: then the last reading stays.
    fn advance(self, epoch: i64, series: Option<&UserSeries>, tells_absence: bool) -> Advanced {
        let observation = Observation::new(series, tells_absence);
        let (meter, delta) = self.meter.advance(epoch, observation);
        let otherwise = if tells_absence { Presence::default() } else { self.presence };
        let presence = series.map_or(otherwise, |series| Presence::shown(series, otherwise));
        let account = Self { meter, presence };
        Advanced { account, delta, is_told: observation != Observation::Unknown, is_changed: account != self }
    }
}

/// An account after a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advanced {
    /// What is to be stored.
    pub account: Account,
    /// The bytes to add to the history.
    pub delta: Counters,
    /// Whether the scrape says anything of the name's bytes, also if it says that there are none.
    pub is_told: bool,
    /// Whether it is not what was stored; so it may be without bytes (a restart, a forgotten name).
    pub is_changed: bool,
}

/// All accounts that are `stored`, in their order, and then those of names never seen before, after a scrape. Names that
/// no user can have get none, nor does a new one that shows neither counters nor anybody connected. `epoch` is that of
/// [`epoch_of`].
pub fn account(snapshot: &Snapshot, stored: Vec<(String, Account)>, epoch: i64) -> Vec<(String, Advanced)> {
    let tells_absence = snapshot.tells_absence();
    let advance = |before: Account, series| before.advance(epoch, series, tells_absence);
    let mut seen = 0;
    let stored = stored.into_iter().map(|(name, before)| {
        let series = snapshot.users.get(&name);
        seen += usize::from(series.is_some());
        (name, advance(before, series))
    });
    let mut accounts: Vec<_> = stored.collect();
    if seen < snapshot.users.len() {
        let known: HashSet<&str> = accounts.iter().map(|(name, _)| name.as_str()).collect();
        let unknown = snapshot.users.iter().filter(|(name, _)| !known.contains(name.as_str()));
        let new = unknown.map(|(name, series)| (name, advance(Account::default(), Some(series))));
        let new = new.filter(|(name, after)| after.is_changed && name.parse::<Username>().is_ok());
        let new: Vec<_> = new.map(|(name, after)| (name.clone(), after)).collect();
        accounts.extend(new);
    }
    accounts
}

/// A user's usage as stored in their row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The name's lifetime total when the usage was 0. `None` as long as connections of an earlier user of the name may still
    /// be open: their bytes must not count for this user.
    pub base: Option<i64>,
    /// Bytes since then, both directions.
    pub data_used: i64,
}

impl Usage {
    /// The usage after a scrape. `lifetime_total` is what the name's meter stands at then ([`Counters::total`] of
    /// [`Meter::lifetime`]); `None` if the scrape does not touch it, and nothing follows.
    ///
    /// A user without a base gets it here once `old_connections_ended`: they are cut, and the scrape tells of the name, so it
    /// has counted their last byte. The user's own traffic begins then.
    #[must_use]
    pub fn settle(self, lifetime_total: Option<i64>, old_connections_ended: bool) -> Self {
        let Some(lifetime_total) = lifetime_total else { return self };
        let base = self.base.or_else(|| old_connections_ended.then_some(lifetime_total));
        let data_used = base.map_or(0, |base| or_zero(lifetime_total.saturating_sub(base)));
        Self { base, data_used }
    }
}

#[cfg(test)]
mod simulation_tests;
#[cfg(test)]
mod suspension_tests;
#[cfg(test)]
mod tests;
