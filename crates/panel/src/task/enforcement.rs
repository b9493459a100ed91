//! Enforcement: users expire and are reset at the right time. The task sleeps until the next such time; a change of a user
//! wakes it. What a wrong clock has decided is decided again (`docs/adr/0012-wrong-clocks-and-suspensions.md`).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel_core::user::{CLOCKS_DIFFER, Status};
use tokio_util::sync::CancellationToken;

use crate::app::{App, SharedApp};
use crate::change::Change;
use crate::runtime::health::Task;
use crate::store::users::User;
use crate::store::{Db, StoreResult, audit, deadlines, session_cuts, users};

/// Longest sleep, because another panel may change a date.
const LONGEST: Duration = Duration::from_secs(30);
/// Time between two checks whether the clock was set.
const LOOK: Duration = Duration::from_secs(1);
/// A step of the clock by so much wakes the task.
const STEP: TimeDelta = TimeDelta::seconds(2);
/// Most rows in a transaction, so that requests do not wait for long.
const BATCH: i64 = 1_000;

/// Runs the task until `stop`.
pub async fn run(app: SharedApp, stop: CancellationToken) {
    loop {
        // Before the turn, so that no step of the clock during it is missed.
        let watch = ClockWatch::new(&app);
        let sleep = match turn(&app).await {
            Ok(sleep) => {
                app.health.succeeded(Task::Enforcement, app.clock.now());
                sleep
            }
            Err(error) => {
                tracing::error!(%error, "limits could not be enforced; trying again");
                app.health.failed(Task::Enforcement, error.to_string());
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.deadlines.notified() => {}
            () = tokio::time::sleep(sleep) => {}
            jump = watch.jump() => {
                tracing::warn!(
                    seconds = jump.num_seconds(),
                    "the clock was set, or the machine was suspended; what depends on the time is decided again"
                );
            }
        }
    }
}

/// Compares the clock with a timer that nobody sets.
struct ClockWatch<'a> {
    app: &'a SharedApp,
    shown: DateTime<Utc>,
    at: Instant,
}

impl<'a> ClockWatch<'a> {
    fn new(app: &'a SharedApp) -> Self {
        Self { app, shown: app.clock.precise(), at: Instant::now() }
    }

    /// Waits until the clock differs from the timer since the start, and returns by how much.
    async fn jump(self) -> TimeDelta {
        loop {
            tokio::time::sleep(LOOK).await;
            let lived = TimeDelta::from_std(self.at.elapsed()).unwrap_or(TimeDelta::MAX);
            let jump = (self.app.clock.precise() - self.shown) - lived;
            if jump.abs() >= STEP {
                return jump;
            }
        }
    }
}

/// Does what is due and returns the time until something is due again.
async fn turn(app: &SharedApp) -> StoreResult<Duration> {
    let due = |deadline: Option<_>| deadline.is_some_and(|deadline| deadline <= app.clock.now());
    if due(next_deadline(app).await?) {
        let users = enforce(app).await?;
        tracing::info!(users, "expired, revived or reset users");
    }
    let next = next_deadline(app).await?;
    let wait = next.map_or(LONGEST, |next| (next - app.clock.precise()).to_std().unwrap_or(Duration::ZERO));
    Ok(wait.min(LONGEST))
}

/// Expires and resets users who are due, takes back what a wrong clock has decided, and returns how many users changed.
pub async fn enforce(app: &App) -> StoreResult<usize> {
    let mut done = 0;
    loop {
        let mut change = Change::begin(app).await?;
        let now = change.now;
        let is_corrected = correct(change.db(), now).await?;
        let users = judge_resets(change.db(), now).await? + judge_expiry(change.db(), now).await?;
        if users == 0 && !is_corrected {
            return Ok(done);
        }
        done += users;
        change.finish_without_waiting().await?;
    }
}

/// Resets usage where it is due, and brings resets forward that a wrong clock has put off. Returns how many users changed.
async fn judge_resets(mut db: Db<'_>, now: DateTime<Utc>) -> StoreResult<usize> {
    let mut due = deadlines::resetting(db.reborrow(), now, BATCH).await?;
    let last: HashMap<i64, DateTime<Utc>> = deadlines::last_resets(db.reborrow(), &due).await?.into_iter().collect();
    let before: Vec<Status> = due.iter().map(|user| user.profile.status).collect();
    let mut was_reset = Vec::new();
    for user in &mut due {
        // A clock that was behind may have moved the next reset to a day that is over since.
        if last.get(&user.id).is_none_or(|last| user.profile.reset_strategy.is_due(*last, now)) {
            user.reset_usage(now);
            was_reset.push(user.id);
        }
    }
    let statuses = due.iter().zip(before).map(|(user, before)| (user.username.as_str(), before, user.profile.status));
    audit::record_statuses(db.reborrow(), now, statuses).await?;
    let put_off = deadlines::put_off(db.reborrow(), now + CLOCKS_DIFFER, BATCH).await?;
    let mut changed: Vec<User> = due.into_iter().chain(put_off).collect();
    for user in &mut changed {
        user.profile.next_reset_at = user.profile.reset_strategy.next_reset(now);
    }
    users::update_many(db.reborrow(), &changed, now).await?;
    if !was_reset.is_empty() {
        deadlines::set_last_reset(db, was_reset, now).await?;
    }
    Ok(changed.len())
}

/// Stores the status of users who have expired, and of those whom a wrong clock has expired. Returns how many there were.
async fn judge_expiry(mut db: Db<'_>, now: DateTime<Utc>) -> StoreResult<usize> {
    let mut misjudged = deadlines::expiring(db.reborrow(), now, BATCH).await?;
    misjudged.extend(deadlines::revived(db.reborrow(), now + CLOCKS_DIFFER, BATCH).await?);
    let statuses = misjudged.iter().map(|user| (user.id, user.profile.standing().status(now)));
    users::set_status(db.reborrow(), statuses, now).await?;
    let changes =
        misjudged.iter().map(|user| (user.username.as_str(), user.profile.status, user.profile.standing().status(now)));
    audit::record_statuses(db, now, changes).await?;
    Ok(misjudged.len())
}

/// Corrects times of session cuts that a clock that was ahead has stored: the cuts would last until then. Returns whether there
/// were any.
async fn correct(mut db: Db<'_>, now: DateTime<Utc>) -> StoreResult<bool> {
    if !is_noted_ahead(db.reborrow(), now).await? {
        return Ok(false);
    }
    session_cuts::correct(db, now, now + CLOCKS_DIFFER).await?;
    Ok(true)
}

async fn is_noted_ahead(db: Db<'_>, now: DateTime<Utc>) -> StoreResult<bool> {
    Ok(session_cuts::latest(db).await?.is_some_and(|latest| latest > now + CLOCKS_DIFFER))
}

/// The next time at which [`enforce`] has something to do: now, if a wrong clock has decided something.
pub async fn next_deadline(app: &App) -> StoreResult<Option<DateTime<Utc>>> {
    let now = app.clock.now();
    let mut conn = app.store.read().await?;
    if deadlines::is_misjudged(conn.db(), now + CLOCKS_DIFFER).await? || is_noted_ahead(conn.db(), now).await? {
        return Ok(Some(now));
    }
    deadlines::next_deadline(conn.db()).await
}
