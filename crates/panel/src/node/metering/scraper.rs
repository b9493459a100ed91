//! The task that scrapes the proxy's metrics at intervals and records them.

use std::time::{Duration, Instant};

use anyhow::ensure;
use axum::body::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use mtpannel_core::exposition::{self, Gap, Reader, Snapshot};
use reqwest::Client;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;
use crate::clock::Clock;
use crate::node::metering::record::{self as metering, Scrape};
use crate::runtime::health::{PackedText, Packer, ProxyView, Task};
use crate::runtime::warnings::{ProxyWarning, Source, Warning};
use crate::settings::ProxyApi;
use crate::store::NodeId;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the last scrape, which is made when the panel stops.
const LAST_ANSWER: Duration = Duration::from_secs(5);
/// 100,000 users with all their series take about 80 MiB.
const MAX_BODY: usize = 128 << 20;
const MAX_API_BODY: usize = 1 << 20;
/// The proxy may not have read a file that was written less than this ago.
const RELOAD_TIME: TimeDelta = TimeDelta::seconds(3);

/// Scrapes until `stop`, and then once more, so that a planned stop loses no byte that was counted before it. A request that is
/// under way at `stop` is given up for the last one; what was answered is always recorded.
pub async fn run(app: SharedApp, stop: CancellationToken) {
    let client = match client() {
        Ok(client) => client,
        Err(error) => return tracing::error!(%error, "the HTTP client could not be made"),
    };
    let mut ticks = tokio::time::interval(app.settings.scrape_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let scraper = Scraper { app, node: NodeId::LOCAL, client };
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let Some(asked) = stop.run_until_cancelled(scraper.ask()).await else { break };
        scraper.take(asked).await;
        stop.run_until_cancelled(scraper.ask_api()).await;
    }
    if let Ok(asked) = tokio::time::timeout(LAST_ANSWER, scraper.ask()).await {
        scraper.take(asked).await;
    } else {
        tracing::warn!("the proxy's last figures were not read in time");
    }
}

/// The task.
struct Scraper {
    app: SharedApp,
    /// The node whose proxy it reads.
    node: NodeId,
    client: Client,
}

/// A request to the proxy that has ended.
struct Asked {
    began: Instant,
    reading: anyhow::Result<Reading>,
}

/// What the proxy answered.
struct Reading {
    scrape: Scrape,
    text: PackedText,
}

impl Scraper {
    async fn ask(&self) -> Asked {
        Asked { began: Instant::now(), reading: self.read().await }
    }

    async fn read(&self) -> anyhow::Result<Reading> {
        let ordinal = metering::ordinal(&self.app.store, self.node).await?;
        read(&self.client, &self.app.settings.metrics_url, &self.app.clock, self.node, ordinal).await
    }

    /// Records the answer, and updates health, warnings and metrics.
    async fn take(&self, Asked { began, reading }: Asked) {
        let taken = match reading {
            Ok(reading) => self.record(reading).await,
            Err(error) => Err(error),
        };
        let gap = taken.as_ref().err().and_then(|error| error.downcast_ref::<Gap>());
        self.app.health.set_cannot_count(gap.is_some());
        if let Some(gap) = gap {
            self.app.warnings.replace(Source::Accounting, vec![gap.into()]);
        }
        match taken {
            Ok(()) => self.app.health.succeeded(Task::Scrape, self.app.clock.now()),
            Err(error) => {
                metrics::counter!("mtpannel_scrape_failures_total").increment(1);
                let error = format!("{error:#}");
                tracing::warn!(%error, "the proxy's metrics could not be read; nothing is accounted until they can");
                self.app.health.failed(Task::Scrape, error);
            }
        }
        metrics::histogram!("mtpannel_scrape_duration_seconds").record(began.elapsed());
    }

    async fn record(&self, Reading { scrape, text }: Reading) -> anyhow::Result<()> {
        let snapshot = &scrape.snapshot;
        for refusal in snapshot.refused.iter().take(5) {
            tracing::warn!(
                line = refusal.line,
                family = refusal.family,
                "the proxy reports a value that is not possible; it is left out"
            );
        }
        let troubles = snapshot.troubles.iter().filter_map(ProxyWarning::read);
        self.app.warnings.replace(Source::Proxy, troubles.map(Warning::Proxy).collect());
        let view = view(snapshot, text, scrape.answered_at);
        let file = snapshot.file.clone();
        if !metering::record(&self.app, scrape).await? {
            tracing::debug!("another panel has recorded a scrape meanwhile; this one is left out");
        }
        let untested = view.version.clone().filter(|version| exposition::is_untested(version));
        let warnings = untested.map(|version| Warning::ProxyVersionUntested { version });
        self.app.warnings.replace(Source::Accounting, warnings.into_iter().collect());
        self.app.health.proxy_answered(view);
        if let Some(file) = file {
            self.app.health.file_judged(file);
        }
        Ok(())
    }

