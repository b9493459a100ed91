//! Limits on wrong passwords, in bounded memory.
//!
//! A login is counted in a lane. Administrators who have logged in before, from the same network or the same browser, are in
//! a lane that others cannot fill from elsewhere. Only wrong passwords count. A login under way takes one attempt of its
//! lane; when none is left, others wait for its end, so that logins at the same time cannot exceed the limit together, and
//! right ones are not refused.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use moka::sync::Cache;
use tokio::sync::Notify;

/// Wrong passwords of one network or one known browser in one window.
const FAILURES: u32 = 10;
/// Wrong passwords for one account from all networks that it does not know, in one window.
const ACCOUNT_FAILURES: u32 = 100;
const WINDOW: TimeDelta = TimeDelta::minutes(5);
/// Failures of unknown clients that are recorded in one window: a client with many addresses could fill the disk.
const NOTED: u32 = 100;
/// Most networks, browsers and accounts that are counted at once.
const CAPACITY: u64 = 50_000;
/// Longest wait for other logins of the same lane.
const PATIENCE: Duration = Duration::from_secs(2);

/// In which lane a login is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lane {
    /// A browser in which this administrator has logged in before.
    Device {
        /// The browser.
        device: String,
        /// The administrator's row id.
        admin_id: i64,
    },
    /// A network from which this administrator has logged in before.
    KnownNetwork(Option<IpAddr>),
    /// Everything else.
    Unknown {
        /// Address of the client.
        address: Option<IpAddr>,
        /// The name that was typed.
        account: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Device(String, i64),
    Network(IpNet),
    Account(String),
    /// Logins from this network that were refused without a comparison.
    Refused(IpNet),
    /// All failures of unknown clients that may be recorded.
    UnknownClients,
}

impl Lane {
    /// What the lane counts, with the bound of each.
    fn keys(&self) -> Vec<(Key, u32)> {
        match self {
            Self::Device { device, admin_id } => vec![(Key::Device(device.clone(), *admin_id), FAILURES)],
            Self::KnownNetwork(address) => vec![(Key::Network(network(*address)), FAILURES)],
            Self::Unknown { address, account } => {
                let account = account.chars().take(64).collect::<String>().to_ascii_lowercase();
                let mut keys = vec![(Key::Network(network(*address)), FAILURES)];
                keys.extend(site(*address).map(|site| (Key::Network(site), FAILURES)));
                keys.push((Key::Account(account), ACCOUNT_FAILURES));
                keys
            }
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    failures: u32,
    under_way: u32,
}

#[derive(Debug, Clone)]
struct Window {
    ends: DateTime<Utc>,
    counts: Arc<Mutex<Counts>>,
}

impl Window {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, now: DateTime<Utc>) -> u64 {
        (self.ends - now).num_seconds().max(1).unsigned_abs()
    }
}

/// Counts failed logins.
#[derive(Debug)]
pub struct LoginLimit {
    windows: Cache<Key, Window>,
    /// Held while a login takes its attempts in several windows, so that no other login sees half of that.
    taking: Mutex<()>,
    /// Notified whenever a login ends.
    ended: Arc<Notify>,
}

impl Default for LoginLimit {
    fn default() -> Self {
        // A window that has ended starts again when it is used; one that is not used is dropped after a while.
        let idle = 2 * WINDOW.to_std().unwrap_or_default();
        let windows = Cache::builder().max_capacity(CAPACITY).time_to_idle(idle).build();
        Self { windows, taking: Mutex::default(), ended: Arc::default() }
    }
}

/// Why a login may not be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There were too many wrong passwords; seconds until the window ends.
    Closed(u64),
    /// Too many logins of the lane are under way.
    Busy,
}

/// A login under way. Dropping it gives its attempts back, and nothing is counted.
#[derive(Debug)]
pub struct Attempt {
    held: Vec<(Key, Window)>,
    ended: Arc<Notify>,
}

impl Attempt {
    /// The password was wrong: it counts.
    pub fn failed(self, limit: &LoginLimit, now: DateTime<Utc>) {
        for (key, _) in &self.held {
            // The window in which it began may have ended.
            let window = limit.window(key.clone(), now);
            let mut counts = window.counts();
            counts.failures = counts.failures.saturating_add(1);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        for (_, window) in &self.held {
            window.counts().under_way -= 1;
        }
        self.ended.notify_waiters();
    }
}

impl LoginLimit {
    /// Seconds for which nothing from this network is compared, if that is so; logins of a known browser may be.
    pub fn closed(&self, address: Option<IpAddr>, now: DateTime<Utc>) -> Option<u64> {
        let window = self.windows.get(&Key::Network(network(address))).filter(|window| window.ends > now)?;
        (window.counts().failures >= FAILURES).then(|| window.wait(now))
    }

