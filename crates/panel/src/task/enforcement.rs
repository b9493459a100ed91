//! Expiry and periodic resets at their very moment: it sleeps until the next one, and a mutation wakes it.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;
use crate::service::health::Task;
use crate::service::rules;
use crate::store::StoreResult;

/// Longest sleep: another panel may move a date.
const LONGEST: Duration = Duration::from_secs(30);
/// Between two looks whether the clock was set.
const LOOK: Duration = Duration::from_secs(1);
/// A step of the clock by so much wakes the task.
const STEP: TimeDelta = TimeDelta::seconds(2);

/// Enforces until `stop`.
pub async fn run(app: SharedApp, stop: CancellationToken) {
    loop {
        // Before the turn, so that no step during it is missed.
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

/// Compares the clock with time.
struct ClockWatch<'a> {
    app: &'a SharedApp,
    shown: DateTime<Utc>,
    at: Instant,
}

impl<'a> ClockWatch<'a> {
    fn new(app: &'a SharedApp) -> Self {
        Self { app, shown: app.clock.precise(), at: Instant::now() }
    }

    /// Waits until the clock has gone another way than time since the beginning, and tells by how much.
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

/// Does what is due and gives the time until something is due again.
async fn turn(app: &SharedApp) -> StoreResult<Duration> {
    let due = |deadline: Option<_>| deadline.is_some_and(|deadline| deadline <= app.clock.now());
    if due(rules::next_deadline(app).await?) {
        let users = rules::enforce(app).await?;
        tracing::info!(users, "expired, revived or reset users");
    }
    let next = rules::next_deadline(app).await?;
    let wait = next.map_or(LONGEST, |next| (next - app.clock.precise()).to_std().unwrap_or(Duration::ZERO));
    Ok(wait.min(LONGEST))
}
