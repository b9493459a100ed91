//! Finds out whether somebody else is writing the file at this moment.

use std::time::{Duration, Instant};

use mtpannel_core::include::Source;

use super::state::State;
use super::{ConfigFile, TextDigest, hex_digest};

/// The file after somebody else has changed it, and since when it is like that.
#[derive(Debug)]
pub(super) struct Watched {
    state: State,
    text: Option<TextDigest>,
    since: Instant,
}

/// A file that is not what this process wrote last.
#[derive(Debug)]
pub struct Look {
    /// Digest of its text, if it can be read and includes no others.
    pub digest: Option<TextDigest>,
    /// How long it has not changed, as far as this process knows.
    pub unchanged_for: Duration,
}

impl ConfigFile {
    /// Looks at the file at `now`; `None` if it is what this process wrote last, or if there never was one.
    pub fn look(&mut self, now: Instant) -> Option<Look> {
        if !self.was_touched() {
            self.watched = None;
            return None;
        }
        let source = self.read();
        if self.applied.is_none() && matches!(source, Ok(None)) {
            return None;
        }
        let text = source.ok().flatten().map(|source| digest_of(&source));
        let digest = text.clone().filter(|_| !self.seen.has_includes());
        let state = self.seen.clone();
        match &self.watched {
            Some(watched) if watched.state == state && watched.text == text => {
                Some(Look { digest, unchanged_for: now.saturating_duration_since(watched.since) })
            }
            _ => {
                self.watched = Some(Watched { state, text, since: now });
                Some(Look { digest, unchanged_for: Duration::ZERO })
            }
        }
    }

    /// Whether the file that was read last is the one that the last look saw. Another one may be half of what somebody writes at
    /// this moment, however long the file before it had not changed.
    pub fn is_as_looked_at(&self) -> bool {
        // Its state was taken before its text, so it must still be the same.
        let is_as_looked_at = match &self.watched {
            Some(watched) => watched.state == self.seen,
            None => !self.was_touched() || self.applied.is_none() && self.seen.main.is_none(),
        };
        is_as_looked_at && !self.has_changed()
    }
}

fn digest_of(source: &Source) -> TextDigest {
    hex_digest([source.text()])
}
