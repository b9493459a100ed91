//! Starts and stops the server: its listeners and its tasks.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admission::replay::Replays;
use crate::admission::slots::ConnectionSlots;
use crate::config::Config;
use crate::config::files::load;
use crate::reload::{LoadError, Watcher};
use crate::shared::Shared;
use crate::socket::{bind, is_without_family, raise_file_limit, tune};
use crate::stats::count;
use crate::throttled_log::ThrottledLog;
use crate::{metrics, ports, session};

/// How long open connections may go on when the server stops.
const DRAIN: Duration = Duration::from_secs(5);
/// Open files that are left for other uses than connections: listeners, metrics, the panel in the same process.
const OTHER_FILES: u64 = 256;

/// Why the server did not start, or has failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be used.
    #[error("the proxy's configuration: {0}")]
    Load(#[from] LoadError),
    /// The server cannot listen on an address.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// A task has ended that must not end.
    #[error("a task of the proxy has failed")]
    Task,
}

/// A running server. Dropping it closes everything at once.
#[derive(Debug)]
pub struct Proxy {
    /// The addresses on which clients are accepted, with the ports that the system has chosen.
    pub addresses: Vec<SocketAddr>,
    /// The address on which metrics are served, if they are.
    pub metrics_address: Option<SocketAddr>,
    /// Cancelled to stop accepting connections.
    accepting: CancellationToken,
    /// Cancelled to close all connections.
    relaying: CancellationToken,
    /// Cancelled to stop everything else: the metrics and the tasks.
    serving: CancellationToken,
    /// Cancelled when the thread that follows the file has ended.
    unfollowed: CancellationToken,
    tasks: TaskTracker,
    sessions: TaskTracker,
}

impl Proxy {
    /// Reads the file, binds the listeners and starts serving. Returns when clients can connect.
    pub async fn start(config_path: &Path) -> Result<Self, Error> {
        let files = raise_file_limit();
        let path = config_path.to_owned();
        let loaded = tokio::task::spawn_blocking(move || load(&path)).await.map_err(|_| Error::Task)?;
        let (config, state) = loaded.map_err(LoadError::Read)?;
        let mut config = config.map_err(LoadError::Config)?;
        let users = std::mem::take(&mut config.users);
        let listeners = listen(&config)?;
        let addresses: Vec<SocketAddr> = listeners.iter().map(|(_, address, _)| *address).collect();
        let now = ports::now();
        let mut shared = Shared::new(config, addresses.clone()).map_err(Error::Thread)?;
        let (replays, start) = (replays_path(config_path), (Instant::now(), now));
        shared.replays = Replays::new(shared.config.replay.capacity, shared.config.replay.window).open(replays, start);
        let shared = Arc::new(shared);
        shared.directory.apply(users, now);
        shared.stats.applied(now);

        let (tasks, sessions) = (TaskTracker::new(), TaskTracker::new());
        let [accepting, relaying, serving] = std::array::from_fn(|_| CancellationToken::new());
        let unless_started = serving.clone().drop_guard();
        let metrics_address = match &shared.config.metrics {
            Some(endpoint) => {
                let listening = bind(endpoint.address);
                let (listener, address) = listening.map_err(|error| Error::Listen(endpoint.address, error))?;
                let whitelist = endpoint.whitelist.clone();
                tasks.spawn(metrics::http::serve(Arc::clone(&shared), listener, whitelist, serving.clone()));
                Some(address)
            }
            None => None,
        };
        let watcher = Watcher::new(Arc::clone(&shared), config_path.to_owned(), state);
        let unfollowed = watcher.start(serving.clone()).map_err(Error::Thread)?;
        tasks.spawn(follow_site(Arc::clone(&shared), serving.clone()));
        let slots = ConnectionSlots::new(count_slots(shared.config.max_connections, files));
        for (listener, address, proxied) in listeners {
            tracing::info!(%address, "the proxy listens");
            let acceptor = Acceptor {
                shared: Arc::clone(&shared),
                slots: Arc::clone(&slots),
                sessions: sessions.clone(),
                relaying: relaying.clone(),
                proxied,
            };
            tasks.spawn(acceptor.run(listener, accepting.clone()));
        }
        unless_started.disarm();
        Ok(Self { addresses, metrics_address, accepting, relaying, serving, unfollowed, tasks, sessions })
    }

    /// Stops accepting clients, lets open connections go on for up to five seconds, and closes the rest. Metrics are still
    /// served afterwards and do not change any more, so the last bytes can be accounted.
    pub async fn drain(&self) {
        self.accepting.cancel();
        self.sessions.close();
        if tokio::time::timeout(DRAIN, self.sessions.wait()).await.is_err() {
            tracing::info!(connections = self.sessions.len(), "closing the connections that are still open");
        }
        self.relaying.cancel();
        self.sessions.wait().await;
    }

