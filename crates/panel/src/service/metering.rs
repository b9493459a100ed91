//! From a scrape to the database: exactly once, in one transaction (design section 7).

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, Utc};
use mtpannel_core::access::{CUT_GAP, Departed};
use mtpannel_core::exposition::Snapshot;
use mtpannel_core::usage::{self, Account, Advanced, Counters, LastScrape};
use mtpannel_core::user::{Standing, Status};

use crate::app::App;
use crate::store::metered::{self, Metered, UsageChange};
use crate::store::meters;
use crate::store::system::SystemStats;
use crate::store::{Store, StoreResult, departed, state, system, traffic};

/// A scrape and when it was made; times in milliseconds.
#[derive(Debug)]
pub struct Scrape {
    /// What the proxy said.
    pub snapshot: Snapshot,
    /// [`ordinal`] before it was asked.
    pub ordinal: i64,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// When it had answered.
    pub answered_at: DateTime<Utc>,
}

/// How many scrapes were recorded so far: to be read before the proxy is asked.
pub async fn ordinal(store: &Store) -> StoreResult<i64> {
    state::scrape_ordinal(store.read().await?.db()).await
}

/// Records a scrape: meters, usage, statuses, history and the proxy's figures move together or not at all. Gives false,
/// and changes nothing, if another panel has recorded one in the meantime.
pub async fn record(app: &App, Scrape { snapshot, ordinal, asked_at, answered_at }: Scrape) -> StoreResult<bool> {
    let now = answered_at.trunc_subsecs(0);
    let mut tx = app.store.write().await?;
    if state::scrape_ordinal(tx.db()).await? != ordinal {
        return Ok(false);
    }
    let figures = SystemStats {
        uptime: snapshot.uptime,
        total_connections: snapshot.connections_total.unwrap_or(0),
        bad_connections: snapshot.connections_bad_total.unwrap_or(0),
        recorded_at: now,
    };
    system::insert(tx.db(), &figures).await?;
    let last = state::last_scrape(tx.db()).await?;
    let epoch = usage::epoch_of(last.as_ref(), asked_at, snapshot.uptime);
    let this = LastScrape { epoch, uptime: snapshot.uptime, answered_at };
    state::set_last_scrape(tx.db(), &this).await?;

    let names = snapshot.users.keys().map(String::as_str);
    let stored = if snapshot.tells_absence() {
        meters::of_names_or_running(tx.db(), names).await?
    } else {
        meters::of_names(tx.db(), names).await?
    };
    let accounts = account(snapshot, stored, epoch).await;
    meters::save(tx.db(), &changed(&accounts)).await?;

    let departed = departed::all(tx.db()).await?;
    let mut judge = Judge::new(&accounts, &departed, asked_at, now);
    metered::each_metered(tx.db(), &touched(&accounts), now, |user| judge.see(user)).await?;
    let effects = judge.effects();
    // Also the bytes of names without a user.
    let total = accounts.iter().fold(Counters::ZERO, |sum, (_, account)| sum.saturating_add(account.delta));
    drop(accounts);
    if !effects.users.is_empty() {
        metered::record_usage(tx.db(), &effects.users, now).await?;
        traffic::insert(tx.db(), &effects.traffic, now).await?;
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

/// What a scrape makes of the accounts, with their names.
type Accounts = [(String, Advanced)];

async fn account(snapshot: Snapshot, stored: meters::Accounts, epoch: i64) -> Vec<(String, Advanced)> {
    let work = move || usage::account(&snapshot, stored, epoch);
    tokio::task::spawn_blocking(work).await.expect("accounting does not panic")
}

/// Those to store, in the order of the table, so that neighbours are written together.
fn changed(accounts: &Accounts) -> Vec<(&str, Account)> {
    let changed = accounts.iter().filter(|(_, after)| after.is_changed);
    let mut changed: Vec<_> = changed.map(|(name, after)| (name.as_str(), after.account)).collect();
    changed.sort_unstable_by_key(|(name, _)| *name);
    changed
}

/// Names whose user may change: the account did, or a session is open.
fn touched(accounts: &Accounts) -> Vec<&str> {
    let touched = accounts.iter().filter(|(_, after)| after.is_changed || after.account.presence.connections > 0);
    touched.map(|(name, _)| name.as_str()).collect()
}

/// What a scrape does to the users.
#[derive(Default)]
struct Effects {
    users: Vec<UsageChange>,
    traffic: Vec<(i64, Counters)>,
    /// Whether the file must change: somebody's status did, or his usage got its base.
    file_changes: bool,
}

/// Finds out what a scrape does to each user that it is shown.
struct Judge<'a> {
    accounts: HashMap<&'a str, &'a Advanced>,
    cuts: HashMap<&'a str, &'a Departed>,
    asked_at: DateTime<Utc>,
    now: DateTime<Utc>,
    effects: Effects,
}

impl<'a> Judge<'a> {
    fn new(accounts: &'a Accounts, departed: &'a [Departed], asked_at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            accounts: accounts.iter().map(|(name, after)| (name.as_str(), after)).collect(),
            cuts: departed.iter().map(|gone| (gone.username.as_str(), gone)).collect(),
            asked_at,
            now,
            effects: Effects::default(),
        }
    }

    /// All of them, in the order of the tables.
    fn effects(self) -> Effects {
        let mut effects = self.effects;
        effects.users.sort_unstable_by_key(|change| change.id);
        effects.traffic.sort_unstable_by_key(|(id, _)| *id);
        effects
    }

    fn are_old_sessions_cut(&self, name: &str) -> bool {
        let is_cut = |gone: &&Departed| gone.cut_at.is_some_and(|cut_at| cut_at + CUT_GAP <= self.asked_at);
        self.cuts.get(name).is_none_or(is_cut)
    }

    fn see(&mut self, user: &Metered<'_>) {
        let Advanced { account, delta, .. } = self.accounts.get(user.username).copied().copied().unwrap_or_default();
        let lifetime = account.meter.lifetime.total();
        let usage = usage::settle(user.usage_base, lifetime, self.are_old_sessions_cut(user.username));
        let standing = Standing {
            disabled: user.status == Status::Disabled,
            expire_at: user.is_over.then_some(self.now),
            data_limit: user.data_limit.and_then(|limit| limit.try_into().ok()),
            data_used: usage.data_used,
        };
        let status = standing.status(self.now);
        let has_traffic = delta != Counters::ZERO;
        let seen = has_traffic || account.presence.connections > 0;
        let gets_base = user.usage_base != usage.base;
        if !(seen || gets_base || status != user.status || usage.data_used != user.data_used) {
            return;
        }
        let effects = &mut self.effects;
        effects.file_changes |= gets_base || status != user.status || (has_traffic && usage.base.is_none());
        if has_traffic && user.usage_base.is_some() {
            effects.traffic.push((user.id, delta));
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
