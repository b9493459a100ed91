//! Users who are served and whose time or traffic is nearly used up.

use std::cmp::Reverse;

use chrono::TimeDelta;
use mtpannel_core::policy::StatsRead;
use mtpannel_core::user::Status;

use super::ServiceResult;
use super::caller::Allowed;
use crate::app::App;
use crate::store::users::{self, Listed, User};

/// How far ahead an expiry is shown.
const AHEAD: TimeDelta = TimeDelta::days(7);
/// From this part of the limit on, in percent, a user has nearly used it up.
const NEARLY: i128 = 80;
/// Users in each list.
const SHOWN: usize = 10;

/// Users whom the caller sees and who are still served.
#[derive(Debug)]
pub struct Soon {
    /// Those who expire within a week; the next first.
    pub by_time: Vec<User>,
    /// Those who have used 80 % of their limit or more; the fullest first.
    pub by_traffic: Vec<User>,
}

/// Gathers both lists.
pub async fn gather(app: &App, caller: &Allowed<StatsRead>) -> ServiceResult<Soon> {
    let rows = app.roster.rows(&app.store).await?;
    let scope = caller.scope();
    let is_served = |row: &&Listed| row.status == Status::Active && scope.sees(row.created_by_admin_id);
    let served = || rows.iter().filter(is_served);
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

/// The used part of the limit, in millionths, if that is nearly all.
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
