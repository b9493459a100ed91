//! Figures for the dashboard.

use std::collections::HashMap;

use mtpannel_core::policy::{Scope, StatsRead};
use mtpannel_core::user::Status;

use super::ServiceResult;
use super::caller::Allowed;
use crate::app::App;
use crate::runtime::health::{ProxyState, ProxyView};
use crate::runtime::roster;
use crate::store::system::SystemStats;
use crate::store::users::User;
use crate::store::{Db, StoreResult, system, users};

/// Users in the list of those with the most traffic.
const TOP: usize = 100;

/// What the dashboard shows of the users that the caller sees, and of the proxy.
#[derive(Debug)]
pub struct Stats {
    /// The proxy's figures at the last good scrape, if there was one.
    pub system: Option<SystemStats>,
    /// Their connections at the last scrape, if it succeeded.
    pub online: Option<Online>,
    /// Users by status; every status is there.
    pub by_status: HashMap<Status, i64>,
    /// Users with the most traffic, the largest first.
    pub top: Vec<User>,
}

/// How many users are online.
#[derive(Debug, Clone, Copy)]
pub struct Online {
    /// Users with at least one connection.
    pub users: i64,
    /// Their connections.
    pub connections: i64,
}

/// Gathers the figures.
pub async fn gather(app: &App, caller: &Allowed<StatsRead>) -> ServiceResult<Stats> {
    let scope = caller.scope();
    let by_status = app.roster.count_by_status(&app.store, scope).await?;
    let selection = roster::Selection {
        scope,
        search: String::new(),
        status: None,
        sort: roster::SortKey::DataUsed,
        descending: true,
    };
    let ids = app.roster.select(&app.store, selection).await?;
    let mut conn = app.store.read().await?;
    let system = system::latest(conn.db()).await?;
    let online = match app.health.proxy().filter(|_| app.health.proxy_state() == ProxyState::Up) {
        Some(view) => Some(online(conn.db(), scope, &view).await?),
        None => None,
    };
    let mut top = users::by_ids(conn.db(), ids.iter().copied().take(TOP)).await?;
    top.sort_by_key(|user| (std::cmp::Reverse(user.profile.data_used), user.id));
    Ok(Stats { system, online, by_status, top })
}

async fn online(db: Db<'_>, scope: Scope, view: &ProxyView) -> StoreResult<Online> {
    match scope {
        Scope::All => Ok(Online { users: view.online.try_into().unwrap_or(i64::MAX), connections: view.connections }),
        Scope::OwnedBy(owner) => {
            let (users, connections) = users::online_of(db, owner).await?;
            Ok(Online { users, connections })
        }
    }
}
