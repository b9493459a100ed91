//! From a scrape to the database: exactly once, in one transaction (design section 7).

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use mtpannel_core::access::{CUT_GAP, Departed};
use mtpannel_core::exposition::Snapshot;
use mtpannel_core::usage::{self, Change, Counters, LastScrape, Meter};
use mtpannel_core::user::{Standing, Status};

use crate::app::App;
use crate::store::metered::{self, Metered, UsageChange};
use crate::store::meters::{self, Presence, Stored};
use crate::store::system::SystemStats;
use crate::store::{Store, StoreResult, departed, state, system, traffic};

/// A scrape and when it was made; times in milliseconds.
#[derive(Debug, Clone)]
pub struct Scrape {
    /// What the proxy said.
    pub snapshot: Arc<Snapshot>,
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
pub async fn record(app: &App, scrape: &Scrape) -> StoreResult<bool> {
    let now = scrape.answered_at.trunc_subsecs(0);
    let mut tx = app.store.write().await?;
    if state::scrape_ordinal(tx.db()).await? != scrape.ordinal {
        return Ok(false);
    }
    let last = state::last_scrape(tx.db()).await?;
    let epoch = usage::epoch_of(last.as_ref(), scrape.asked_at, scrape.snapshot.uptime);
    let names = scrape.snapshot.users.keys().map(String::as_str);
    let stored = if scrape.snapshot.tells_absence() {
        meters::of_names_or_running(tx.db(), names).await?
    } else {
        meters::of_names(tx.db(), names).await?
    };
    let moves = Moves::compute(Arc::clone(&scrape.snapshot), stored, epoch).await;
    meters::save(tx.db(), &moves.saves).await?;

    let departed = departed::all(tx.db()).await?;
    let metered = metered::metered(tx.db(), &moves.touched, now).await?;
    let effects = Effects::of(&metered, &moves, &departed, scrape.asked_at, now);
    if !effects.users.is_empty() {
        metered::record_usage(tx.db(), &effects.users, now).await?;
        traffic::insert(tx.db(), &effects.traffic, now).await?;
    }
    if moves.total != Counters::default() {
        traffic::insert_total(tx.db(), moves.total, now).await?;
    }
    let figures = SystemStats {
        uptime: scrape.snapshot.uptime,
        total_connections: scrape.snapshot.connections_total.unwrap_or(0),
        bad_connections: scrape.snapshot.connections_bad_total.unwrap_or(0),
        recorded_at: now,
    };
    system::insert(tx.db(), &figures).await?;
    let this = LastScrape { epoch, uptime: scrape.snapshot.uptime, answered_at: scrape.answered_at };
    state::set_last_scrape(tx.db(), &this).await?;
    let revision = if effects.users.is_empty() { None } else { Some(state::bump(tx.db()).await?) };
    tx.commit().await?;
    if let Some(revision) = revision.filter(|_| effects.file_changes) {
        app.sync.request(revision);
    }
    Ok(true)
}

/// What a scrape does to the meters.
struct Moves {
    /// Meters to store.
    saves: Vec<(String, Meter, Presence)>,
    /// Names whose user may change: a meter moved, or a session is open.
    touched: Vec<String>,
    /// Meters and bytes of those that moved.
    changes: HashMap<String, (Meter, Counters)>,
    /// Everything that was known before.
    stored: Stored,
    /// Present sessions.
    presence: HashMap<String, Presence>,
    /// Sum of all bytes that moved, also those of names without a user.
    total: Counters,
}

impl Moves {
    async fn compute(snapshot: Arc<Snapshot>, stored: Stored, epoch: i64) -> Self {
        let work = move || Self::compute_now(&snapshot, stored, epoch);
        tokio::task::spawn_blocking(work).await.expect("accounting does not panic")
    }

