//! The queue of password hashing: how long it is, and who waits in front of whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hashes at once: each takes 19 MiB and a core.
pub(crate) const AT_ONCE: usize = 2;
/// Longest wait in the queue; a login that would wait longer is refused.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Administrators who change something, or who log in from a known network or browser. Unknown clients delay them by no
    /// more than the hashes that run.
    Known,
    /// A login from anywhere else.
    Unknown,
}

/// The queue is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overloaded {
    /// How long it takes until the queue is short enough, about.
    pub(crate) retry_after_seconds: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Queue {
    slots: Arc<Semaphore>,
    /// As many as there are slots, so that no more of the unknown wait for a slot at once.
    unknown_gate: Arc<Semaphore>,
    load: Arc<Load>,
}

/// Hashes that wait or run, and how long one takes.
#[derive(Debug, Default)]
struct Load {
    known: AtomicU64,
    unknown: AtomicU64,
    /// Moving average; 0 before the first.
    micros: AtomicU64,
}

impl Default for Queue {
    fn default() -> Self {
        let slots = || Arc::new(Semaphore::new(AT_ONCE));
        Self { slots: slots(), unknown_gate: slots(), load: Arc::default() }
    }
}

/// A place in the queue; it counts until it drops.
#[derive(Debug)]
pub(crate) struct Place {
    turn: Turn,
    load: Arc<Load>,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.load.count(self.turn).fetch_sub(1, Ordering::Relaxed);
    }
}

impl Load {
    fn count(&self, turn: Turn) -> &AtomicU64 {
        match turn {
            Turn::Known => &self.known,
            Turn::Unknown => &self.unknown,
        }
    }

    /// How long a new entry would wait, from what a hash took lately.
    fn wait(&self, turn: Turn) -> Duration {
        let (known, unknown) = (self.known.load(Ordering::Relaxed), self.unknown.load(Ordering::Relaxed));
        let ahead = match turn {
            Turn::Known => known + unknown.min(AT_ONCE as u64),
            Turn::Unknown => known + unknown,
        };
        Duration::from_micros(ahead * self.micros.load(Ordering::Relaxed) / AT_ONCE as u64)
    }

    fn learn(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let average = self.micros.load(Ordering::Relaxed);
        let next = if average == 0 { took } else { (average / 4 * 3).saturating_add(took / 4) };
        self.micros.store(next.max(1), Ordering::Relaxed);
    }
}

impl Queue {
    /// Enters the queue, unless it is too long.
    pub(crate) fn enter(&self, turn: Turn) -> Result<Place, Overloaded> {
        let wait = self.load.wait(turn);
        if wait > LONGEST_WAIT {
            let until_short = wait.saturating_sub(LONGEST_WAIT).as_secs() + 1;
            return Err(Overloaded { retry_after_seconds: until_short });
        }
        Ok(self.place(turn))
    }

    /// Enters the queue however long it is.
    pub(crate) fn place(&self, turn: Turn) -> Place {
        self.load.count(turn).fetch_add(1, Ordering::Relaxed);
        Place { turn, load: Arc::clone(&self.load), permits: Vec::new() }
    }

    /// Waits for the turn of `place` and does the work in a blocking thread.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        mut place: Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let take = async |semaphore: &Arc<Semaphore>| {
            Arc::clone(semaphore).acquire_owned().await.expect("the semaphore is never closed")
        };
        if place.turn == Turn::Unknown {
            place.permits.push(take(&self.unknown_gate).await);
        }
        place.permits.push(take(&self.slots).await);
        let work = move || {
            let began = Instant::now();
            let result = work();
            place.load.learn(began.elapsed());
            // The place goes with the work: a caller who gives up must not let another one in.
            drop(place);
            result
        };
        tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_login_that_would_wait_more_than_two_seconds_is_refused() {
        let queue = Queue::default();
        queue.load.learn(Duration::from_millis(500));
        let mut places: Vec<_> = (0..9).map(|_| queue.enter(Turn::Unknown).unwrap()).collect();
        assert_eq!(queue.enter(Turn::Unknown).unwrap_err(), Overloaded { retry_after_seconds: 1 });
        // Only hashes that run already delay known logins.
        places.extend((0..7).map(|_| queue.enter(Turn::Known).unwrap()));
        assert!(queue.enter(Turn::Known).is_err());
        drop(places);
        assert!(queue.enter(Turn::Unknown).is_ok());
    }

    #[test]
    fn the_average_follows_what_hashes_take() {
        let load = Load::default();
        load.learn(Duration::from_millis(100));
        load.learn(Duration::from_millis(200));
        assert_eq!(load.micros.load(Ordering::Relaxed), 125_000);
    }

    #[tokio::test]
    async fn known_logins_go_before_unknown_ones_that_came_earlier() {
        let queue = Queue::default();
        let (release, wait) = mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        let (begun, mut order) = tokio::sync::mpsc::unbounded_channel();
        let mut tasks = Vec::new();
        let comers =
            [(Turn::Unknown, "runs"), (Turn::Unknown, "runs"), (Turn::Unknown, "unknown"), (Turn::Known, "known")];
        for (turn, name) in comers {
            let (queue, wait, begun) = (queue.clone(), Arc::clone(&wait), begun.clone());
            tasks.push(tokio::spawn(async move {
                let work = move || {
                    let _ = begun.send(name);
                    let _ = wait.lock().map(|wait| wait.recv());
                };
                queue.run(queue.place(turn), work).await;
            }));
            tokio::task::yield_now().await;
        }
        assert_eq!((order.recv().await, order.recv().await), (Some("runs"), Some("runs")));
        release.send(()).unwrap();
        assert_eq!(order.recv().await, Some("known"));
        release.send(()).unwrap();
        assert_eq!(order.recv().await, Some("unknown"));
        release.send(()).unwrap();
        release.send(()).unwrap();
        for task in tasks {
            task.await.unwrap();
        }
    }
}
