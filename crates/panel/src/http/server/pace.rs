//! A minimum rate.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

/// At least so many bytes must move in each window of time in which the other side is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) window: Duration,
    pub(super) least: usize,
}

/// Watches a transfer.
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

    /// So many bytes have moved.
    pub(super) const fn moved(&mut self, bytes: usize) {
        self.moved += bytes;
    }

    /// Nothing is waited for any more.
    pub(super) fn rest(&mut self) {
        self.window = None;
        self.moved = 0;
    }

    /// Call it when the other side is waited for. Ready if it is too slow.
    pub(super) fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let window = self.window.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.rate.window)));
            ready!(window.as_mut().poll(cx));
            if self.moved < self.rate.least {
                return Poll::Ready(());
            }
            self.rest();
        }
    }
}
