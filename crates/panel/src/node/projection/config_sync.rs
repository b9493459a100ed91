//! Config sync: the one task that writes `config.toml`. Whatever has happened, it makes the file say what the database says
//! now; mutations that come together share one write.

mod foreign;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel_core::access::Access;
use mtpannel_core::user::Username;
use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;
use crate::node::projection::file::{ConfigFile, ConfigFileError};
use crate::node::projection::load::{self, Known, Projection};
use crate::node::projection::takeover::{self, TakenOver};
use crate::runtime::health::Task;
use crate::runtime::sync::{Failure, Outcome};
use crate::runtime::warnings::Source;
use crate::runtime::warnings::endpoint::differences;
use crate::store::{NodeId, Store, state};

/// Longest wait of a write for mutations that are under way, so that they share it. Without any it does not wait.
const GATHER: Duration = Duration::from_millis(250);
/// Time between two checks whether somebody else has changed the file.
const GLANCE: Duration = Duration::from_secs(30);
/// The same after a failure: somebody may have corrected the file.
const MENDED: Duration = Duration::from_secs(1);
/// Time between two checks for changes by other panels that share the database.
const POLL: Duration = Duration::from_secs(2);
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(30);

/// The task with what it keeps between two writes.
struct ConfigSyncTask {
    app: SharedApp,
    /// The node whose file it writes.
    node: NodeId,
    /// `None` while a blocking thread works on it.
    file: Option<ConfigFile>,
    /// Whether the take-over is still to be done.
    take_over: bool,
    /// Unknown names in the file, until their session cut is stored.
    unknown: Vec<Username>,
    known: Known,
    retry: Duration,
    /// The copy that was kept last of a file with changes by others.
    copy: Option<PathBuf>,
}

/// When the task has something to do again.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// After a failure: at this time, or as soon as somebody has changed the file.
    Retry(Instant),
    /// At the end of the next session cut, if there is one.
    At(Option<DateTime<Utc>>),
}

/// Runs the task until `stop`, and then writes once more what mutations still wait for.
pub async fn run(app: SharedApp, file: ConfigFile, stop: CancellationToken) {
    let mut wanted = app.sync.wanted();
    let mut task = ConfigSyncTask {
        app,
        node: NodeId::LOCAL,
        file: Some(file),
        take_over: true,
        unknown: Vec::new(),
        known: Known::default(),
        retry: FIRST_RETRY,
        copy: None,
    };
    let mut next = Next::Retry(Instant::now());
    loop {
        let wait = match next {
            Next::Retry(moment) => moment.saturating_duration_since(Instant::now()).min(MENDED),
            Next::At(moment) => moment.map_or(GLANCE, |moment| task.until(moment).min(GLANCE)),
        };
        tokio::select! {
            () = stop.cancelled() => break,
            changed = wanted.changed() => if changed.is_err() { break },
            () = tokio::time::sleep(if task.is_shared() { wait.min(POLL) } else { wait }) => {
                if !task.is_due(next).await {
                    continue;
                }
            }
        }
        task.app.sync.quiet(GATHER).await;
        let asked_for = *wanted.borrow_and_update();
        next = task.write(asked_for).await;
    }
    let asked_for = *wanted.borrow_and_update();
    if task.app.sync.outcome().written < Some(asked_for) {
        task.write(asked_for).await;
    }
}

impl ConfigSyncTask {
    /// Whether other panels may work with the same database.
    fn is_shared(&self) -> bool {
        matches!(self.app.store, Store::Postgres { .. })
    }

    fn until(&self, moment: DateTime<Utc>) -> Duration {
        (moment - self.app.clock.precise()).to_std().unwrap_or(Duration::ZERO)
    }

    /// Whether there is something to do although no mutation has asked for a write.
    async fn is_due(&mut self, next: Next) -> bool {
        match next {
            Next::Retry(moment) => moment <= Instant::now() || self.file.as_ref().is_none_or(ConfigFile::has_changed),
            Next::At(Some(moment)) if self.until(moment).is_zero() => true,
            Next::At(_) => self.is_behind().await,
        }
    }

    /// Whether the file is not what this task wrote last, or another panel has changed what it must say. If the database does
    /// not answer, this is true, so that an attempt to write finds out why.
    async fn is_behind(&mut self) -> bool {
        if self.file.as_ref().is_none_or(ConfigFile::was_touched) {
            return true;
        }
        self.look_for_copy();
        let Ok(Some(revision)) = load::unchanged(&self.app.store, &mut self.known).await else { return true };
        let last = self.app.sync.outcome();
        if last.written < Some(revision) {
            self.app.sync.publish(Outcome { written: Some(revision), ..last });
        }
        self.app.health.succeeded(Task::ConfigSync, self.app.clock.now());
        false
    }

    async fn revision(&self) -> Option<i64> {
        let mut conn = self.app.store.read().await.ok()?;
        state::revision(conn.db()).await.ok()
    }

