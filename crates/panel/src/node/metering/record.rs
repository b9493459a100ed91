//! Records a scrape in the database: exactly once, in one transaction.
//!
//! See "Metering" in `docs/architecture.md`.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, SubsecRound, Utc};
use mtpannel_core::access::SessionCut;
use mtpannel_core::exposition::Snapshot;
use mtpannel_core::usage::{self, Account, Advanced, Clocks, Counters, LastScrape, Usage};
use mtpannel_core::user::{Standing, Status};

use crate::app::App;
use crate::store::metered::{self, Metered, UsageChange};
use crate::store::meters;
use crate::store::system::SystemStats;
use crate::store::{Db, NodeId, Store, StoreResult, audit, nodes, session_cuts, state, system, traffic, users};

/// A scrape and when it was made; times in milliseconds.
#[derive(Debug)]
pub struct Scrape {
    /// The node whose proxy it is.
    pub node: NodeId,
    /// What the proxy said.
    pub snapshot: Snapshot,
    /// [`ordinal`] before it was asked.
    pub ordinal: i64,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When it had answered.
    pub answered_at: DateTime<Utc>,
    /// What the clocks that nobody sets showed when it was asked.
    pub asked: Option<Clocks>,
    /// What they showed when it had answered.
    pub answered: Option<Clocks>,
}

impl Scrape {
    /// The epoch of the proxy's counters, from this scrape and the one that was recorded last. The time between the two is
    /// measured by clocks that nobody sets, if the machine has not booted in between.
    pub async fn epoch(&self, mut db: Db<'_>) -> StoreResult<i64> {
        let last = nodes::last_scrape(db.reborrow(), self.node).await?;
        let clocks = nodes::scrape_clocks(db, self.node).await?;
        let passed = self.asked.as_ref().zip(clocks).and_then(|(asked, last)| asked.since(&last));
        let uptime = self.snapshot.uptime;
        Ok(match last.as_ref().zip(passed) {
            Some((last, passed)) => usage::epoch_since(last, passed, uptime),
            None => usage::epoch_of(last.as_ref(), self.asked_at, uptime),
        })
    }
}

/// Number of scrapes recorded so far; read it before the proxy is asked.
pub async fn ordinal(store: &Store, node: NodeId) -> StoreResult<i64> {
    nodes::scrape_ordinal(store.read().await?.db(), node).await
}

/// Records a scrape: meters, usage, statuses, history and the proxy's figures, in one transaction. Returns false, and changes
/// nothing, if another panel has recorded one in the meantime.
pub async fn record(app: &App, scrape: Scrape) -> StoreResult<bool> {
    let now = scrape.answered_at.trunc_subsecs(0);
    let mut tx = app.store.write().await?;
    if nodes::scrape_ordinal(tx.db(), scrape.node).await? != scrape.ordinal {
        return Ok(false);
    }
    let epoch = scrape.epoch(tx.db()).await?;
    let Scrape { node, snapshot, asked_at, answered_at, answered, .. } = scrape;
    let figures = SystemStats {
        uptime: snapshot.uptime,
        total_connections: snapshot.connections_total.unwrap_or(0),
        bad_connections: snapshot.connections_bad_total.unwrap_or(0),
        recorded_at: now,
    };
    system::insert(tx.db(), &figures).await?;
    let this = LastScrape { epoch, uptime: snapshot.uptime, answered_at };
    nodes::set_last_scrape(tx.db(), node, &this, answered.as_ref()).await?;

    let cuts = session_cuts::all(tx.db(), node).await?;
    let tells_absence = snapshot.tells_absence();
    let stored = stored(tx.db(), node, &snapshot, &cuts).await?;
    let accounts = account(snapshot, stored, epoch).await;
    meters::save(tx.db(), node, &changed(&accounts)).await?;

    let cuts = Cuts { all: &cuts, users: users::count(tx.db()).await?, asked_at };
    let mut judge = Judge::new(&accounts, tells_absence, &cuts, now);
    metered::each_metered(tx.db(), &touched(&accounts), now, |user| judge.see(user)).await?;
    session_cuts::mark_settled(tx.db(), node, judge.settled()).await?;
    session_cuts::remove(tx.db(), node, judge.ended()).await?;
    let effects = judge.effects();
    // Also the bytes of names without a user.
    let total = accounts.iter().fold(Counters::ZERO, |sum, (_, account)| sum.saturating_add(account.delta));
    drop(accounts);
    if !effects.users.is_empty() {
        metered::record_usage(tx.db(), &effects.users, now).await?;
        traffic::insert(tx.db(), &effects.traffic, now).await?;
        let statuses = effects.statuses.iter().map(|(name, before, after)| (name.as_str(), *before, *after));
        audit::record_statuses(tx.db(), now, statuses).await?;
    }
    if total != Counters::ZERO {
        traffic::insert_total(tx.db(), total, now).await?;
    }
    let revision = if effects.users.is_empty() { None } else { Some(state::bump(tx.db()).await?) };
    tx.commit().await?;
    if let Some(revision) = revision.filter(|_| effects.file_changes) {
        app.sync.request(revision);
    }
    Ok(true)
}

/// The accounts that the scrape may change, and those of users without a base and of names with a session cut.
async fn stored(
    mut db: Db<'_>,
    node: NodeId,
    snapshot: &Snapshot,
    cuts: &[SessionCut],
) -> StoreResult<meters::Accounts> {
    let unsettled = metered::unsettled_names(db.reborrow()).await?;
    let mut names: HashSet<&str> = snapshot.users.keys().map(String::as_str).collect();
    names.extend(unsettled.iter().map(String::as_str));
    names.extend(cuts.iter().map(|cut| cut.username.as_str()));
    if snapshot.tells_absence() {
        meters::of_names_or_running(db, node, names).await
    } else {
        meters::of_names(db, node, names).await
    }
}

