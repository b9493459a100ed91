//! Warnings that would fill the log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the same thing is said, at most.
const PAUSE: Duration = Duration::from_mins(1);

/// Says something once a minute.
#[derive(Debug, Default)]
pub(crate) struct ThrottledLog(Mutex<Option<Instant>>);

impl ThrottledLog {
    /// Calls `say` unless it was called shortly before `now`.
    pub(crate) fn say(&self, now: Instant, say: impl FnOnce()) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| now.duration_since(last) >= PAUSE) {
            *last = Some(now);
            say();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_is_said_once_a_minute() {
        let (log, start) = (ThrottledLog::default(), Instant::now());
        let mut said = Vec::new();
        for seconds in [0, 1, 59, 60, 61, 120] {
            log.say(start + Duration::from_secs(seconds), || said.push(seconds));
        }
        assert_eq!(said, [0, 60, 120]);
    }
}
