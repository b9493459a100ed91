//! Whose secret is it? A search over all candidates, on threads of its own, so that neither relays nor other searches
//! wait for a long one.
//!
//! Searches take turns: the one that has looked at the fewest candidates goes next. A right client is found after half
//! of them on average, often sooner, while a stranger has to look at all: so the more strangers there are, the more of
//! them wait behind the right ones, not before them.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::access::{Access, Candidate};
use crate::config::Modes;
use crate::faketls::HelloProof;
use crate::obfuscated2::{self, INIT, Transport};
use crate::recent::Rank;

/// Candidates looked at in one turn: about a tenth of a millisecond.
const TURN: usize = 256;
/// Searches that wait at most. When there are more, the one that has looked at most candidates is given up.
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
    /// Place in [`Access::candidates`].
    pub(crate) candidate: usize,
    /// The client's time in a hello, in seconds since 1970; 0 in an init.
    pub(crate) time: u32,
}

impl Probe {
    /// The client's time, if this candidate's secret is the one.
    pub(crate) fn fits(&self, access: &Access, candidate: &Candidate) -> Option<u32> {
        match self {
            Self::Hello(proof) => proof.time_if_right(&candidate.key),
            Self::Init(init, modes) => {
                let user = access.users.get(candidate.user as usize)?;
                let accepted = obfuscated2::accept(init, user.rule.secret.bytes())?;
                let served = if accepted.transport == Transport::Padded { modes.secure } else { modes.classic };
                served.then_some(0)
            }
        }
    }

    fn first_fit(&self, access: &Access, from: usize, length: usize) -> Option<Match> {
        access
            .candidates
            .iter()
            .enumerate()
            .skip(from)
            .take(length)
            .find_map(|(candidate, secret)| self.fits(access, secret).map(|time| Match { candidate, time }))
    }
}

/// Who goes next: by rank, then by candidates looked at, then by arrival.
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
            let Some(((rank, looked, arrival), job)) = queue.jobs.pop_first() else {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(queue);
            let unfinished = turn(job, looked);
            queue = self.queue();
            if let Some(job) = unfinished {
                queue.jobs.insert((rank, looked + TURN, arrival), job);
            }
        }
    }
}

/// One turn of a search; gives it back if it is not finished.
fn turn(job: Job, looked: usize) -> Option<Job> {
    if job.answer.is_closed() {
        return None;
    }
    let found = job.probe.first_fit(&job.access, looked, TURN);
    if found.is_none() && looked + TURN < job.access.candidates.len() {
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

    /// The candidate that fits; `None` also when there are too many searches.
    pub(crate) async fn find(&self, access: Arc<Access>, probe: Probe, rank: Rank) -> Option<Match> {
        if access.candidates.len() <= TURN {
            return probe.first_fit(&access, 0, TURN);
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
