//! Tidies history at start and every hour.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;
use crate::service::health::Task;
use crate::service::retention;

const INTERVAL: Duration = Duration::from_hours(1);

/// Tidies until `stop`.
pub async fn run(app: SharedApp, stop: CancellationToken) {
    let mut last = Instant::now();
    loop {
        let lived = TimeDelta::from_std(last.elapsed()).unwrap_or(TimeDelta::MAX);
        last = Instant::now();
        match retention::tidy_as_lived(&app, lived).await {
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
