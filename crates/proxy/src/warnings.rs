//! What an operator should know of although the server runs: shown in the metrics as long as it lasts, and logged at a
//! bounded rate.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a warning lasts after its trouble was last met. Nobody may ask for a data centre for hours.
const LASTS: Duration = Duration::from_mins(10);
/// Shortest time between two log lines about the same thing.
const PAUSE: Duration = Duration::from_mins(1);
/// Subjects remembered by code: clients choose some of them.
const SUBJECTS: usize = 16;

/// What is wrong. The names are part of the metrics and do not change between versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Code {
    /// A rule of the file that restricts is not followed. Subject: its key.
    RuleIgnored,
    /// Neither IPv4 nor IPv6 may be used. Subject: the table of the file.
    NoAddressFamily,
    /// Clients ask for a data centre that nobody knows. Subject: its index.
    DcUnknown,
    /// A data centre was not reached. Subject: its index.
    DcUnreachable,
    /// An upstream refuses our login. Subject: its address.
    UpstreamLogin,
    /// An upstream was not reached. Subject: its address.
    UpstreamUnreachable,
    /// Most valid clients have another time. Subject: whose clock it is.
    ClockWrong,
}

impl Code {
    /// Its name in the metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::RuleIgnored => "rule_ignored",
            Self::NoAddressFamily => "no_address_family",
            Self::DcUnknown => "dc_unknown",
            Self::DcUnreachable => "dc_unreachable",
            Self::UpstreamLogin => "upstream_login",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::ClockWrong => "clock_wrong",
        }
    }

    /// What the log says of it.
    const fn message(self) -> &'static str {
        match self {
            Self::RuleIgnored => {
                "a rule of the configuration that restricts is not followed: this proxy does not know it"
            }
            Self::NoAddressFamily => "network.ipv4 and network.ipv6 are both false: no data centre can be reached",
            Self::DcUnknown => "clients ask for a data centre that this proxy does not know; name it in [dc_overrides]",
            Self::DcUnreachable => "a data centre is not reached",
            Self::UpstreamLogin => "an upstream refuses the name or the password of [[upstreams]]",
            Self::UpstreamUnreachable => "an upstream of [[upstreams]] is not reached",
            Self::ClockWrong => "most valid clients have another time: set the clock of this server",
        }
    }

    /// Whether it follows from the file alone, so that it lasts as long as the file says so.
    const fn is_of_settings(self) -> bool {
        matches!(self, Self::RuleIgnored | Self::NoAddressFamily)
    }
}

/// What is known of one code and subject.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    /// When it was last met, as long as it lasts.
    met: Option<Instant>,
    logged: Instant,
}

/// All warnings.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Mutex<BTreeMap<Code, BTreeMap<String, Trouble>>>);

impl Warnings {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Code, BTreeMap<String, Trouble>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is wrong with `subject`; `detail` says more in the log, and must hold no secret.
    pub(crate) fn raise(&self, code: Code, subject: &str, detail: impl Display, now: Instant) {
        if self.note(code, subject, now) {
            tracing::warn!(code = code.as_str(), subject, %detail, "{}", code.message());
        }
    }

    /// Remembers it, and tells whether it should be logged.
    fn note(&self, code: Code, subject: &str, now: Instant) -> bool {
        let mut all = self.all();
        let subjects = all.entry(code).or_default();
        if let Some(trouble) = subjects.get_mut(subject) {
            trouble.met = Some(now);
            let due = now.duration_since(trouble.logged) >= PAUSE;
            if due {
                trouble.logged = now;
            }
            return due;
        }
        if subjects.len() >= SUBJECTS {
            subjects.retain(|_, trouble| now.duration_since(trouble.logged) < PAUSE || trouble.lasts(code, now));
            if subjects.len() >= SUBJECTS {
                return false;
            }
        }
        subjects.insert(subject.to_owned(), Trouble { met: Some(now), logged: now });
        true
    }

    /// Nothing is wrong with `subject` any more.
    pub(crate) fn end(&self, code: Code, subject: &str) {
        if let Some(trouble) = self.all().get_mut(&code).and_then(|subjects| subjects.get_mut(subject)) {
            trouble.met = None;
        }
    }

    /// Ends all warnings of this code.
    pub(crate) fn end_all(&self, code: Code) {
        self.all().entry(code).or_default().values_mut().for_each(|trouble| trouble.met = None);
    }

    /// Puts the warnings that follow from a file in the place of those that followed from the one before.
    pub(crate) fn replace(&self, code: Code, subjects: &[&str], now: Instant) {
        self.end_all(code);
        for subject in subjects {
            self.raise(code, subject, "as the configuration says", now);
        }
    }

    /// The warnings in force at `now`.
    pub(crate) fn current(&self, now: Instant) -> Vec<(Code, String)> {
        let all = self.all();
        let lasting = all.iter().flat_map(|(&code, subjects)| {
            let lasting = subjects.iter().filter(move |(_, trouble)| trouble.lasts(code, now));
            lasting.map(move |(subject, _)| (code, subject.clone()))
        });
        lasting.collect()
    }
}

impl Trouble {
    fn lasts(&self, code: Code, now: Instant) -> bool {
        self.met.is_some_and(|met| code.is_of_settings() || now.duration_since(met) < LASTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(warnings: &Warnings, now: Instant) -> Vec<String> {
        warnings.current(now).into_iter().map(|(code, subject)| format!("{}={subject}", code.as_str())).collect()
    }

    #[test]
    fn a_warning_lasts_until_its_trouble_ends_or_is_not_met_any_more() {
        let (warnings, start) = (Warnings::default(), Instant::now());
        warnings.raise(Code::DcUnreachable, "2", "x", start);
        warnings.raise(Code::DcUnreachable, "4", "x", start + LASTS / 2);
        assert_eq!(codes(&warnings, start), ["dc_unreachable=2", "dc_unreachable=4"]);
        assert_eq!(codes(&warnings, start + LASTS), ["dc_unreachable=4"]);
        warnings.end(Code::DcUnreachable, "4");
        assert_eq!(codes(&warnings, start + LASTS), [""; 0]);
        warnings.replace(Code::RuleIgnored, &["a", "b"], start);
        warnings.replace(Code::RuleIgnored, &["b"], start);
        assert_eq!(codes(&warnings, start + 10 * LASTS), ["rule_ignored=b"]);
    }

    #[test]
    fn trouble_that_comes_and_goes_is_logged_once_a_minute() {
        let (warnings, start) = (Warnings::default(), Instant::now());
        let mut logged = Vec::new();
        for second in 0..=120 {
            if warnings.note(Code::UpstreamLogin, "a:1", start + Duration::from_secs(second)) {
                logged.push(second);
            }
            warnings.end(Code::UpstreamLogin, "a:1");
        }
        assert_eq!(logged, [0, 60, 120]);
    }

    #[test]
    fn a_client_that_names_ever_new_subjects_fills_neither_memory_nor_log() {
        let (warnings, start) = (Warnings::default(), Instant::now());
        let logged = (0..10_000).filter(|index: &i32| warnings.note(Code::DcUnknown, &index.to_string(), start));
        assert_eq!(logged.count(), SUBJECTS);
        assert_eq!(warnings.current(start).len(), SUBJECTS);
        assert!(warnings.note(Code::DcUnknown, "new", start + LASTS));
        assert_eq!(warnings.current(start + LASTS).len(), 1);
    }
}