    /// Asks telemt's control API, if it is configured, whether telemt accepted the file.
    async fn ask_api(&self) {
        let Some(api) = &self.app.settings.proxy_api else { return };
        let accepted = match file_accepted(&self.app, &self.client, api).await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "telemt's control API could not be read");
                None
            }
        };
        self.app.health.file_accepted(accepted);
    }
}

fn client() -> reqwest::Result<Client> {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        // telemt closes idle connections after 15 s (`docs/contract-telemt.md`, trap 12).
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
}

/// One scrape, for a command; `ordinal` is [`metering::ordinal`] before it.
pub(crate) async fn read_once(url: &str, clock: &Clock, node: NodeId, ordinal: i64) -> anyhow::Result<Scrape> {
    Ok(read(&client()?, url, clock, node, ordinal).await?.scrape)
}

/// Makes one scrape. An answer without the counters that accounting needs is an error, a [`Gap`].
async fn read(client: &Client, url: &str, clock: &Clock, node: NodeId, ordinal: i64) -> anyhow::Result<Reading> {
    let (asked_at, asked) = (clock.precise(), clock.steady());
    let mut body = Body::of(client.get(url), MAX_BODY).await?;
    let (mut reader, mut packer) = (Reader::new(body.size_hint()), Packer::default());
    while let Some(part) = body.next().await? {
        reader.push(&part)?;
        packer.push(&part);
    }
    let (answered_at, answered) = (clock.precise(), clock.steady());
    let mut snapshot = reader.finish()?;
    if let Some(gap) = snapshot.gap.take() {
        return Err(gap.into());
    }
    let scrape = Scrape { node, snapshot, ordinal, asked_at, answered_at, asked, answered };
    Ok(Reading { scrape, text: packer.finish() })
}

fn view(snapshot: &Snapshot, text: PackedText, at: DateTime<Utc>) -> ProxyView {
    let connections = || snapshot.users.values().filter_map(mtpannel_core::exposition::UserSeries::connections);
    ProxyView {
        at,
        text,
        version: snapshot.version.clone(),
        uptime: snapshot.uptime,
        suppressed: snapshot.suppressed,
        online: connections().filter(|open| *open > 0).count() as u64,
        connections: connections().fold(0, i64::saturating_add),
    }
}

/// The body of an answer with status 200, part by part.
struct Body {
    response: reqwest::Response,
    read: usize,
    max: usize,
}

impl Body {
    /// Sends the request. A body of more than `max` bytes becomes an error as it is read.
    async fn of(request: reqwest::RequestBuilder, max: usize) -> anyhow::Result<Self> {
        let response = request.send().await.map_err(reqwest::Error::without_url)?;
        ensure!(response.status() == reqwest::StatusCode::OK, "it answered {}", response.status());
        Ok(Self { response, read: 0, max })
    }

    /// Bytes that it will have, if the answer says so.
    fn size_hint(&self) -> usize {
        let told = self.response.content_length().unwrap_or(0);
        usize::try_from(told).unwrap_or(self.max).min(self.max)
    }

    async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        let part = self.response.chunk().await.map_err(reqwest::Error::without_url)?;
        self.read += part.as_ref().map_or(0, Bytes::len);
        ensure!(self.read <= self.max, "its answer is longer than {} bytes", self.max);
        Ok(part)
    }

    async fn whole(mut self) -> anyhow::Result<Vec<u8>> {
        let mut whole = Vec::with_capacity(self.size_hint());
        while let Some(part) = self.next().await? {
            whole.extend_from_slice(&part);
        }
        Ok(whole)
    }
}

#[derive(Deserialize)]
struct ApiAnswer {
    data: SystemInfo,
}

/// The fields of `/v1/system/info` that are needed.
#[derive(Deserialize)]
struct SystemInfo {
    process_started_at_epoch_secs: i64,
    last_config_reload_epoch_secs: Option<i64>,
}

/// Whether telemt has read the file since the panel changed it. A file that it rejects shows nowhere else
/// (`docs/contract-telemt.md`, trap 6).
async fn file_accepted(app: &SharedApp, client: &Client, api: &ProxyApi) -> anyhow::Result<Option<bool>> {
    let Some(changed_at) = app.sync.outcome().changed_at else { return Ok(None) };
    if app.clock.now() - changed_at < RELOAD_TIME {
        return Ok(app.health.is_file_accepted());
    }
    let mut request = client.get(format!("{}/v1/system/info", api.url));
    if let Some(auth) = &api.auth {
        request = request.header(reqwest::header::AUTHORIZATION, auth.expose_secret());
    }
    let answer: ApiAnswer = serde_json::from_slice(&Body::of(request, MAX_API_BODY).await?.whole().await?)?;
    let info = answer.data;
    let read_at = info.last_config_reload_epoch_secs.unwrap_or(0).max(info.process_started_at_epoch_secs);
    Ok(Some(read_at >= changed_at.timestamp() - 1))
}
