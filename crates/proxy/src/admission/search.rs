//! The search for the user whose key fits a hello or an init, over the keys of all users. It has threads of its own, so
//! that neither relays nor other searches wait for a long one.
//!
//! Searches take turns, and the one that has used least work goes next. For a valid client half of the keys are tried on
//! average, and often fewer; for a visitor all are. So when there are many visitors, they wait for the clients, and
//! clients do not wait for them. A turn is a fixed amount of work, not of keys, so a visitor gains nothing by a long
//! hello.

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

/// Work in one turn, in runs of the compression function of SHA-256. A turn takes 50 to 200 microseconds.
const TURN: usize = 2_560;
/// Work to try one secret on an init, in the same unit.
const INIT_COST: usize = 10;
/// Most searches that wait. When there are more, the one that would go last is given up, and its client is not found.
const WAITING: usize = 1_024;

/// What a client sent that shows its secret.
#[derive(Debug)]
pub(crate) enum Probe {
    /// A FakeTLS hello.
    Hello(HelloProof),
    /// An init without TLS, and the kinds of clients that are served.
    Init(Box<[u8; INIT]>, Modes),
}

/// A key that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    /// Its index in [`Access::keys`].
    pub(crate) index: usize,
    /// The client's time in the hello, in seconds since 1970; 0 for an init, which has none.
    pub(crate) time: u32,
}

impl Probe {
    /// The client's time, if the secret of `user` fits.
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

    /// The first key that fits among the `length` keys from index `from` on.
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

    /// How many keys are tried in one turn.
    fn turn(&self) -> usize {
        let cost = match self {
            Self::Hello(proof) => proof.compressions(),
            Self::Init(..) => INIT_COST,
        };
        (TURN / cost).next_multiple_of(LANES)
    }
}

/// The order of searches: by rank, then by turns taken, then by arrival.
type Turn = (Rank, usize, u64);

/// A search under way.
struct Job {
    access: Arc<Access>,
    probe: Probe,
    answer: oneshot::Sender<Option<Match>>,
}

/// Searches that wait for a turn.
#[derive(Default)]
struct Queue {
    jobs: BTreeMap<Turn, Job>,
    arrivals: u64,
    closed: bool,
}

/// What the threads of a [`Searcher`] share.
#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs turns of searches until the searcher is dropped.
    fn run(&self) {
        let mut queue = self.queue();
        while !queue.closed {
            let Some(((rank, turns, arrival), job)) = queue.jobs.pop_first() else {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(queue);
            let unfinished = run_turn(job, turns);
            queue = self.queue();
            if let Some(job) = unfinished {
                queue.jobs.insert((rank, turns + 1, arrival), job);
            }
        }
    }
}

/// Runs one turn of a search; returns the search if it is not finished.
fn run_turn(job: Job, turns: usize) -> Option<Job> {
    if job.answer.is_closed() {
        return None;
    }
    let length = job.probe.turn();
    let found = job.probe.first_fit(&job.access, turns * length, length);
    if found.is_none() && (turns + 1) * length < job.access.keys.len() {
        return Some(job);
    }
    // Nobody waits for the answer if the client has gone meanwhile.
    let _ = job.answer.send(found);
    None
}

/// Starts searches. Its threads end when it is dropped.
pub(crate) struct Searcher(Arc<Shared>);

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Searcher")
    }
}

impl Searcher {
    /// Starts one thread for each processor.
    pub(crate) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let searcher = Self(Arc::clone(&shared));
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("secret-search".to_owned()).spawn(move || shared.run())?;
        }
        Ok(searcher)
    }

    /// Finds the key that fits; `None` if there is none, and also if there are too many searches.
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
