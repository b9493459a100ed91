//! Users who are about to lose service.

use std::cmp::Reverse;

use chrono::TimeDelta;
use mtpannel_core::policy::Actor;
use mtpannel_core::user::Status;

use super::ServiceResult;
use crate::app::App;
use crate::runtime::roster::belongs;
use crate::store::users::{self, Listed, User};

/// How far ahead the end of a user's time is looked for.
const AHEAD: TimeDelta = TimeDelta::days(7);
/// From which part of his limit on, percent, a user has nearly used it up.
const NEARLY: i128 = 80;
/// Users in each list.
const SHOWN: usize = 10;

/// Those whom the administrator sees and who are still served.
#[derive(Debug)]
pub struct Soon {
    /// Their time ends within a week; the next first.
    pub by_time: Vec<User>,
    /// They have used 80 % of their traffic or more; the fullest first.
    pub by_traffic: Vec<User>,
}

/// Gathers them.
pub async fn gather(app: &App, actor: &Actor) -> ServiceResult<Soon> {
    let rows = app.roster.rows(&app.store).await?;
    let owner = actor.scope().owner();
    let served =
        || rows.iter().filter(|row| row.status == Status::Active).filter(|row| belongs(row.created_by_admin_id, owner));
    let until = app.clock.now() + AHEAD;
    let by_time = first(served().filter_map(|row| Some((row.expire_at.filter(|end| *end <= until)?, row.id))));
    let by_traffic = first(served().filter_map(|row| Some((Reverse(nearly_used(row)?), row.id))));
    let mut conn = app.store.read().await?;
    let of = users::by_ids(conn.db(), by_time.iter().chain(&by_traffic).copied()).await?;
    let find = |id: &i64| of.iter().find(|user| user.id == *id).cloned();
    Ok(Soon {
        by_time: by_time.iter().filter_map(find).collect(),
        by_traffic: by_traffic.iter().filter_map(find).collect(),
    })
}

/// How much of his limit he has used, in millionths, if that is nearly all.
fn nearly_used(row: &Listed) -> Option<i128> {
    let (used, limit) = (i128::from(row.data_used), i128::from(row.data_limit?.get()));
    (used * 100 >= limit * NEARLY).then(|| used * 1_000_000 / limit)
}

/// Row ids of the smallest, in order.
fn first<K: Ord>(users: impl Iterator<Item = (K, i64)>) -> Vec<i64> {
    let mut users: Vec<_> = users.collect();
    users.sort_unstable();
    users.into_iter().take(SHOWN).map(|(_, id)| id).collect()
}