    fn compute_now(snapshot: &Snapshot, stored: Stored, epoch: i64) -> Self {
        let changes: HashMap<String, (Meter, Counters)> = usage::account(snapshot, &stored.meters, epoch)
            .into_iter()
            .map(|Change { name, meter, delta, .. }| (name, (meter, delta)))
            .collect();
        let presence = presence(snapshot, &stored);
        let meter = |name: &str| {
            changes.get(name).map(|(meter, _)| *meter).or_else(|| stored.meters.get(name).copied()).unwrap_or_default()
        };
        let mut saves: Vec<_> = presence
            .iter()
            .filter(|(name, now)| {
                let before = stored.presence.get(*name).copied().unwrap_or_default();
                before != **now || changes.contains_key(*name)
            })
            .map(|(name, now)| (name.clone(), meter(name), *now))
            .collect();
        let without_presence = changes.iter().filter(|(name, _)| !presence.contains_key(*name));
        saves.extend(without_presence.map(|(name, (meter, _))| (name.clone(), *meter, Presence::default())));
        // In the order of the tables, so that neighbours are written together.
        saves.sort_unstable_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut touched: Vec<String> = saves.iter().map(|(name, ..)| name.clone()).collect();
        touched.extend(presence.iter().filter(|(_, now)| now.connections > 0).map(|(name, _)| name.clone()));
        let total = changes.values().fold(Counters::default(), |sum, (_, delta)| Counters {
            from_client: sum.from_client.saturating_add(delta.from_client),
            to_client: sum.to_client.saturating_add(delta.to_client),
        });
        Self { saves, touched, changes, stored, presence, total }
    }

    fn meter(&self, name: &str) -> Meter {
        let changed = self.changes.get(name).map(|(meter, _)| *meter);
        changed.or_else(|| self.stored.meters.get(name).copied()).unwrap_or_default()
    }
}

/// Sessions and addresses of every name that the proxy shows or has shown. A name that it does not show has none, unless
/// it leaves out some names: then the last reading stays.
fn presence(snapshot: &Snapshot, stored: &Stored) -> HashMap<String, Presence> {
    let shown = snapshot.users.iter().filter_map(|(name, series)| {
        let presence =
            Presence { connections: series.connections().unwrap_or(0), unique_ips: series.unique_ips().unwrap_or(0) };
        let worth_a_row = presence != Presence::default() || stored.meters.contains_key(name);
        (worth_a_row && name.parse::<mtpannel_core::user::Username>().is_ok()).then(|| (name.clone(), presence))
    });
    let gone = stored.presence.iter().filter(|(name, _)| !snapshot.users.contains_key(*name)).map(|(name, last)| {
        let presence = if snapshot.tells_absence() { Presence::default() } else { *last };
        (name.clone(), presence)
    });
    shown.chain(gone).collect()
}

/// What a scrape does to the users.
#[derive(Default)]
struct Effects {
    users: Vec<UsageChange>,
    traffic: Vec<(i64, Counters)>,
    /// Whether the file must change: somebody's status did, or his usage got its base.
    file_changes: bool,
}

impl Effects {
    fn of(
        users: &[Metered],
        moves: &Moves,
        departed: &[Departed],
        asked_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Self {
        let cuts: HashMap<&str, &Departed> = departed.iter().map(|gone| (gone.username.as_str(), gone)).collect();
        let mut effects = Self::default();
        for user in users {
            let name = user.username.as_str();
            let sessions_cut =
                cuts.get(name).is_none_or(|gone| gone.cut_at.is_some_and(|cut_at| cut_at + CUT_GAP <= asked_at));
            effects.add(user, moves, sessions_cut, now);
        }
        effects.users.sort_unstable_by_key(|change| change.id);
        effects.traffic.sort_unstable_by_key(|(id, _)| *id);
        effects
    }

    fn add(&mut self, user: &Metered, moves: &Moves, old_sessions_cut: bool, now: DateTime<Utc>) {
        let name = user.username.as_str();
        let delta = moves.changes.get(name).map_or(Counters::default(), |(_, delta)| *delta);
        let usage = usage::settle(user.usage_base, moves.meter(name).lifetime.total(), old_sessions_cut);
        let standing = Standing {
            disabled: user.status == Status::Disabled,
            expire_at: user.is_over.then_some(now),
            data_limit: user.data_limit.and_then(|limit| limit.try_into().ok()),
            data_used: usage.data_used,
        };
        let status = standing.status(now);
        let has_traffic = delta != Counters::default();
        let seen = has_traffic || moves.presence.get(name).is_some_and(|presence| presence.connections > 0);
        let gets_base = user.usage_base != usage.base;
        if !(seen || gets_base || status != user.status || usage.data_used != user.data_used) {
            return;
        }
        self.file_changes |= gets_base || status != user.status || (has_traffic && usage.base.is_none());
        if has_traffic && user.usage_base.is_some() {
            self.traffic.push((user.id, delta));
        }
        self.users.push(UsageChange {
            id: user.id,
            data_used: usage.data_used,
            new_base: usage.base.filter(|_| gets_base),
            new_status: (status != user.status).then_some(status),
            seen,
        });
    }
}
