//! The counters and warnings of the whole server.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::clock_check::ClockCheck;
use crate::network::truncate_address;
use crate::warnings::{Code, Warnings};

/// A counter for each value of a label.
#[derive(Debug)]
pub(crate) struct Labelled<K>(Mutex<BTreeMap<K, u64>>);

impl<K> Default for Labelled<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone> Labelled<K> {
    pub(crate) fn add(&self, label: K) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(label).or_default() += 1;
    }

    pub(crate) fn read(&self) -> BTreeMap<K, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How often the file was applied or refused, and when.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Reloads {
    pub(crate) applied: u64,
    pub(crate) failed: u64,
    pub(crate) last_applied: Option<DateTime<Utc>>,
    /// When the last refused file was seen, and why it was refused.
    pub(crate) last_failure: Option<(DateTime<Utc>, String)>,
    /// Whether the file on disk is the one that is applied.
    pub(crate) current: bool,
}

/// The counters and warnings of the whole server. They begin at zero when it starts.
#[derive(Debug)]
pub(crate) struct Stats {
    pub(crate) started: Instant,
    /// Connections that were accepted.
    pub(crate) connections: AtomicU64,
    /// Connections without a valid secret, by what was wrong.
    pub(crate) bad: Labelled<&'static str>,
    /// Valid clients that were not served, by the reason.
    pub(crate) refused: Labelled<&'static str>,
    /// Connections that did not finish their handshake in time.
    pub(crate) handshake_timeouts: AtomicU64,
    pub(crate) connects: Connects,
    /// Clients' connections to data centres, by the index of the data centre (`None` if it is unknown) and their outcome.
    pub(crate) centres: Labelled<(Option<i16>, Reached)>,
    pub(crate) warnings: Warnings,
    pub(crate) clock: ClockCheck,
    pub(crate) reloads: Mutex<Reloads>,
}

/// Whether a client's data centre was reached: a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reached {
    Success,
    Fail,
    /// Its addresses are not known.
    Refused,
}

impl Reached {
    /// Its label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Fail => "fail",
            Self::Refused => "refused",
        }
    }
}

/// Attempts to connect to addresses of data centres.
#[derive(Debug, Default)]
pub(crate) struct Connects {
    pub(crate) attempts: AtomicU64,
    pub(crate) successes: AtomicU64,
    pub(crate) failures: AtomicU64,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            connections: AtomicU64::new(0),
            bad: Labelled::default(),
            refused: Labelled::default(),
            handshake_timeouts: AtomicU64::new(0),
            connects: Connects::default(),
            centres: Labelled::default(),
            warnings: Warnings::default(),
            clock: ClockCheck::default(),
            reloads: Mutex::default(),
        }
    }

    /// Notes that the clock of a valid client was `ahead` of the server's by so many seconds. Raises a warning if most
    /// clients are not `in_time`, because the server's clock is wrong then.
    pub(crate) fn note_time(&self, name: &Arc<str>, address: IpAddr, ahead: i64, in_time: bool) {
        let (subject, now) = ("server", Instant::now());
        if self.clock.note(name, truncate_address(address), in_time, now) {
            self.warnings.raise(Code::ClockWrong, subject, format_args!("the last one is {ahead} s ahead"), now);
        } else {
            self.warnings.end(Code::ClockWrong, subject);
        }
    }

    /// Notes that a file was applied.
    pub(crate) fn applied(&self, now: DateTime<Utc>) {
        let mut reloads = self.reloads.lock().unwrap_or_else(PoisonError::into_inner);
        reloads.applied += 1;
        reloads.last_applied = Some(now);
        reloads.current = true;
    }

    /// Notes that a file was refused.
    pub(crate) fn refused_file(&self, now: DateTime<Utc>, why: String) {
        let mut reloads = self.reloads.lock().unwrap_or_else(PoisonError::into_inner);
        reloads.failed += 1;
        reloads.last_failure = Some((now, why));
        reloads.current = false;
    }

    pub(crate) fn reloads(&self) -> Reloads {
        self.reloads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Adds one to a counter.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
