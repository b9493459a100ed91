//! Taking over the database of the Python panel: all of it in one transaction, or nothing.
//!
//! The old panel kept what it had last read of the proxy's counters in memory only, so its database does not tell how
//! much of the present counters is in `data_used` already. Therefore the import reads the counters itself and makes them
//! the base of the accounting: what the proxy counts from then on is counted once. Bytes between the old panel's last
//! reading and the import are lost; they are few if it was stopped just before. Without an answer of the proxy there is
//! no base, and the first scrape adds everything that the proxy has counted since its own start, which is right only if
//! the proxy starts after the import.
//!
//! A name's meter comes to stand at least as high as the proxy's counters, so that the quota in the file, which is the
//! base of the usage plus the limit, does not cut a user too early.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use mtpannel_core::audit::By;
use mtpannel_core::usage::{self, Account, Counters, Meter};
use mtpannel_core::user::Profile;
use serde_json::json;

use self::read::{OldAdmin, OldData, OldUser};
use crate::node::metering::record::Scrape;
use crate::store::meters;
use crate::store::traffic::{self, Moved};
use crate::store::users::{self, User};
use crate::store::{Db, NodeId, Store, StoreError, StoreResult, admins, audit, nodes, retention, state, system};

mod cells;
pub mod read;

/// Why nothing was taken over, although everything fits.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There are users.
    #[error("the database holds {0} users already; an import needs one without users")]
    HoldsUsers(usize),
    /// A panel is running with this database.
    #[error("a panel that runs with this database has read the proxy's metrics meanwhile; stop it first")]
    PanelRuns,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was taken over.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// New administrators.
    pub admins: usize,
    /// Administrators whose names existed and who stayed as they were.
    pub kept_admins: Vec<String>,
    /// Users.
    pub users: usize,
    /// Users whose owner did not exist any more; they have none now.
    pub orphans: usize,
    /// Rows of traffic by user.
    pub traffic: usize,
    /// Rows of traffic of users who did not exist any more: only in the totals now.
    pub ownerless_traffic: usize,
    /// Directions of traffic rows that were negative and count as 0.
    pub negative: usize,
    /// Rows of the proxy's figures.
    pub stats: usize,
    /// Whether the proxy's counters are the base of the accounting.
    pub has_base: bool,
}

/// Takes over `old`. `scrape` is what the proxy showed just before, if it answered. A rehearsal does all of it and then
/// takes it back.
pub async fn apply(
    store: &Store,
    old: OldData,
    scrape: Option<&Scrape>,
    now: DateTime<Utc>,
    is_rehearsal: bool,
) -> Result<Summary, ImportError> {
    let mut tx = store.write().await?;
    let present = users::count(tx.db()).await?;
    if present > 0 {
        return Err(ImportError::HoldsUsers(present));
    }
    if let Some(scrape) = scrape {
        if nodes::scrape_ordinal(tx.db(), scrape.node).await? != scrape.ordinal {
            return Err(ImportError::PanelRuns);
        }
        set_base(tx.db(), scrape).await?;
    }
    let mut summary = Summary { has_base: scrape.is_some(), negative: old.negative, ..Summary::default() };
    let admins = add_admins(tx.db(), &old.admins, now, &mut summary).await?;
    let ids = add_users(tx.db(), &old, &admins, now, &mut summary).await?;
    add_history(tx.db(), old, &ids, &mut summary).await?;
    // Another file's users must not come on top of these.
    state::set_file_imported(tx.db()).await?;
    state::bump(tx.db()).await?;
    let what = json!({"admins": summary.admins, "users": summary.users, "traffic_logs": summary.traffic});
    audit::record(tx.db(), &By::CommandLine, now, "panel.import", None, (None, Some(what))).await?;
    if !is_rehearsal {
        tx.commit().await?;
    }
    Ok(summary)
}

/// Accounts the proxy's present counters to the names and to nobody's usage or history.
async fn set_base(mut db: Db<'_>, scrape: &Scrape) -> StoreResult<()> {
    let epoch = scrape.epoch(db.reborrow()).await?;
    let snapshot = &scrape.snapshot;
    let names = snapshot.users.keys().map(String::as_str);
    let stored = meters::of_names(db.reborrow(), scrape.node, names).await?;
    let accounts = usage::account(snapshot, stored, epoch);
    let changed = accounts.iter().filter(|(_, after)| after.is_changed);
    meters::save(
        db.reborrow(),
        scrape.node,
        &changed.map(|(name, after)| (name.as_str(), after.account)).collect::<Vec<_>>(),
    )
    .await?;
    let this = usage::LastScrape { epoch, uptime: snapshot.uptime, answered_at: scrape.answered_at };
    nodes::set_last_scrape(db, scrape.node, &this, scrape.answered.as_ref()).await
}

/// Adds those who are new, and gives the row ids of all by their old ones.
async fn add_admins(
    mut db: Db<'_>,
    old: &[OldAdmin],
    now: DateTime<Utc>,
    summary: &mut Summary,
) -> StoreResult<HashMap<i64, i64>> {
    let mut ids = HashMap::new();
    for admin in old {
        let name = admin.username.as_str();
        let id = if let Some(present) = admins::by_name(db.reborrow(), name).await? {
            summary.kept_admins.push(present.username);
            present.id
        } else {
            summary.admins += 1;
            admins::insert(db.reborrow(), name, &admin.hash, admin.is_sudo, admin.created_at.unwrap_or(now)).await?.id
        };
        ids.insert(admin.id, id);
    }
    Ok(ids)
}

