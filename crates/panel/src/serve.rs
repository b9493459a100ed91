//! The running service: listeners, tasks, and an orderly end.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::{App, SharedApp};
use crate::clock::Clock;
use crate::config_file::ConfigFile;
use crate::settings::{ProxyKind, Settings};
use crate::store::{DatabaseUrl, InstanceLock, Store};
use crate::{http, task};

/// Longest wait for requests that are under way when the service ends.
const DRAIN: Duration = Duration::from_secs(10);
/// Longest wait for the tasks to end after that: the built-in proxy drains for 5 s, the last scrape takes as long.
const FINISH: Duration = Duration::from_secs(15);

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    /// What it works with.
    pub app: SharedApp,
    /// Where the API is.
    pub address: SocketAddr,
    /// Where the panel's own metrics are.
    pub metrics_address: SocketAddr,
    stop_serving: CancellationToken,
    stop_tasks: CancellationToken,
    servers: JoinSet<anyhow::Result<()>>,
    tasks: JoinSet<()>,
    _lock: Option<InstanceLock>,
}

/// Runs the service until the process is told to end (SIGTERM, SIGINT) or a part of it fails.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let mut running = start(settings, Clock::system()).await?;
    tracing::info!(address = %running.address, "the API is at http://{}{}", running.address, running.app.settings.base_path);
    let failed = tokio::select! {
        signal = end_signal() => signal.err(),
        error = running.failed() => Some(error),
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
    let store = Store::open_locked(&settings.database, clock.now(), lock.as_ref()).await?;
    let file = ConfigFile::new(&settings.proxy);
    file.remove_leftovers().context("temporary files beside config.toml could not be removed")?;
    let listener = bind(settings.listen).await?;
    let metrics_listener = bind(settings.metrics_listen).await?;
    let app = SharedApp::new(App::new(store, settings, clock));
    let (stop_serving, stop_tasks) = (CancellationToken::new(), CancellationToken::new());
    let (address, metrics_address) = (listener.local_addr()?, metrics_listener.local_addr()?);

    let mut tasks = JoinSet::new();
    tasks.spawn(task::config_sync::run(app.clone(), file, stop_tasks.clone()));
    tasks.spawn(task::enforcement::run(app.clone(), stop_tasks.clone()));
    tasks.spawn(task::retention::run(app.clone(), stop_tasks.clone()));
    match app.settings.proxy.kind {
        ProxyKind::External => tasks.spawn(task::scraper::run(app.clone(), stop_tasks.clone())),
        ProxyKind::Embedded { .. } => tasks.spawn(task::proxy::run(app.clone(), stop_tasks.clone())),
    };

    let mut servers = JoinSet::new();
    let metrics = http::install_metrics();
    tasks.spawn(http::upkeep(metrics.clone(), stop_tasks.clone()));
    servers.spawn(serve(listener, http::router(app.clone()), stop_serving.clone()));
    servers.spawn(serve(metrics_listener, http::internal_router(metrics, app.clone()), stop_serving.clone()));
    Ok(Running { app, address, metrics_address, stop_serving, stop_tasks, servers, tasks, _lock: lock })
}

impl Running {
    /// Waits until a part of the service ends although nobody told it to, and tells which.
    async fn failed(&mut self) -> anyhow::Error {
        tokio::select! {
            Some(ended) = self.servers.join_next() => match ended {
                Ok(Err(error)) => error.context("a listener failed"),
                Ok(Ok(())) => anyhow::anyhow!("a listener ended"),
                Err(error) => anyhow::Error::new(error).context("a listener failed"),
            },
            Some(ended) = self.tasks.join_next() => match ended {
                Ok(()) => anyhow::anyhow!("a periodic task ended"),
                Err(error) => anyhow::Error::new(error).context("a periodic task failed"),
            },
        }
    }

    /// Lets requests that are under way and the write of the file finish, and closes the database.
    pub async fn stop(mut self) {
        self.stop_serving.cancel();
        if tokio::time::timeout(DRAIN, drained(&mut self.servers)).await.is_err() {
            tracing::warn!("some requests were not finished in time");
            self.servers.shutdown().await;
        }
        self.stop_tasks.cancel();
        if tokio::time::timeout(FINISH, async { while self.tasks.join_next().await.is_some() {} }).await.is_err() {
            tracing::warn!("some tasks were not finished in time");
            self.tasks.shutdown().await;
        }
        self.app.store.close().await;
    }
}

async fn drained(servers: &mut JoinSet<anyhow::Result<()>>) {
    while servers.join_next().await.is_some() {}
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> anyhow::Result<()> {
    http::serve(listener, router, stop).await;
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
