//! Listeners, tasks, and an orderly end.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Directory;
use crate::config::{Config, Timeouts};
use crate::files::load;
use crate::mask::Mask;
use crate::places::Places;
use crate::recent::Recent;
use crate::relay::Buffers;
use crate::reload::{LoadError, Watcher};
use crate::replay::Replays;
use crate::search::Searcher;
use crate::seldom::Seldom;
use crate::stats::{Stats, count};
use crate::upstream::Upstreams;
use crate::{metrics, ports, session};

/// How long sessions may go on when the server is told to end.
const DRAIN: Duration = Duration::from_secs(5);
/// Connections that the system keeps waiting.
const BACKLOG: i32 = 1_024;
/// Files that are open for other things than connections: listeners, metrics, the panel beside us.
const OTHER_FILES: u64 = 256;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its file cannot be used.
    #[error("the proxy's configuration: {0}")]
    Load(#[from] LoadError),
    /// An address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// A task ended that never should.
    #[error("a task of the proxy has failed")]
    Task,
}

/// What every connection works with.
#[derive(Debug)]
pub(crate) struct Shared {
    /// As it was at the start, without users.
    pub(crate) config: Config,
    pub(crate) directory: Directory,
    pub(crate) stats: Arc<Stats>,
    pub(crate) searcher: Searcher,
    pub(crate) recent: Recent,
    pub(crate) replays: Replays,
    pub(crate) upstreams: Upstreams,
    pub(crate) mask: Mask,
    pub(crate) buffers: Buffers,
}

/// A server that runs. Dropping it cuts everything off.
#[derive(Debug)]
pub struct Proxy {
    /// Where clients are accepted.
    pub addresses: Vec<SocketAddr>,
    /// Where metrics are served.
    pub metrics_address: Option<SocketAddr>,
    accepting: CancellationToken,
    relaying: CancellationToken,
    serving: CancellationToken,
    /// Cancelled when the file is not followed any more.
    unfollowed: CancellationToken,
    tasks: TaskTracker,
    sessions: TaskTracker,
}

impl Proxy {
    /// Reads the file, binds the listeners and starts serving; returns as soon as clients can connect.
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
        let mut shared = Shared::new(config, addresses.clone())?;
        let (replays, start) = (beside(config_path), (Instant::now(), now));
        shared.replays = Replays::new(shared.config.replay.capacity, shared.config.replay.window).open(replays, start);
        let shared = Arc::new(shared);
        shared.directory.apply(users, now);
        shared.stats.applied(now);

        let (tasks, sessions) = (TaskTracker::new(), TaskTracker::new());
        let [accepting, relaying, serving] = std::array::from_fn(|_| CancellationToken::new());
        let unless_started = serving.clone().drop_guard();
        let metrics_address = match &shared.config.metrics {
            Some(endpoint) => {
                let (listener, address) = bind(endpoint.address)?;
                let whitelist = endpoint.whitelist.clone();
                tasks.spawn(metrics::http::serve(Arc::clone(&shared), listener, whitelist, serving.clone()));
                Some(address)
            }
            None => None,
        };
        let watcher = Watcher::new(Arc::clone(&shared), config_path.to_owned(), state);
        let unfollowed = watcher.start(serving.clone()).map_err(Error::Thread)?;
        tasks.spawn(follow_site(Arc::clone(&shared), serving.clone()));
        let places = Places::new(places(shared.config.max_connections, files));
        for (listener, address, proxied) in listeners {
            tracing::info!(%address, "the proxy listens");
            let acceptor = Acceptor {
                shared: Arc::clone(&shared),
                places: Arc::clone(&places),
                sessions: sessions.clone(),
                relaying: relaying.clone(),
                proxied,
            };
            tasks.spawn(acceptor.run(listener, accepting.clone()));
        }
        unless_started.disarm();
        Ok(Self { addresses, metrics_address, accepting, relaying, serving, unfollowed, tasks, sessions })
    }

    /// Accepts no more clients, lets sessions go on for five seconds, and cuts off the rest. Metrics are served still,
    /// and move no more: whoever accounts can read the last byte.
    pub async fn drain(&self) {
        self.accepting.cancel();
        self.sessions.close();
        if tokio::time::timeout(DRAIN, self.sessions.wait()).await.is_err() {
            tracing::info!(sessions = self.sessions.len(), "cutting off the sessions that are still open");
        }
        self.relaying.cancel();
        self.sessions.wait().await;
    }

    /// Waits until a part of the server ends although nobody told it to. Revocations are not applied any more then, so
    /// that it must be started anew.
    pub async fn failed(&self) -> Error {
        self.unfollowed.cancelled().await;
        Error::Task
    }

    /// [Drains](Self::drain), and ends everything.
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

/// Serves the clients of `config.toml` until `shutdown` or a failure; then drains, for at most five seconds, and returns.
pub async fn run(config_path: &Path, shutdown: CancellationToken) -> Result<(), Error> {
    let proxy = Proxy::start(config_path).await?;
    let failed = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        error = proxy.failed() => Err(error),
    };
    proxy.stop().await;
    failed
}

