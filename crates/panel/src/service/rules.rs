//! What time does to users: expiry and periodic resets.

use chrono::{DateTime, Utc};
use mtpannel_core::user::Status;

use super::audit;
use super::change::Change;
use super::users::reset;
use crate::app::App;
use crate::store::{StoreResult, users};

/// Users per transaction, so that requests get their turn between.
const BATCH: i64 = 1_000;

/// Brings every user whose moment has come by now up to date, and gives how many there were.
pub async fn enforce(app: &App) -> StoreResult<usize> {
    let mut done = 0;
    loop {
        let mut change = Change::begin(app).await?;
        let now = change.now;
        let mut due = users::resetting(change.db(), now, BATCH).await?;
        let before: Vec<Status> = due.iter().map(|user| user.status).collect();
        for user in &mut due {
            user.next_reset_at = user.reset_strategy.next_reset(now);
            reset(user, now);
        }
        users::update_many(change.db(), &due, now).await?;
        let reset = due.iter().zip(before).map(|(user, before)| (user.username.as_str(), before, user.status));
        audit::record_statuses(change.db(), now, reset).await?;
        let expired = users::expiring(change.db(), now, BATCH).await?;
        let statuses = expired.iter().map(|user| (user.id, user.standing().status(now)));
        users::set_status(change.db(), statuses, now).await?;
        let ended = expired.iter().map(|user| (user.username.as_str(), user.status, user.standing().status(now)));
        audit::record_statuses(change.db(), now, ended).await?;
        if due.is_empty() && expired.is_empty() {
            return Ok(done);
        }
        done += due.len() + expired.len();
        change.finish_without_waiting().await?;
    }
}

/// The next moment at which [`enforce`] has something to do.
pub async fn next_deadline(app: &App) -> StoreResult<Option<DateTime<Utc>>> {
    users::next_deadline(app.store.read().await?.db()).await
}
