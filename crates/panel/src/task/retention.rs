//! Retention: rolls up and prunes history, at the start and every hour. Rows older than a day become one an hour, those older
//! than 30 days one a day, and those older than a year are deleted. Sums stay.

use std::time::{Duration, Instant};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use mtpannel_core::history;
use tokio_util::sync::CancellationToken;

use crate::app::{App, SharedApp};
use crate::runtime::health::Task;
use crate::store::retention::{self, Progress};
use crate::store::{NodeId, StoreResult, audit, nodes, session_cuts, sessions, state};

const INTERVAL: Duration = Duration::from_hours(1);
const HOURLY_AFTER: TimeDelta = TimeDelta::days(1);
const DAILY_AFTER: TimeDelta = TimeDelta::days(30);
const GONE_AFTER: TimeDelta = TimeDelta::days(365);
/// The proxy's figures are kept as long as the hourly traffic.
const STATS_GONE_AFTER: TimeDelta = TimeDelta::days(30);

/// A session cut that is this old is dropped, even if no scrape has told of its name because the proxy leaves names out. The
/// proxy forgets a name after 24 hours without a connection (`docs/contract-telemt.md`, traps 3 and 4), so nothing is left that
/// the next user of the name could be charged with.
const CUT_GONE_AFTER: TimeDelta = TimeDelta::hours(25);

/// Most actions of the audit log that are removed in one transaction.
const AUDIT_BATCH: i64 = 5_000;

/// Runs the task until `stop`.
pub async fn run(app: SharedApp, stop: CancellationToken) {
    let mut last = Instant::now();
    loop {
        let lived = TimeDelta::from_std(last.elapsed()).unwrap_or(TimeDelta::MAX);
        last = Instant::now();
        match tidy_as_lived(&app, lived).await {
            Ok(()) => app.health.succeeded(Task::Retention, app.clock.now()),
            Err(error) => {
                tracing::error!(%error, "history could not be tidied; trying again in an hour");
                app.health.failed(Task::Retention, error.to_string());
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

/// Tidies as of the clock, which may jump: `lived` is how long the panel has run since the last turn, and history goes only a
/// little further than that. See [`history::follow`].
pub async fn tidy_as_lived(app: &App, lived: TimeDelta) -> StoreResult<()> {
    let mut tx = app.store.write().await?;
    let clock = app.clock.now();
    let now = history::follow(state::lived_until(tx.db()).await?, lived, clock);
    state::set_lived_until(tx.db(), now).await?;
    tx.commit().await?;
    if now < clock {
        tracing::warn!(
            until = %now,
            "the clock is further ahead than the panel has run; history is kept until it has run for long enough"
        );
    }
    tidy_as_of(app, now).await
}

/// Tidies as of the time that the clock shows, whatever it showed before.
pub async fn tidy(app: &App) -> StoreResult<()> {
    tidy_as_of(app, app.clock.now()).await
}

/// Rolls up, prunes, and forgets session cuts and login sessions that ended. One hour or day per transaction.
async fn tidy_as_of(app: &App, now: DateTime<Utc>) -> StoreResult<()> {
    roll(app, TimeDelta::hours(1), now - HOURLY_AFTER, |progress| &mut progress.hours_rolled_until).await?;
    roll(app, TimeDelta::days(1), now - DAILY_AFTER, |progress| &mut progress.days_rolled_until).await?;
    let mut tx = app.store.write().await?;
    retention::prune(tx.db(), now - GONE_AFTER, now - STATS_GONE_AFTER).await?;
    if let Some(scrape) = nodes::last_scrape(tx.db(), NodeId::LOCAL).await? {
        session_cuts::remove_written_before(tx.db(), NodeId::LOCAL, scrape.answered_at.min(now) - CUT_GONE_AFTER)
            .await?;
    }
    sessions::delete_expired(tx.db(), now).await?;
    tx.commit().await?;
    prune_audit(app, now).await
}

/// Removes actions of the audit log that are older than `AUDIT_KEEP_DAYS`, in parts, so that requests do not wait for long.
async fn prune_audit(app: &App, now: DateTime<Utc>) -> StoreResult<()> {
    let kept_for = app.settings.audit_kept_for.and_then(|kept_for| TimeDelta::from_std(kept_for).ok());
    let Some(before) = kept_for.and_then(|kept_for| now.checked_sub_signed(kept_for)) else { return Ok(()) };
    let mut all = 0;
    loop {
        let mut tx = app.store.write().await?;
        let removed = audit::remove_before(tx.db(), before, AUDIT_BATCH).await?;
        tx.commit().await?;
        all += removed;
        if removed == 0 {
            break;
        }
    }
    if all > 0 {
        tracing::info!(entries = all, %before, "old actions of the audit log were removed");
    }
    Ok(())
}

/// Rolls up every whole window of `width` that ended by `before` and was not rolled up yet.
async fn roll(
    app: &App,
    width: TimeDelta,
    before: DateTime<Utc>,
    mark: fn(&mut Progress) -> &mut Option<DateTime<Utc>>,
) -> StoreResult<()> {
    loop {
        let mut tx = app.store.write().await?;
        let mut progress = retention::progress(tx.db()).await?;
        let from = mark(&mut progress).unwrap_or(DateTime::UNIX_EPOCH);
        let Some(oldest) = retention::oldest(tx.db(), from).await? else { return Ok(()) };
        let Some((begin, end)) = window(oldest, width).filter(|(_, end)| *end <= before) else { return Ok(()) };
        retention::roll_up(tx.db(), begin, end).await?;
        *mark(&mut progress) = Some(end);
        retention::set_progress(tx.db(), &progress).await?;
        tx.commit().await?;
    }
}

/// The window of `width` that holds `moment`.
fn window(moment: DateTime<Utc>, width: TimeDelta) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let begin = moment.duration_trunc(width).ok()?;
    Some((begin, begin + width))
}
