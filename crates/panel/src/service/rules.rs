//! What time does to users: expiry and periodic resets. What a wrong clock has decided is decided again.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mtpannel_core::user::{CLOCKS_DIFFER, Status};

use super::audit;
use super::change::Change;
use super::users::reset;
use crate::app::App;
use crate::store::users::User;
use crate::store::{Db, StoreResult, deadlines, departed, users};

/// Rows per transaction, so that requests get their turn between.
const BATCH: i64 = 1_000;

/// Brings everything whose moment has come by now, or was taken for come by a wrong clock, up to date, and gives how many
/// users there were.
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

/// Resets usage where it is due, and moves resets that were put off. Gives how many users there were.
async fn judge_resets(mut db: Db<'_>, now: DateTime<Utc>) -> StoreResult<usize> {
    let mut due = deadlines::resetting(db.reborrow(), now, BATCH).await?;
    let last: HashMap<i64, DateTime<Utc>> = deadlines::last_resets(db.reborrow(), &due).await?.into_iter().collect();
    let before: Vec<Status> = due.iter().map(|user| user.status).collect();
    let mut was_reset = Vec::new();
    for user in &mut due {
        // A clock that was behind may have moved the next reset to a day that is over since.
        if last.get(&user.id).is_none_or(|last| user.reset_strategy.is_due(*last, now)) {
            reset(user, now);
            was_reset.push(user.id);
        }
    }
    let statuses = due.iter().zip(before).map(|(user, before)| (user.username.as_str(), before, user.status));
    audit::record_statuses(db.reborrow(), now, statuses).await?;
    let put_off = deadlines::put_off(db.reborrow(), now + CLOCKS_DIFFER, BATCH).await?;
    let mut changed: Vec<User> = due.into_iter().chain(put_off).collect();
    for user in &mut changed {
        user.next_reset_at = user.reset_strategy.next_reset(now);
    }
    users::update_many(db.reborrow(), &changed, now).await?;
    if !was_reset.is_empty() {
        deadlines::set_last_reset(db, was_reset, now).await?;
    }
    Ok(changed.len())
}

/// Writes the status of those whose time is over, and of those whose time was taken for over. Gives how many there were.
async fn judge_expiry(mut db: Db<'_>, now: DateTime<Utc>) -> StoreResult<usize> {
    let mut misjudged = deadlines::expiring(db.reborrow(), now, BATCH).await?;
    misjudged.extend(deadlines::revived(db.reborrow(), now + CLOCKS_DIFFER, BATCH).await?);
    let statuses = misjudged.iter().map(|user| (user.id, user.standing().status(now)));
    users::set_status(db.reborrow(), statuses, now).await?;
    let changes = misjudged.iter().map(|user| (user.username.as_str(), user.status, user.standing().status(now)));
    audit::record_statuses(db, now, changes).await?;
    Ok(misjudged.len())
}

/// Takes back what a clock that was ahead has noted of cuts, which would last until then. Tells whether there was anything.
async fn correct(mut db: Db<'_>, now: DateTime<Utc>) -> StoreResult<bool> {
    if !is_noted_ahead(db.reborrow(), now).await? {
        return Ok(false);
    }
    departed::correct(db, now, now + CLOCKS_DIFFER).await?;
    Ok(true)
}

async fn is_noted_ahead(db: Db<'_>, now: DateTime<Utc>) -> StoreResult<bool> {
    Ok(departed::latest(db).await?.is_some_and(|latest| latest > now + CLOCKS_DIFFER))
}

/// The next moment at which [`enforce`] has something to do: now, if a wrong clock has left something behind.
pub async fn next_deadline(app: &App) -> StoreResult<Option<DateTime<Utc>>> {
    let now = app.clock.now();
    let mut conn = app.store.read().await?;
    if deadlines::is_misjudged(conn.db(), now + CLOCKS_DIFFER).await? || is_noted_ahead(conn.db(), now).await? {
        return Ok(Some(now));
    }
    deadlines::next_deadline(conn.db()).await
}