    /// Makes one attempt and publishes its outcome. Mutations wait for the revision `asked_for`.
    async fn write(&mut self, asked_for: i64) -> Next {
        let began = Instant::now();
        let attempt = self.attempt().await;
        metrics::histogram!("mtpannel_config_sync_duration_seconds").record(began.elapsed());
        let now = self.app.clock.now();
        let last = self.app.sync.outcome();
        match attempt {
            Ok((projection, changed)) => {
                self.retry = FIRST_RETRY;
                self.app.health.succeeded(Task::ConfigSync, now);
                let changed_at = if changed { Some(now) } else { last.changed_at };
                self.compare_endpoint();
                self.look_for_copy();
                let next = self.next(&projection);
                self.app.sync.publish(Outcome { written: Some(projection.revision), changed_at, failure: None });
                Next::At(next)
            }
            Err(detail) => {
                metrics::counter!("mtpannel_config_sync_failures_total").increment(1);
                tracing::error!(%detail, "config.toml was not written; trying again");
                self.app.health.failed(Task::ConfigSync, detail.as_str());
                let revision = self.revision().await.unwrap_or(asked_for).max(asked_for);
                self.app.sync.publish(Outcome { failure: Some(Failure { revision, detail }), ..last });
                let wait = self.retry;
                self.retry = (wait * 2).min(LAST_RETRY);
                Next::Retry(Instant::now() + if self.is_shared() { wait.min(POLL) } else { wait })
            }
        }
    }

    /// Makes the file say what the database says. Returns the projection that the file has now, and whether it had to be
    /// written.
    async fn attempt(&mut self) -> Result<(Projection, bool), String> {
        let (projection, access, rendered, digests) = loop {
            self.wait_for_quiet().await?;
            self.take_over_first().await?;
            self.cut_unknown().await?;
            let (projection, access) = self.load().await?;
            let work = move |file: &mut ConfigFile| {
                let unknown = file.unknown_names(&access)?;
                if !unknown.is_empty() {
                    return Ok(Err(unknown));
                }
                foreign::render(file, &access).map(|(rendered, digests)| Ok((access, rendered, digests)))
            };
            match self.with_file(move |file| work(file).map_err(|error: ConfigFileError| error.to_string())).await? {
                Ok((access, rendered, digests)) => break (projection, access, rendered, digests),
                // The file was put there this very moment.
                Err(_) if self.take_over => {}
                Err(unknown) => self.unknown = unknown,
            }
        };
        let rendered = self.keep_what_is_lost(rendered).await?;
        if !digests.is_empty() {
            self.remember(&digests).await;
        }
        let write = move |file: &mut ConfigFile| file.write(rendered, &access).map_err(|error| error.to_string());
        let changed = self.with_file(write).await?;
        let written_at = self.app.clock.precise();
        load::written(&self.app.store, self.node, &projection, written_at).await.map_err(|error| error.to_string())?;
        if changed {
            tracing::info!(revision = projection.revision, "config.toml written");
        }
        Ok((projection, changed))
    }

    /// Warns if links lead elsewhere than the file says.
    fn compare_endpoint(&self) {
        let Some(endpoint) = self.file.as_ref().and_then(ConfigFile::file_endpoint) else { return };
        self.app.warnings.replace(Source::File, differences(&self.app.settings.proxy, endpoint));
    }

    async fn load(&mut self) -> Result<(Projection, Access), String> {
        let now = self.app.clock.precise();
        load::load(&self.app.store, self.node, &mut self.known, now).await.map_err(|error| error.to_string())
    }

    async fn take_over_first(&mut self) -> Result<(), String> {
        if !self.take_over {
            return Ok(());
        }
        if !takeover::is_due(&self.app).await.map_err(|error| error.to_string())? {
            self.take_over = false;
            return Ok(());
        }
        let (source, path) = self
            .with_file(|file| {
                let source = file.read().map_err(|error| error.to_string())?;
                let path = file.path().display().to_string();
                if file.is_as_looked_at() {
                    Ok((source, path))
                } else {
                    Err(format!("{path}: somebody else is writing it"))
                }
            })
            .await?;
        let taken = takeover::take_over(&self.app, source.as_ref()).await;
        let TakenOver { users, is_done } = taken.map_err(|error| format!("{path}: {error}"))?;
        if users > 0 {
            tracing::info!(users, "took over the users of the existing config.toml");
        }
        self.take_over = !is_done;
        Ok(())
    }

    /// Orders the session cut of the unknown names that the last attempt found in the file.
    async fn cut_unknown(&mut self) -> Result<(), String> {
        let Some(first) = self.unknown.first() else { return Ok(()) };
        tracing::warn!(
            names = self.unknown.len(),
            %first,
            "config.toml has users that the database does not have; they are removed and their sessions cut"
        );
        let now = self.app.clock.now();
        load::cut_unknown(&self.app.store, self.node, &self.unknown, now).await.map_err(|error| error.to_string())?;
        self.unknown.clear();
        Ok(())
    }

    async fn with_file<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut ConfigFile) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let mut file = self.file.take().unwrap_or_else(|| ConfigFile::new(&self.app.settings.proxy));
        let (file, result) = tokio::task::spawn_blocking(move || {
            let result = work(&mut file);
            (file, result)
        })
        .await
        .map_err(|error| format!("writing the file panicked: {error}"))?;
        self.file = Some(file);
        result
    }

    /// When the next session cut ends, of those that this write made and those before.
    fn next(&self, projection: &Projection) -> Option<DateTime<Utc>> {
        // A millisecond more, because times are cut to milliseconds.
        let first =
            projection.first_cut_lasts.map(|lasts| self.app.clock.precise() + lasts + TimeDelta::milliseconds(1));
        [projection.next_end_of_cut, first].into_iter().flatten().min()
    }
}
