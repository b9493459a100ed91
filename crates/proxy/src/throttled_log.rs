//! Log lines that could otherwise fill the log, written at a bounded rate.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shortest time between two lines.
const PAUSE: Duration = Duration::from_mins(1);

/// Writes one log line at most once a minute.
#[derive(Debug, Default)]
pub(crate) struct ThrottledLog(Mutex<Option<Instant>>);

impl ThrottledLog {
    /// Calls `write` unless it was called less than a minute before `now`.
    pub(crate) fn write(&self, now: Instant, write: impl FnOnce()) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| now.duration_since(last) >= PAUSE) {
            *last = Some(now);
            write();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_at_most_once_a_minute() {
        let (log, start) = (ThrottledLog::default(), Instant::now());
        let mut written = Vec::new();
        for seconds in [0, 1, 59, 60, 61, 120] {
            log.write(start + Duration::from_secs(seconds), || written.push(seconds));
        }
        assert_eq!(written, [0, 60, 120]);
    }
}