    /// Takes an attempt for a login; waits as long as others that are under way decide whether one is left.
    pub async fn begin(&self, lane: &Lane, now: DateTime<Utc>) -> Result<Attempt, Refusal> {
        let keys = lane.keys();
        let begun = async {
            loop {
                let ended = self.ended.notified();
                tokio::pin!(ended);
                ended.as_mut().enable();
                match self.take(&keys, now) {
                    Err(Refusal::Busy) => ended.await,
                    decided => return decided,
                }
            }
        };
        tokio::time::timeout(PATIENCE, begun).await.unwrap_or(Err(Refusal::Busy))
    }

    fn take(&self, keys: &[(Key, u32)], now: DateTime<Utc>) -> Result<Attempt, Refusal> {
        let _taking = self.taking.lock().unwrap_or_else(PoisonError::into_inner);
        let held: Vec<_> = keys.iter().map(|(key, _)| (key.clone(), self.window(key.clone(), now))).collect();
        let bounded = || held.iter().map(|(_, window)| window).zip(keys.iter().map(|(_, bound)| *bound));
        let closed = bounded().filter(|(window, bound)| window.counts().failures >= *bound);
        if let Some(wait) = closed.map(|(window, _)| window.wait(now)).max() {
            return Err(Refusal::Closed(wait));
        }
        let is_full = |(window, bound): (&Window, u32)| {
            let counts = window.counts();
            counts.failures + counts.under_way >= bound
        };
        if bounded().any(is_full) {
            return Err(Refusal::Busy);
        }
        for (_, window) in &held {
            window.counts().under_way += 1;
        }
        Ok(Attempt { held, ended: Arc::clone(&self.ended) })
    }

    /// Counts a failure of an unknown client, and returns whether it may still be recorded in the audit log.
    pub fn may_record_unknown(&self, now: DateTime<Utc>) -> bool {
        self.count(Key::UnknownClients, now) <= NOTED
    }

    /// How many logins from this network were refused in this window, if that is to be recorded: the first, the tenth,
    /// the hundredth and so on.
    pub fn notes_refused(&self, address: Option<IpAddr>, now: DateTime<Utc>) -> Option<u32> {
        let refused = self.count(Key::Refused(network(address)), now);
        let is_power_of_ten = 10_u32.checked_pow(refused.checked_ilog10()?) == Some(refused);
        (is_power_of_ten && self.may_record_unknown(now)).then_some(refused)
    }

    fn count(&self, key: Key, now: DateTime<Utc>) -> u32 {
        let window = self.window(key, now);
        let mut counts = window.counts();
        counts.failures = counts.failures.saturating_add(1);
        counts.failures
    }

    fn window(&self, key: Key, now: DateTime<Utc>) -> Window {
        let fresh = || Window { ends: now + WINDOW, counts: Arc::default() };
        // A window of the future was begun by a clock that was wrong.
        let has_ended = |window: &Window| window.ends <= now || window.ends > now + WINDOW;
        self.windows.entry(key).or_insert_with_if(fresh, has_ended).into_value()
    }
}

/// What counts as one network: an IPv4 address, or the /64 that an IPv6 client owns at least.
pub fn network(address: Option<IpAddr>) -> IpNet {
    match address.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)).to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address).into(),
        IpAddr::V6(address) => cut(address, 64),
    }
}

/// The /48 that a customer of many IPv6 providers owns.
fn site(address: Option<IpAddr>) -> Option<IpNet> {
    match address?.to_canonical() {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => Some(cut(address, 48)),
    }
}