/// Adds the users with their meters, and gives their row ids by their old ones.
async fn add_users(
    mut db: Db<'_>,
    old: &OldData,
    admins: &HashMap<i64, i64>,
    now: DateTime<Utc>,
    summary: &mut Summary,
) -> StoreResult<HashMap<i64, i64>> {
    let names = || old.users.iter().map(|user| user.username.as_str());
    let stored: HashMap<_, _> = meters::of_names(db.reborrow(), NodeId::LOCAL, names()).await?.into_iter().collect();
    let logged = logged_by_user(old);
    let mut accounts = Vec::with_capacity(old.users.len());
    let mut imported = Vec::with_capacity(old.users.len());
    for user in &old.users {
        let name = user.username.as_str();
        let before = stored.get(name).copied().unwrap_or_default();
        let meter = metered(before.meter, user.data_used, logged.get(&user.id).copied().unwrap_or_default());
        let owner = user.owner.and_then(|owner| admins.get(&owner).copied());
        summary.orphans += usize::from(user.owner.is_some() && owner.is_none());
        imported.push(import(user, owner, meter.lifetime.total() - user.data_used, now));
        accounts.push((name, Account { meter, ..before }));
    }
    meters::save(db.reborrow(), NodeId::LOCAL, &accounts).await?;
    users::insert_many(db.reborrow(), &imported, now).await?;
    summary.users = imported.len();
    let listing = users::listing(db, -1).await?;
    let new: HashMap<&str, i64> = listing.iter().map(|user| (user.username.as_str(), user.id)).collect();
    Ok(old.users.iter().filter_map(|user| Some((user.id, *new.get(user.username.as_str())?))).collect())
}

fn import(user: &OldUser, owner: Option<i64>, usage_base: i64, now: DateTime<Utc>) -> User {
    let mut profile = Profile {
        limits: user.limits,
        data_used: user.data_used,
        usage_base: Some(usage_base),
        expire_at: user.expire_at,
        note: user.note.clone(),
        ..Profile::new()
    };
    profile.set_disabled(user.disabled, now);
    User {
        created_at: user.created_at.unwrap_or(now),
        created_by_admin_id: owner,
        ..User::new(user.username.clone(), user.secret, profile, now)
    }
}

/// A name's meter with a lifetime of at least `data_used`. What is added to it is split like the logged traffic if that
/// tells the whole usage, and counted as received by the client otherwise.
fn metered(before: Meter, data_used: i64, logged: Counters) -> Meter {
    let missing = data_used - before.lifetime.total();
    let lifetime = if missing <= 0 {
        before.lifetime
    } else if before.lifetime == Counters::ZERO && logged.total() == data_used {
        logged
    } else {
        before.lifetime.saturating_add(Counters { from_client: 0, to_client: missing })
    };
    Meter { lifetime, ..before }
}

fn logged_by_user(old: &OldData) -> HashMap<i64, Counters> {
    let mut sums: HashMap<i64, Counters> = HashMap::new();
    for (user, moved) in &old.traffic {
        let sum = sums.entry(*user).or_default();
        *sum = sum.saturating_add(Counters { from_client: moved.octets_from, to_client: moved.octets_to });
    }
    sums
}

async fn add_history(mut db: Db<'_>, old: OldData, ids: &HashMap<i64, i64>, summary: &mut Summary) -> StoreResult<()> {
    let mut totals: BTreeMap<DateTime<Utc>, Counters> = BTreeMap::new();
    for (_, moved) in &old.traffic {
        let total = totals.entry(moved.recorded_at).or_default();
        *total = total.saturating_add(Counters { from_client: moved.octets_from, to_client: moved.octets_to });
    }
    let totals: Vec<Moved> = totals
        .into_iter()
        .map(|(recorded_at, sum)| Moved { recorded_at, octets_from: sum.from_client, octets_to: sum.to_client })
        .collect();
    let all = old.traffic.len();
    let logs: Vec<(i64, Moved)> =
        old.traffic.into_iter().filter_map(|(user, moved)| Some((*ids.get(&user)?, moved))).collect();
    (summary.traffic, summary.ownerless_traffic) = (logs.len(), all - logs.len());
    traffic::insert_many(db.reborrow(), &logs).await?;
    traffic::insert_totals(db.reborrow(), &totals).await?;
    let mut stats = old.stats;
    stats.sort_by_key(|row| row.recorded_at);
    summary.stats = stats.len();
    system::insert_many(db.reborrow(), &stats).await?;
    // This history is older than what has been rolled up.
    let nothing = retention::Progress { hours_rolled_until: None, days_rolled_until: None };
    retention::set_progress(db, &nothing).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(from_client: i64, to_client: i64) -> Counters {
        Counters { from_client, to_client }
    }

    #[test]
    fn a_meter_holds_the_usage_and_never_less_than_the_proxy_shows() {
        let fresh = Meter::default();
        assert_eq!(metered(fresh, 30, counters(10, 20)).lifetime, counters(10, 20));
        assert_eq!(metered(fresh, 30, counters(1, 2)).lifetime, counters(0, 30));
        let running = Meter { last: counters(5, 15), epoch: 1, lifetime: counters(5, 15) };
        assert_eq!(metered(running, 30, counters(10, 20)).lifetime, counters(5, 25));
        assert_eq!(metered(running, 12, counters(6, 6)), running);
    }
}
