//! Expiry and periodic resets at their very moment: it sleeps until the next one, and a mutation wakes it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;
use crate::service::health::Task;
use crate::service::rules;
use crate::store::StoreResult;

/// Longest sleep: the system's clock may be set meanwhile, and another panel may move a date.
const LONGEST: Duration = Duration::from_secs(30);

/// Enforces until `stop`.
pub async fn run(app: SharedApp, stop: CancellationToken) {
    loop {
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
        }
    }
}

/// Does what is due and gives the time until something is due again.
async fn turn(app: &SharedApp) -> StoreResult<Duration> {
    let due = |deadline: Option<_>| deadline.is_some_and(|deadline| deadline <= app.clock.now());
    if due(rules::next_deadline(app).await?) {
        let users = rules::enforce(app).await?;
        tracing::info!(users, "expired or reset users");
    }
    let next = rules::next_deadline(app).await?;
    let wait = next.map_or(LONGEST, |next| (next - app.clock.precise()).to_std().unwrap_or(Duration::ZERO));
    Ok(wait.min(LONGEST))
}