fn cut(address: Ipv6Addr, length: u8) -> IpNet {
    let net = ipnet::Ipv6Net::new(address, length).expect("a prefix of at most 128 bits");
    net.trunc().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as lanes take it")]
    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    fn unknown(address: Option<IpAddr>, account: &str) -> Lane {
        Lane::Unknown { address, account: account.to_owned() }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    async fn fail(limit: &LoginLimit, lane: &Lane, now: DateTime<Utc>) {
        limit.begin(lane, now).await.unwrap().failed(limit, now);
    }

    #[tokio::test]
    async fn the_eleventh_failure_of_an_address_is_refused_whatever_the_account() {
        let limit = LoginLimit::default();
        for n in 0..10 {
            fail(&limit, &unknown(address(1), &format!("name{n}")), at(0)).await;
        }
        assert_eq!(limit.begin(&unknown(address(1), "other"), at(60)).await.unwrap_err(), Refusal::Closed(240));
        assert_eq!(limit.closed(address(1), at(60)), Some(240));
        assert!(limit.begin(&unknown(address(2), "other"), at(60)).await.is_ok());
        assert_eq!(limit.closed(address(2), at(60)), None);
    }

    #[tokio::test]
    async fn failures_of_many_networks_close_an_account_for_unknown_ones_only() {
        let limit = LoginLimit::default();
        for n in 0..100 {
            fail(&limit, &unknown(address(n / 10), "Root"), at(0)).await;
        }
        assert!(limit.begin(&unknown(address(99), "root"), at(0)).await.is_err());
        assert!(limit.begin(&Lane::KnownNetwork(address(99)), at(0)).await.is_ok());
        assert!(limit.begin(&Lane::Device { device: "d".into(), admin_id: 1 }, at(0)).await.is_ok());
    }

    #[tokio::test]
    async fn the_door_opens_again_after_five_minutes() {
        let limit = LoginLimit::default();
        let lane = unknown(address(1), "root");
        for _ in 0..10 {
            fail(&limit, &lane, at(0)).await;
        }
        assert_eq!(limit.begin(&lane, at(299)).await.unwrap_err(), Refusal::Closed(1));
        assert!(limit.begin(&lane, at(300)).await.is_ok());
    }

    #[tokio::test]
    async fn a_clock_that_was_wrong_keeps_nobody_out() {
        let limit = LoginLimit::default();
        let lane = unknown(address(1), "root");
        for _ in 0..10 {
            fail(&limit, &lane, at(1_000_000)).await;
        }
        assert!(limit.begin(&lane, at(0)).await.is_ok());
    }

    #[tokio::test]
    async fn only_wrong_passwords_count() {
        let limit = LoginLimit::default();
        for _ in 0..50 {
            drop(limit.begin(&unknown(address(1), "root"), at(0)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn logins_at_the_same_time_wait_for_each_other_and_no_more_than_ten_fail() {
        let limit = Arc::new(LoginLimit::default());
        let lane = unknown(address(1), "root");
        let mut under_way = Vec::new();
        for _ in 0..10 {
            under_way.push(limit.begin(&lane, at(0)).await.unwrap());
        }
        let (waiting, later) = (Arc::clone(&limit), lane.clone());
        let waiter = tokio::spawn(async move { waiting.begin(&later, at(0)).await });
        tokio::task::yield_now().await;
        // One of them was right.
        under_way.pop();
        let eleventh = waiter.await.unwrap().unwrap();
        assert_eq!(limit.begin(&lane, at(0)).await.unwrap_err(), Refusal::Busy, "nobody waits for ever");
        under_way.push(eleventh);
        for attempt in under_way {
            attempt.failed(&limit, at(0));
        }
        assert!(matches!(limit.begin(&lane, at(0)).await, Err(Refusal::Closed(_))));
    }

    #[test]
    fn failures_of_unknown_clients_are_recorded_up_to_a_number() {
        let limit = LoginLimit::default();
        assert_eq!((0..1_000).filter(|_| limit.may_record_unknown(at(0))).count(), 100);
        assert!(limit.may_record_unknown(at(300)));
    }

    #[test]
    fn refused_logins_are_written_down_in_powers_of_ten() {
        let limit = LoginLimit::default();
        let noted: Vec<_> = (0..5_000).filter_map(|_| limit.notes_refused(address(1), at(0))).collect();
        assert_eq!(noted, [1, 10, 100, 1_000]);
    }

    #[tokio::test]
    async fn an_ipv6_client_cannot_hop_within_its_64_or_its_48() {
        let parse = |text: &str| Some(text.parse().unwrap());
        assert_eq!(network(parse("2001:db8::1")), network(parse("2001:db8::ffff")));
        assert_ne!(network(parse("2001:db8::1")), network(parse("2001:db8:0:1::1")));
        assert_eq!(network(parse("::ffff:192.0.2.1")), network(parse("192.0.2.1")));
        let limit = LoginLimit::default();
        for n in 0..10 {
            fail(&limit, &unknown(parse(&format!("2001:db8:0:{n}::1")), "root"), at(0)).await;
        }
        assert!(limit.begin(&unknown(parse("2001:db8:0:ffff::1"), "other"), at(0)).await.is_err());
        assert!(limit.begin(&unknown(parse("2001:db8:1::1"), "other"), at(0)).await.is_ok());
        assert!(limit.begin(&Lane::KnownNetwork(parse("2001:db8:0:77::1")), at(0)).await.is_ok());
    }
}
