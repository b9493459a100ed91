//! Warnings: conditions that the operator should know of although the server runs. The metrics show a warning as long as it
//! lasts, and the log names it at a bounded rate.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a warning lasts after its trouble was last met. It has to end by itself: a data centre may not be used for
/// hours.
const LASTS: Duration = Duration::from_mins(10);
/// Shortest time between two log lines with the same code and subject.
const PAUSE: Duration = Duration::from_mins(1);
/// Most subjects that are remembered for one code. They are bounded because clients choose some of them.
const SUBJECTS: usize = 16;

/// The kinds of warnings. Their names are part of the metrics and do not change between versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Code {
    /// The file has a restriction that this proxy does not apply. Subject: its key.
    RuleIgnored,
    /// Neither IPv4 nor IPv6 may be used. Subject: the table of the file.
    NoAddressFamily,
    /// Clients ask for a data centre whose addresses are not known. Subject: its index.
    DcUnknown,
    /// A data centre cannot be reached. Subject: its index.
    DcUnreachable,
    /// An upstream server refuses the login. Subject: its address.
    UpstreamLogin,
    /// An upstream server cannot be reached. Subject: its address.
    UpstreamUnreachable,
    /// Most clients have another time than this server. Subject: whose clock is wrong, always `server`.
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

    /// The text of the log line.
    const fn message(self) -> &'static str {
        match self {
            Self::RuleIgnored => "the configuration has a restriction that this proxy does not apply",
            Self::NoAddressFamily => "network.ipv4 and network.ipv6 are both false: no data centre can be reached",
            Self::DcUnknown => "clients ask for a data centre that this proxy does not know; add it to [dc_overrides]",
            Self::DcUnreachable => "a data centre cannot be reached",
            Self::UpstreamLogin => "a server of [[upstreams]] refuses the name or the password",
            Self::UpstreamUnreachable => "a server of [[upstreams]] cannot be reached",
            Self::ClockWrong => "most clients have another time than this server; set its clock",
        }
    }

    /// Whether it depends on the file alone and so lasts until another file is applied.
    const fn is_of_settings(self) -> bool {
        matches!(self, Self::RuleIgnored | Self::NoAddressFamily)
    }
}

/// A warning with one code and subject.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    /// When the trouble was last met; `None` when it has ended.
    met: Option<Instant>,
    /// When it was last logged.
    logged: Instant,
}

/// All warnings of the server.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Mutex<BTreeMap<Code, BTreeMap<String, Trouble>>>);

impl Warnings {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Code, BTreeMap<String, Trouble>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Raises a warning about `subject`. `detail` is added in the log and must not contain secrets.
    pub(crate) fn raise(&self, code: Code, subject: &str, detail: impl Display, now: Instant) {
        if self.note(code, subject, now) {
            tracing::warn!(code = code.as_str(), subject, %detail, "{}", code.message());
        }
    }

    /// Remembers the warning, and returns whether it should be logged now.
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

    /// Ends the warning about `subject`.
    pub(crate) fn end(&self, code: Code, subject: &str) {
        if let Some(trouble) = self.all().get_mut(&code).and_then(|subjects| subjects.get_mut(subject)) {
            trouble.met = None;
        }
    }

    /// Ends all warnings of this code.
    pub(crate) fn end_all(&self, code: Code) {
        self.all().entry(code).or_default().values_mut().for_each(|trouble| trouble.met = None);
    }

    /// Replaces the warnings of this code by one for each subject. For warnings that depend on the file alone.
    pub(crate) fn replace(&self, code: Code, subjects: &[&str], now: Instant) {
        self.end_all(code);
        for subject in subjects {
            self.raise(code, subject, "from the configuration", now);
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
    /// Whether the metrics show it at `now`.
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
    fn a_warning_lasts_until_its_trouble_ends_or_is_not_met_for_a_while() {
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
    fn trouble_that_comes_and_goes_is_logged_at_most_once_a_minute() {
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
    fn a_client_that_names_many_subjects_fills_neither_memory_nor_log() {
        let (warnings, start) = (Warnings::default(), Instant::now());
        let logged = (0..10_000).filter(|index: &i32| warnings.note(Code::DcUnknown, &index.to_string(), start));
        assert_eq!(logged.count(), SUBJECTS);
        assert_eq!(warnings.current(start).len(), SUBJECTS);
        assert!(warnings.note(Code::DcUnknown, "new", start + LASTS));
        assert_eq!(warnings.current(start + LASTS).len(), 1);
    }
}
