//! Finds the user whose secret a hello or an init was made with. It compares with all keys, on threads of its own, so that
//! neither relays nor other searches wait for a long one.
//!
//! Searches take turns: the one on which least work was done goes next. The search for a right client ends after half of the
//! keys on average, often sooner; that for a visitor goes through all of them. So many visitors wait behind right clients, not
//! before them. A turn is equal work, not equally many keys, so that a long hello gains nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::access::{Access, User};
use crate::admission::addresses::Rank;
use crate::config::Modes;
use crate::wire::HelloProof;
use crate::wire::key::HmacKey;
use crate::wire::key::lanes::LANES;
use crate::wire::obfuscated2::{self, INIT, Transport};

/// Work of one turn, in runs of SHA-256's compression function: 50 to 200 microseconds.
const TURN: usize = 2_560;
/// What it costs to try a secret on an init, in the same unit.
const INIT_COST: usize = 10;
/// Searches that wait at most. When there are more, the one on which most work was done is given up.
const WAITING: usize = 1_024;

/// What a client brought to be recognised by.
#[derive(Debug)]
pub(crate) enum Probe {
    /// A FakeTLS hello.
    Hello(HelloProof),
    /// A plain obfuscated2 init, with the kinds that are served.
    Init(Box<[u8; INIT]>, Modes),
}

/// A secret that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    /// Place in [`Access::keys`].
    pub(crate) index: usize,
    /// The client's time in a hello, in seconds since 1970; 0 in an init.
    pub(crate) time: u32,
}

impl Probe {
    /// The client's time, if this user's secret is the one.
    pub(crate) fn fits(&self, user: &User) -> Option<u32> {
        let secret = user.rule.secret.bytes();
        match self {
            Self::Hello(proof) => proof.time_if_valid(&HmacKey::new(secret)),
            Self::Init(init, modes) => {
                let accepted = obfuscated2::accept(init, secret)?;
                let served = if accepted.transport == Transport::Padded { modes.secure } else { modes.classic };
                served.then_some(0)
            }
        }
    }

    /// The first of `length` keys from index `from` on that fits.
    fn first_fit(&self, access: &Access, from: usize, length: usize) -> Option<Match> {
        let until = access.keys.len().min(from + length);
        match self {
            Self::Hello(proof) => {
                let (index, time) = proof.first_valid(&access.keys[from..until])?;
                Some(Match { index: from + index, time })
            }
            Self::Init(..) => (from..until).find_map(|index| {
                let time = self.fits(access.owner(index)?)?;
                Some(Match { index, time })
            }),
        }
    }

    /// Keys that are tried in one turn.
    fn turn(&self) -> usize {
        let cost = match self {
            Self::Hello(proof) => proof.compressions(),
            Self::Init(..) => INIT_COST,
        };
        (TURN / cost).next_multiple_of(LANES)
    }
}

/// Who goes next: by rank, then by turns taken, then by arrival.
type Turn = (Rank, usize, u64);

struct Job {
    access: Arc<Access>,
    probe: Probe,
    answer: oneshot::Sender<Option<Match>>,
}

#[derive(Default)]
struct Queue {
    jobs: BTreeMap<Turn, Job>,
    arrivals: u64,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes turns until the searcher is gone.
    fn run(&self) {
        let mut queue = self.queue();
        while !queue.closed {
            let Some(((rank, turns, arrival), job)) = queue.jobs.pop_first() else {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(queue);
            let unfinished = turn(job, turns);
            queue = self.queue();
            if let Some(job) = unfinished {
                queue.jobs.insert((rank, turns + 1, arrival), job);
            }
        }
    }
}

/// One turn of a search; gives it back if it is not finished.
fn turn(job: Job, turns: usize) -> Option<Job> {
    if job.answer.is_closed() {
        return None;
    }
    let length = job.probe.turn();
    let found = job.probe.first_fit(&job.access, turns * length, length);
    if found.is_none() && (turns + 1) * length < job.access.keys.len() {
        return Some(job);
    }
    // Nobody is left to tell if the client has gone meanwhile.
    let _ = job.answer.send(found);
    None
}

/// Starts searches. Its threads end with it.
pub(crate) struct Searcher(Arc<Shared>);

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Searcher")
    }
}

impl Searcher {
    /// One thread for each processor.
    pub(crate) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let searcher = Self(Arc::clone(&shared));
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("secret-search".to_owned()).spawn(move || shared.run())?;
        }
        Ok(searcher)
    }

    /// The key that fits; `None` also when there are too many searches.
    pub(crate) async fn find(&self, access: Arc<Access>, probe: Probe, rank: Rank) -> Option<Match> {
        if access.keys.len() <= probe.turn() {
            return probe.first_fit(&access, 0, access.keys.len());
        }
        let (answer, found) = oneshot::channel();
        {
            let mut queue = self.0.queue();
            queue.arrivals += 1;
            let turn = (rank, 0, queue.arrivals);
            queue.jobs.insert(turn, Job { access, probe, answer });
            if queue.jobs.len() > WAITING {
                queue.jobs.pop_last();
            }
        }
        self.0.work.notify_one();
        found.await.ok().flatten()
    }
}

impl Drop for Searcher {
    fn drop(&mut self) {
        self.0.queue().closed = true;
        self.0.work.notify_all();
    }
}
