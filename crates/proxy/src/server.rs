//! Listeners, tasks, and an orderly end.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Directory;
use crate::config::Config;
use crate::mask::Mask;
use crate::recent::Recent;
use crate::relay::Buffers;
use crate::reload::{LoadError, Watcher, load};
use crate::replay::Replays;
use crate::search::Searcher;
use crate::stats::{Stats, count};
use crate::upstream::Upstreams;
use crate::{metrics, ports, session};

/// How long sessions may go on when the server is told to end.
const DRAIN: Duration = Duration::from_secs(5);
/// Connections that the system keeps waiting.
const BACKLOG: i32 = 1_024;

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
    tasks: TaskTracker,
    sessions: TaskTracker,
}

impl Proxy {
    /// Reads the file, binds the listeners and starts serving; returns as soon as clients can connect.
    pub async fn start(config_path: &Path) -> Result<Self, Error> {
        raise_file_limit();
        let path = config_path.to_owned();
        let (mut config, stamp) = tokio::task::spawn_blocking(move || load(&path)).await.map_err(|_| Error::Task)??;
        let users = std::mem::take(&mut config.users);
        let listeners = listen(&config)?;
        let addresses: Vec<SocketAddr> = listeners.iter().map(|(_, address, _)| *address).collect();
        let shared = Arc::new(Shared::new(config, addresses.clone())?);
        let now = ports::now();
        shared.directory.apply(users, now);
        shared.stats.applied(now);

        let (tasks, sessions) = (TaskTracker::new(), TaskTracker::new());
        let [accepting, relaying, serving] = std::array::from_fn(|_| CancellationToken::new());
        let metrics_address = match &shared.config.metrics {
            Some(endpoint) => {
                let (listener, address) = bind(endpoint.address)?;
                let whitelist = endpoint.whitelist.clone();
                tasks.spawn(metrics::http::serve(Arc::clone(&shared), listener, whitelist, serving.clone()));
                Some(address)
            }
            None => None,
        };
        tasks.spawn(Watcher::new(Arc::clone(&shared), config_path.to_owned(), stamp).run(serving.clone()));
        let most = shared.config.max_connections.map_or(Semaphore::MAX_PERMITS, |most| most as usize);
        let places = Arc::new(Semaphore::new(most));
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
        Ok(Self { addresses, metrics_address, accepting, relaying, serving, tasks, sessions })
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

    /// [Drains](Self::drain), and ends everything.
    pub async fn stop(self) {
        self.drain().await;
        self.serving.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.cancel();
        self.relaying.cancel();
        self.serving.cancel();
    }
}

/// Serves the clients of `config.toml` until `shutdown`; then drains, for at most five seconds, and returns.
pub async fn run(config_path: &Path, shutdown: CancellationToken) -> Result<(), Error> {
    let proxy = Proxy::start(config_path).await?;
    shutdown.cancelled().await;
    proxy.stop().await;
    Ok(())
}

/// Each session needs two descriptors, and the usual soft limit of 1,024 is far below what the system would allow.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

impl Shared {
    fn new(config: Config, listeners: Vec<SocketAddr>) -> Result<Self, Error> {
        let stats = Arc::new(Stats::new());
        // Strangers never take more than half of the places.
        let strangers = config.max_connections.map_or(5_000, |most| (most as usize / 2).max(1));
        let (routes, centres) = (config.upstreams.clone(), config.data_centres.clone());
        Ok(Self {
            directory: Directory::default(),
            searcher: Searcher::start().map_err(Error::Thread)?,
            recent: Recent::default(),
            replays: Replays::new(config.replay.capacity, config.replay.window),
            upstreams: Upstreams::new(routes, centres, config.timeouts.connect, Arc::clone(&stats)),
            mask: Mask::new(config.masking.clone(), listeners, strangers),
            buffers: Buffers::default(),
            stats,
            config,
        })
    }
}

type Bound = (TcpListener, SocketAddr, bool);

fn listen(config: &Config) -> Result<Vec<Bound>, Error> {
    let bound = config.listeners.iter().map(|listener| {
        let (socket, address) = bind(listener.address)?;
        Ok((socket, address, listener.proxy_protocol))
    });
    bound.collect()
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
    places: Arc<Semaphore>,
    sessions: TaskTracker,
    relaying: CancellationToken,
    proxied: bool,
}

impl Acceptor {
    async fn run(self, listener: TcpListener, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => self.spawn(stream, peer),
                Err(error) => {
                    tracing::debug!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr) {
        count(&self.shared.stats.connections);
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return self.shared.stats.refused.add("max_connections");
        };
        let (shared, relaying, proxied) = (Arc::clone(&self.shared), self.relaying.clone(), self.proxied);
        self.sessions.spawn(async move {
            if tune(&stream, shared.config.timeouts.keepalive).is_ok() {
                tokio::select! {
                    () = session::serve(&shared, stream, peer, proxied) => {}
                    () = relaying.cancelled() => {}
                }
            }
            drop(place);
        });
    }
}

fn tune(stream: &TcpStream, keepalive: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(keepalive).with_interval(keepalive);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}