    /// Waits until the thread that follows the file ends without being stopped. Revocations are not applied any more
    /// after that, so the server has to be restarted.
    pub async fn failed(&self) -> Error {
        self.unfollowed.cancelled().await;
        Error::Task
    }

    /// [Drains](Self::drain) the server, then stops everything.
    pub async fn stop(self) {
        self.drain().await;
        self.serving.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.unfollowed.cancelled().await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.cancel();
        self.relaying.cancel();
        self.serving.cancel();
    }
}

/// Serves the clients of `config.toml` until `shutdown` is cancelled or the server fails. Then drains for up to five
/// seconds and returns.
pub async fn run(config_path: &Path, shutdown: CancellationToken) -> Result<(), Error> {
    let proxy = Proxy::start(config_path).await?;
    let failed = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        error = proxy.failed() => Err(error),
    };
    proxy.stop().await;
    failed
}

/// How many connections may be open at once: what the file allows, but no more than `files` open files suffice for. A
/// connection takes two files.
fn count_slots(max_connections: Option<u32>, files: u64) -> usize {
    let possible = usize::try_from(files.saturating_sub(OTHER_FILES) / 2).unwrap_or(usize::MAX).max(1);
    let wanted = max_connections.map_or(possible, |most| most as usize);
    if wanted > possible {
        tracing::warn!(
            wanted,
            possible,
            "the limit of open files does not allow so many connections; raise it (ulimit -n)"
        );
    }
    wanted.min(possible)
}

/// The file in which replays are remembered. It is beside `config.toml` and has its name, so that two servers with files
/// in one folder do not share it.
fn replays_path(config_path: &Path) -> PathBuf {
    let name = config_path.file_name().unwrap_or_default().to_string_lossy();
    config_path.with_file_name(format!(".{name}.replays"))
}

/// Follows the addresses of the masked site until `stop`.
async fn follow_site(shared: Arc<Shared>, stop: CancellationToken) {
    stop.run_until_cancelled(shared.mask.follow_site()).await;
}

/// A bound listener: its socket, its address, and whether connections must begin with a PROXY header.
type Bound = (TcpListener, SocketAddr, bool);

/// Binds every listener. Skips listeners of an address family that this machine does not have, if any other listener can be
/// bound, because a new file names both families.
fn listen(config: &Config) -> Result<Vec<Bound>, Error> {
    let mut listening = Vec::new();
    let mut missing = None;
    for listener in &config.listeners {
        match bind(listener.address) {
            Ok((socket, address)) => listening.push((socket, address, listener.proxy_protocol)),
            Err(error) if is_without_family(&error) => {
                let address = listener.address;
                tracing::warn!(%address, "this machine has no such address family; the proxy does not listen there");
                missing = Some(Error::Listen(address, error));
            }
            Err(error) => return Err(Error::Listen(listener.address, error)),
        }
    }
    match missing {
        Some(error) if listening.is_empty() => Err(error),
        _ => Ok(listening),
    }
}

/// Accepts the connections of one listener.
struct Acceptor {
    shared: Arc<Shared>,
    slots: Arc<ConnectionSlots>,
    sessions: TaskTracker,
    relaying: CancellationToken,
    proxied: bool,
}

impl Acceptor {
    /// Accepts connections until `stop`.
    async fn run(self, listener: TcpListener, stop: CancellationToken) {
        let warning = ThrottledLog::default();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => self.spawn(stream, peer),
                Err(error) => {
                    warning.write(Instant::now(), || tracing::warn!(%error, "connections cannot be accepted"));
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    /// Serves a connection in a task of its own, if there is a slot for it.
    fn spawn(&self, stream: TcpStream, peer: SocketAddr) {
        count(&self.shared.stats.connections);
        let Some(slot) = self.slots.enter(peer.ip()) else {
            return self.shared.stats.refused.add("max_connections");
        };
        let (shared, relaying, proxied) = (Arc::clone(&self.shared), self.relaying.clone(), self.proxied);
        self.sessions.spawn(async move {
            if tune(&stream, &shared.config.timeouts).is_ok() {
                tokio::select! {
                    () = session::serve(&shared, slot, stream, peer, proxied) => {}
                    () = relaying.cancelled() => {}
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some(10_000), 1_000_000, 10_000)]
    #[case(Some(10_000), 1_024, 384)]
    #[case(None, 1_024, 384)]
    #[case(Some(3), 16, 1)]
    fn slots_are_limited_by_the_open_files_that_are_allowed(
        #[case] wanted: Option<u32>,
        #[case] files: u64,
        #[case] expected: usize,
    ) {
        assert_eq!(count_slots(wanted, files), expected);
    }
}
