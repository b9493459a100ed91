//! Checks that a client sends or takes bytes at a least rate.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

/// A least rate: so many bytes must move in each window of time in which the server waits for the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) window: Duration,
    pub(super) least: usize,
}

/// Measures a transfer against a [`Rate`].
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    window: Option<Pin<Box<Sleep>>>,
    moved: usize,
}

impl Pace {
    pub(super) const fn new(rate: Rate) -> Self {
        Self { rate, window: None, moved: 0 }
    }

    /// Counts bytes that have moved.
    pub(super) const fn count(&mut self, bytes: usize) {
        self.moved += bytes;
    }

    /// Ends the measurement until the server waits again.
    pub(super) fn reset(&mut self) {
        self.window = None;
        self.moved = 0;
    }

    /// To be polled while the server waits for the client. Ready when the client is too slow.
    pub(super) fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let window = self.window.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.rate.window)));
            ready!(window.as_mut().poll(cx));
            if self.moved < self.rate.least {
                return Poll::Ready(());
            }
            self.reset();
        }
    }
}