/// Each session needs two files, and the usual soft limit of 1,024 is far below what the system would allow. Gives how many
/// may be open.
fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            current.unwrap_or(u64::MAX)
        }
    }
}

/// Connections served at once: what the file allows, as far as so many `files` may be open.
fn places(max_connections: Option<u32>, files: u64) -> usize {
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

/// Where replays are remembered: beside the file, with its name, so that two servers with two files in one folder do not meet.
fn beside(config_path: &Path) -> PathBuf {
    let name = config_path.file_name().unwrap_or_default().to_string_lossy();
    config_path.with_file_name(format!(".{name}.replays"))
}

/// Keeps the masked site's addresses at hand.
async fn follow_site(shared: Arc<Shared>, stop: CancellationToken) {
    stop.run_until_cancelled(shared.mask.follow_site()).await;
}

impl Shared {
    pub(crate) fn new(config: Config, listeners: Vec<SocketAddr>) -> Result<Self, Error> {
        let stats = Arc::new(Stats::new());
        let (routes, centres) = (config.upstreams.clone(), config.data_centres.clone());
        Ok(Self {
            directory: Directory::default(),
            searcher: Searcher::start().map_err(Error::Thread)?,
            recent: Recent::default(),
            replays: Replays::new(config.replay.capacity, config.replay.window),
            upstreams: Upstreams::new(routes, centres, config.timeouts, Arc::clone(&stats)),
            mask: Mask::new(config.masking.clone(), listeners),
            buffers: Buffers::for_clients(),
            stats,
            config,
        })
    }
}

type Bound = (TcpListener, SocketAddr, bool);

/// Binds every listener. An address family that this machine does not have is left out while another one is there: a
/// new file names both.
fn listen(config: &Config) -> Result<Vec<Bound>, Error> {
    let mut listening = Vec::new();
    let mut missing = None;
    for listener in &config.listeners {
        match bind(listener.address) {
            Ok((socket, address)) => listening.push((socket, address, listener.proxy_protocol)),
            Err(Error::Listen(address, error)) if is_without_family(&error) => {
                tracing::warn!(%address, "this machine has no such address family; the proxy does not listen there");
                missing = Some(Error::Listen(address, error));
            }
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if listening.is_empty() => Err(error),
        _ => Ok(listening),
    }
}

/// Whether the system refused because it was started without this address family.
fn is_without_family(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

/// Binds an address; an IPv6 one takes no IPv4 connections, so that both may be given.
fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let bind = || -> io::Result<(TcpListener, SocketAddr)> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into())?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    bind().map_err(|error| Error::Listen(address, error))
}

/// Accepts the connections of one listener.
struct Acceptor {
    shared: Arc<Shared>,
    places: Arc<Places>,
    sessions: TaskTracker,
    relaying: CancellationToken,
    proxied: bool,
}

impl Acceptor {
    async fn run(self, listener: TcpListener, stop: CancellationToken) {
        let warning = Seldom::default();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => self.spawn(stream, peer),
                Err(error) => {
                    warning.say(Instant::now(), || tracing::warn!(%error, "connections cannot be accepted"));
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr) {
        count(&self.shared.stats.connections);
        let Some(place) = self.places.enter(peer.ip()) else {
            return self.shared.stats.refused.add("max_connections");
        };
        let (shared, relaying, proxied) = (Arc::clone(&self.shared), self.relaying.clone(), self.proxied);
        self.sessions.spawn(async move {
            if tune(&stream, &shared.config.timeouts).is_ok() {
                tokio::select! {
                    () = session::serve(&shared, place, stream, peer, proxied) => {}
                    () = relaying.cancelled() => {}
                }
            }
        });
    }
}

/// Prepares a connection to a client or a data centre: packets go at once, and a peer that is gone is noticed.
pub(crate) fn tune(stream: &TcpStream, timeouts: &Timeouts) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    if let Some(keepalive) = timeouts.keepalive {
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(keepalive).with_interval(keepalive))?;
    }
    socket.set_tcp_user_timeout(Some(timeouts.ack))
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
    fn there_are_no_more_places_than_files_may_be_open(
        #[case] wanted: Option<u32>,
        #[case] files: u64,
        #[case] expected: usize,
    ) {
        assert_eq!(places(wanted, files), expected);
    }

    #[tokio::test]
    async fn a_peer_that_does_not_acknowledge_is_given_up_after_the_time_of_the_file() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let [keepalive, ack] = [15, 90].map(Duration::from_secs);
        tune(&stream, &Timeouts { handshake: ack, keepalive: Some(keepalive), ack, connect: ack }).unwrap();
        assert_eq!(SockRef::from(&stream).tcp_user_timeout().unwrap(), Some(ack));
    }

    #[tokio::test]
    async fn a_keepalive_of_zero_is_off_and_any_other_is_on() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for (seconds, on) in [(0, false), (1, true), (9_999, true)] {
            let text =
                format!("[timeouts]\nclient_keepalive = {seconds}\n[access.users]\na = \"{}\"\n", "1".repeat(32));
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            tune(&stream, &Config::parse(&text).unwrap().timeouts).unwrap();
            assert_eq!(SockRef::from(&stream).keepalive().unwrap(), on, "{seconds}");
        }
    }
}
