//! Limits on failed logins, by address and by account, before any hashing and in bounded memory (design section 9).

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache;

/// Failures that are let through in one window (design section 13, "Security").
const FAILURES: u32 = 10;
const WINDOW: Duration = Duration::from_mins(5);
/// Addresses and accounts that are remembered at once.
const CAPACITY: u64 = 50_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Account(String),
}

#[derive(Debug, Clone)]
struct Window {
    began: Instant,
    failures: Arc<AtomicU32>,
}

/// Counts failed logins.
#[derive(Debug)]
pub struct LoginLimit(Cache<Key, Window>);

impl Default for LoginLimit {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(CAPACITY).time_to_live(WINDOW).build())
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
    pub fn begin(&self, address: Option<IpAddr>, account: &str) -> Result<Attempt, u64> {
        let address = Key::Address(network(address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED))));
        let account = Key::Account(account.chars().take(64).collect::<String>().to_lowercase());
        let windows = [self.window(address), self.window(account)];
        let taken = windows.each_ref().map(|window| window.failures.fetch_add(1, Ordering::Relaxed));
        if taken.iter().all(|failures| *failures < FAILURES) {
            return Ok(Attempt(windows));
        }
        for window in &windows {
            window.failures.fetch_sub(1, Ordering::Relaxed);
        }
        let waits = windows.iter().zip(taken).filter(|(_, failures)| *failures >= FAILURES);
        let longest = waits.map(|(window, _)| WINDOW.saturating_sub(window.began.elapsed())).max();
        Err(longest.unwrap_or(WINDOW).as_secs().max(1))
    }

    fn window(&self, key: Key) -> Window {
        self.0.get_with(key, || Window { began: Instant::now(), failures: Arc::default() })
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

    #[test]
    fn the_eleventh_failure_of_an_address_is_refused_whatever_the_account() {
        let limit = LoginLimit::default();
        for n in 0..10 {
            assert!(limit.begin(address(1), &format!("name{n}")).is_ok());
        }
        assert!(limit.begin(address(1), "other").is_err_and(|wait| (1..=300).contains(&wait)));
        assert!(limit.begin(address(2), "other").is_ok());
    }

    #[test]
    fn the_eleventh_failure_of_an_account_is_refused_whatever_the_address() {
        let limit = LoginLimit::default();
        for n in 0..10 {
            assert!(limit.begin(address(n), "Root").is_ok());
        }
        assert!(limit.begin(address(99), "root").is_err());
    }

    #[test]
    fn a_success_does_not_count() {
        let limit = LoginLimit::default();
        for _ in 0..50 {
            limit.begin(address(1), "root").unwrap().succeeded();
        }
    }

    #[test]
    fn an_ipv6_client_cannot_hop_within_its_network() {
        let a = network("2001:db8::1".parse().unwrap());
        assert_eq!(a, network("2001:db8::ffff".parse().unwrap()));
        assert_ne!(a, network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), network("192.0.2.1".parse().unwrap()));
    }
}
