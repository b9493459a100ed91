//! The running service: starts listeners and tasks, and ends them in order.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::app::{App, SharedApp};
use crate::clock::Clock;
use crate::node::projection::file::ConfigFile;
use crate::runtime::warnings::{self, Source};
use crate::service::backup;
use crate::settings::{ProxyKind, Settings};
use crate::store::{DatabaseUrl, InstanceLock, Store};
use crate::{http, node, task};

/// Longest wait for requests that are under way when the service ends.
const DRAIN: Duration = Duration::from_secs(10);
/// Longest wait for the tasks to end after that: the built-in proxy drains for 5 s, and the last scrape takes up to 5 s.
const FINISH: Duration = Duration::from_secs(15);
/// Longest wait for the file with the statuses that the last scrape has changed.
const WRITE: Duration = Duration::from_secs(5);
/// Longest wait for the database to close.
const CLOSE: Duration = Duration::from_secs(5);

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    /// The shared state.
    pub app: SharedApp,
    /// Where the API is.
    pub address: SocketAddr,
    /// Where the panel's own metrics are.
    pub metrics_address: SocketAddr,
    stops: Stops,
    servers: JoinSet<anyhow::Result<()>>,
    tasks: JoinSet<()>,
    /// The config sync.
    writer: JoinSet<()>,
    _lock: Option<InstanceLock>,
}

/// Tokens that tell each part of the service to end.
#[derive(Debug, Clone, Default)]
struct Stops {
    serving: CancellationToken,
    tasks: CancellationToken,
    writer: CancellationToken,
}

/// Runs the service until the process is told to end (SIGTERM, SIGINT) or a part of it fails.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let mut running = start(settings, Clock::system()).await?;
    tracing::info!(address = %running.address, "the API is at http://{}{}", running.address, running.app.settings.base_path);
    let failed = tokio::select! {
        signal = end_signal() => signal.err(),
        error = running.wait_for_failure() => Some(error),
    };
    tracing::info!("shutting down");
    running.stop().await;
    failed.map_or(Ok(()), Err)
}

/// Opens the database, binds the listeners and starts everything.
pub async fn start(settings: Settings, clock: Clock) -> anyhow::Result<Running> {
    let lock = match &settings.database {
        DatabaseUrl::Sqlite(path) => Some(InstanceLock::acquire(path)?),
        DatabaseUrl::Postgres(_) => None,
    };
    if let DatabaseUrl::Sqlite(path) = &settings.database
        && let Err(error) = backup::remove_leftovers(path)
    {
        tracing::warn!(%error, "unfinished copies beside the database could not be removed");
    }
    let store = Store::open_locked(&settings.database, clock.now(), lock.as_ref()).await?;
    let file = ConfigFile::new(&settings.proxy);
    file.remove_leftovers().context("temporary files beside config.toml could not be removed")?;
    let listener = bind(settings.listen)?;
    let metrics_listener = bind(settings.metrics_listen)?;
    let app = SharedApp::new(App::new(store, settings, clock));
    app.warnings.replace(Source::Settings, warnings::settings::warnings(&app.settings));
    let stops = Stops::default();
    let (address, metrics_address) = (listener.local_addr()?, metrics_listener.local_addr()?);

    let (mut tasks, mut writer) = (JoinSet::new(), JoinSet::new());
    writer.spawn(node::projection::config_sync::run(app.clone(), file, stops.writer.clone()));
    tasks.spawn(task::enforcement::run(app.clone(), stops.tasks.clone()));
    tasks.spawn(task::retention::run(app.clone(), stops.tasks.clone()));
    match app.settings.proxy.kind {
        ProxyKind::External => tasks.spawn(node::metering::scraper::run(app.clone(), stops.tasks.clone())),
        ProxyKind::Embedded { .. } => tasks.spawn(node::proxy::run(app.clone(), stops.tasks.clone())),
    };

    let mut servers = JoinSet::new();
    let metrics = http::install_metrics();
    tasks.spawn(http::upkeep(metrics.clone(), stops.tasks.clone()));
    let (trusted, internal) = (app.settings.trusted_proxies.clone(), http::internal_router(metrics, app.clone()));
    servers.spawn(serve(listener, http::router(app.clone()), trusted, stops.serving.clone()));
    servers.spawn(serve(metrics_listener, internal, Vec::new(), stops.serving.clone()));
    Ok(Running { app, address, metrics_address, stops, servers, tasks, writer, _lock: lock })
}

impl Running {
    /// Waits until a part of the service ends without being told to, and returns which one.
    async fn wait_for_failure(&mut self) -> anyhow::Error {
        tokio::select! {
            Some(ended) = self.servers.join_next() => match ended {
                Ok(Err(error)) => error.context("a listener failed"),
                Ok(Ok(())) => anyhow::anyhow!("a listener ended"),
                Err(error) => anyhow::Error::new(error).context("a listener failed"),
            },
            Some(ended) = self.tasks.join_next() => describe_task_end(ended),
            Some(ended) = self.writer.join_next() => describe_task_end(ended),
        }
    }

    /// Ends the parts in an order in which each may still leave work for the next: requests in progress, the tasks with a
    /// last scrape, the write of the file, the database.
    pub async fn stop(mut self) {
        self.stops.serving.cancel();
        end(&mut self.servers, DRAIN, "some requests were not finished in time").await;
        self.app.shown.settled().await;
        self.stops.tasks.cancel();
        end(&mut self.tasks, FINISH, "some tasks were not finished in time").await;
        self.stops.writer.cancel();
        end(&mut self.writer, WRITE, "config.toml was not written in time; the next start does it").await;
        if tokio::time::timeout(CLOSE, self.app.store.close()).await.is_err() {
            tracing::warn!("the database was not closed in time");
        }
    }
}

fn describe_task_end(ended: Result<(), JoinError>) -> anyhow::Error {
    match ended {
        Ok(()) => anyhow::anyhow!("a periodic task ended"),
        Err(error) => anyhow::Error::new(error).context("a periodic task failed"),
    }
}

/// Waits until all `parts` have ended, and aborts those that still run after `at_most`.
async fn end<T: 'static>(parts: &mut JoinSet<T>, at_most: Duration, warning: &str) {
    let ended = async { while parts.join_next().await.is_some() {} };
    if tokio::time::timeout(at_most, ended).await.is_err() {
        tracing::warn!("{warning}");
        parts.shutdown().await;
    }
}

/// Connections that the system queues until they are accepted. When the queue is full, clients retry only after a second.
const BACKLOG: u32 = 4_096;

fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    socket().with_context(|| format!("cannot listen on {address}"))
}

async fn serve(
    listener: TcpListener,
    router: Router,
    trusted: Vec<IpNet>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    http::serve(listener, router, trusted, stop).await;
    Ok(())
}

pub(crate) async fn end_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
