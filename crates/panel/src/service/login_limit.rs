//! Limits on failed logins, by address and by account, before any hashing and in bounded memory (design section 9).

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;

/// Failures that are let through in one window (design section 13, "Security").
const FAILURES: u32 = 10;
const WINDOW: TimeDelta = TimeDelta::minutes(5);
/// Failures under unknown names that are written down in one window: whoever has many addresses could fill the disk.
const NOTED: u32 = 100;
/// Addresses and accounts that are remembered at once.
const CAPACITY: u64 = 50_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Account(String),
    /// All those under unknown names.
    Strangers,
}

#[derive(Debug, Clone)]
struct Window {
    ends: DateTime<Utc>,
    failures: Arc<AtomicU32>,
}

/// Counts failed logins.
#[derive(Debug)]
pub struct LoginLimit(Cache<Key, Window>);

impl Default for LoginLimit {
    fn default() -> Self {
        // A window that has ended is begun again when it is asked for; those that nobody asks for go after a while.
        Self(Cache::builder().max_capacity(CAPACITY).time_to_idle(2 * WINDOW.to_std().unwrap_or_default()).build())
    }
}

/// A login that was let through. It counts as a failure until it is told to have succeeded, so that logins at the same
/// time cannot slip past the limit together.
#[derive(Debug)]
pub struct Attempt([Window; 2]);

impl Attempt {
    /// The login was right: it does not count.
    pub fn succeeded(self) {
        for window in self.0 {
            window.failures.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl LoginLimit {
    /// Lets a login through, or tells for how many seconds it is refused.
    pub fn begin(&self, address: Option<IpAddr>, account: &str, now: DateTime<Utc>) -> Result<Attempt, u64> {
        let address = Key::Address(network(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))));
        let account = Key::Account(account.chars().take(64).collect::<String>().to_lowercase());
        let windows = [self.window(address, now), self.window(account, now)];
        let taken = windows.each_ref().map(|window| window.failures.fetch_add(1, Ordering::Relaxed));
        if taken.iter().all(|failures| *failures < FAILURES) {
            return Ok(Attempt(windows));
        }
        for window in &windows {
            window.failures.fetch_sub(1, Ordering::Relaxed);
        }
        let waits = windows.iter().zip(taken).filter(|(_, failures)| *failures >= FAILURES);
        let longest = waits.map(|(window, _)| window.ends - now).max().unwrap_or(WINDOW);
        Err(longest.num_seconds().max(1).unsigned_abs())
    }

    /// Whether a failure under a name that nobody has is still to be written down.
    pub fn notes_stranger(&self, now: DateTime<Utc>) -> bool {
        self.window(Key::Strangers, now).failures.fetch_add(1, Ordering::Relaxed) < NOTED
    }

    fn window(&self, key: Key, now: DateTime<Utc>) -> Window {
        let fresh = || Window { ends: now + WINDOW, failures: Arc::default() };
        let has_ended = |window: &Window| window.ends <= now;
        self.0.entry(key).or_insert_with_if(fresh, has_ended).into_value()
    }
}

/// An IPv6 client owns a whole /64, so that is what counts as its address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as `begin` takes it")]
    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_eleventh_failure_of_an_address_is_refused_whatever_the_account() {
        let limit = LoginLimit::default();
        for n in 0..10 {
            assert!(limit.begin(address(1), &format!("name{n}"), at(0)).is_ok());
        }
        assert_eq!(limit.begin(address(1), "other", at(60)).unwrap_err(), 240);
        assert!(limit.begin(address(2), "other", at(60)).is_ok());
    }

    #[test]
    fn the_eleventh_failure_of_an_account_is_refused_whatever_the_address() {
        let limit = LoginLimit::default();
        for n in 0..10 {
            assert!(limit.begin(address(n), "Root", at(0)).is_ok());
        }
        assert!(limit.begin(address(99), "root", at(0)).is_err());
    }

    #[test]
    fn the_door_opens_again_after_five_minutes() {
        let limit = LoginLimit::default();
        for _ in 0..10 {
            assert!(limit.begin(address(1), "root", at(0)).is_ok());
        }
        assert_eq!(limit.begin(address(1), "root", at(299)).unwrap_err(), 1);
        assert!(limit.begin(address(1), "root", at(300)).is_ok());
    }

    #[test]
    fn a_success_does_not_count() {
        let limit = LoginLimit::default();
        for _ in 0..50 {
            limit.begin(address(1), "root", at(0)).unwrap().succeeded();
        }
    }

    #[test]
    fn strangers_are_written_down_up_to_a_number() {
        let limit = LoginLimit::default();
        assert_eq!((0..1_000).filter(|_| limit.notes_stranger(at(0))).count(), 100);
        assert!(limit.notes_stranger(at(300)));
    }

    #[test]
    fn an_ipv6_client_cannot_hop_within_its_network() {
        let a = network("2001:db8::1".parse().unwrap());
        assert_eq!(a, network("2001:db8::ffff".parse().unwrap()));
        assert_ne!(a, network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), network("192.0.2.1".parse().unwrap()));
    }
}