/// The accounts after a scrape, with their names.
type Accounts = [(String, Advanced)];

async fn account(snapshot: Snapshot, stored: meters::Accounts, epoch: i64) -> Vec<(String, Advanced)> {
    let work = move || usage::account(&snapshot, stored, epoch);
    tokio::task::spawn_blocking(work).await.expect("accounting does not panic")
}

/// The accounts to store, in the order of the table, so that neighbours are written together.
fn changed(accounts: &Accounts) -> Vec<(&str, Account)> {
    let changed = accounts.iter().filter(|(_, after)| after.is_changed);
    let mut changed: Vec<_> = changed.map(|(name, after)| (name.as_str(), after.account)).collect();
    changed.sort_unstable_by_key(|(name, _)| *name);
    changed
}

/// Names whose user may change: the account did, or a connection is open.
fn touched(accounts: &Accounts) -> Vec<&str> {
    let touched = accounts.iter().filter(|(_, after)| after.is_changed || after.account.presence.connections > 0);
    touched.map(|(name, _)| name.as_str()).collect()
}

/// What a scrape does to the users.
#[derive(Default)]
struct Effects {
    users: Vec<UsageChange>,
    traffic: Vec<(i64, Counters)>,
    /// Names whose status changes, with the statuses before and after.
    statuses: Vec<(String, Status, Status)>,
    /// Whether the file must change: a status did, or a usage got its base.
    file_changes: bool,
}

/// The session cuts that a scrape finds, and what their ends depend on.
struct Cuts<'a> {
    all: &'a [SessionCut],
    /// Number of users.
    users: usize,
    asked_at: DateTime<Utc>,
}

/// Decides what a scrape changes of each user that it is shown.
struct Judge<'a> {
    accounts: HashMap<&'a str, &'a Advanced>,
    tells_absence: bool,
    cuts: &'a Cuts<'a>,
    /// Names whose old connections may still be open.
    open: HashSet<&'a str>,
    now: DateTime<Utc>,
    effects: Effects,
}

impl<'a> Judge<'a> {
    fn new(accounts: &'a Accounts, tells_absence: bool, cuts: &'a Cuts<'a>, now: DateTime<Utc>) -> Self {
        let open = cuts.all.iter().filter(|cut| !cut.is_applied(cuts.users, cuts.asked_at));
        Self {
            accounts: accounts.iter().map(|(name, after)| (name.as_str(), after)).collect(),
            tells_absence,
            cuts,
            open: open.map(|cut| cut.username.as_str()).collect(),
            now,
            effects: Effects::default(),
        }
    }

    /// The changes of all users, in the order of the tables.
    fn effects(self) -> Effects {
        let mut effects = self.effects;
        effects.users.sort_unstable_by_key(|change| change.id);
        effects.traffic.sort_unstable_by_key(|(id, _)| *id);
        effects
    }

    /// Whether the scrape says what the name has moved, even if that is nothing.
    fn is_told(&self, name: &str) -> bool {
        self.accounts.get(name).map_or(self.tells_absence, |after| after.is_told)
    }

    /// Names whose old connections are closed and accounted for: all that is counted from now on belongs to the next user.
    fn settled(&self) -> impl Iterator<Item = &'a str> {
        let names = self.cuts.all.iter().map(|cut| cut.username.as_str());
        names.filter(|name| !self.open.contains(name) && self.is_told(name))
    }

    /// Those of them whose session cut the file no longer needs.
    fn ended(&self) -> impl Iterator<Item = &'a str> {
        let Cuts { all, users, asked_at } = *self.cuts;
        let is_over = move |cut: &&SessionCut| !cut.is_in_force(false, users, asked_at);
        all.iter().filter(is_over).map(|cut| cut.username.as_str()).filter(|name| self.is_told(name))
    }

    fn see(&mut self, user: &Metered<'_>) {
        let after = self.accounts.get(user.username).copied();
        let is_told = self.is_told(user.username);
        // Without an account the name has never moved a byte, or the scrape does not change it.
        let is_new = user.usage_base.is_none() && is_told;
        let lifetime = after.map(|after| after.account.meter.lifetime.total()).or(is_new.then_some(0));
        let before = Usage { base: user.usage_base, data_used: user.data_used };
        let usage = before.settle(lifetime, is_told && !self.open.contains(user.username));
        let standing = Standing {
            disabled: user.status == Status::Disabled,
            expire_at: user.is_over.then_some(self.now),
            data_limit: user.data_limit,
            data_used: usage.data_used,
        };
        let status = standing.status(self.now);
        let delta = after.map_or(Counters::ZERO, |after| after.delta);
        let has_traffic = delta != Counters::ZERO;
        let seen = has_traffic || after.is_some_and(|after| after.account.presence.connections > 0);
        let gets_base = user.usage_base != usage.base;
        if !(seen || gets_base || status != user.status || usage.data_used != user.data_used) {
            return;
        }
        let effects = &mut self.effects;
        effects.file_changes |= gets_base || status != user.status || (has_traffic && usage.base.is_none());
        if has_traffic && user.usage_base.is_some() {
            effects.traffic.push((user.id, delta));
        }
        if status != user.status {
            effects.statuses.push((user.username.to_owned(), user.status, status));
        }
        effects.users.push(UsageChange {
            id: user.id,
            data_used: usage.data_used,
            new_base: usage.base.filter(|_| gets_base),
            new_status: (status != user.status).then_some(status),
            seen,
        });
    }
}
