//! Loads from the database what the file must say.

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel_core::access::{Access, DELETED_NAME_CUT, Entry, SessionCut, cut_gap};
use mtpannel_core::user::Username;

use crate::runtime::mirror::Mirror;
use crate::store::users::Projected;
use crate::store::{Db, NodeId, Store, StoreResult, session_cuts};

/// What the task needs to know of one projection, besides the managed tables themselves.
#[derive(Debug)]
pub struct Projection {
    /// The managed tables contain every change up to this revision.
    pub revision: i64,
    /// Names whose session cut is in them for the first time: it counts as written once the file is.
    pub first_cuts: Vec<Username>,
    /// How long the shortest of these cuts lasts.
    pub first_cut_lasts: Option<TimeDelta>,
    /// When the next session cut ends, so that the file has to be written again.
    pub next_end_of_cut: Option<DateTime<Utc>>,
}

/// The users as the last projection saw them.
pub type Known = Mirror<Projected>;

/// Reads from the database what the file must say at `now` (in milliseconds).
///
/// With 100,000 users it takes long enough to be done in a blocking thread, once the rows are there.
pub async fn load(
    store: &Store,
    node: NodeId,
    known: &mut Known,
    now: DateTime<Utc>,
) -> StoreResult<(Projection, Access)> {
    read(store.read().await?.snapshot().await?.db(), node, known, now).await
}

/// The present revision, if everything that has changed since the last [`load`] is not in the file, such as usage.
pub async fn unchanged(store: &Store, known: &mut Known) -> StoreResult<Option<i64>> {
    let (revision, _) = known.follow(store.read().await?.snapshot().await?.db()).await?;
    Ok((!known.has_changed()).then_some(revision))
}

/// The same as [`load`], inside a transaction.
pub(super) async fn read(
    mut db: Db<'_>,
    node: NodeId,
    known: &mut Known,
    now: DateTime<Utc>,
) -> StoreResult<(Projection, Access)> {
    let (revision, rows) = known.follow(db.reborrow()).await?;
    known.seen();
    let cuts = session_cuts::all(db, node).await?;
    let work = move || project(revision, &rows, &cuts, now);
    Ok(tokio::task::spawn_blocking(work).await.expect("projecting does not panic"))
}

fn project(revision: i64, rows: &[Projected], cuts: &[SessionCut], now: DateTime<Utc>) -> (Projection, Access) {
    let names: std::collections::HashSet<&Username> = cuts.iter().map(|cut| &cut.username).collect();
    let existing: std::collections::HashSet<Username> =
        rows.iter().map(|row| &row.username).filter(|name| names.contains(name)).cloned().collect();
    let exists = |cut: &SessionCut| existing.contains(&cut.username);
    let in_force = || cuts.iter().filter(|cut| cut.is_in_force(exists(cut), rows.len(), now));
    let first = || in_force().filter(|cut| cut.written_at.is_none());
    let lasts = |cut| if exists(cut) { cut_gap(rows.len()) } else { DELETED_NAME_CUT };
    let projection = Projection {
        revision,
        first_cuts: first().map(|cut| cut.username.clone()).collect(),
        first_cut_lasts: first().map(lasts).min(),
        next_end_of_cut: in_force().filter_map(|cut| cut.ends_at(exists(cut), rows.len())).min(),
    };
    (projection, Access::new(rows.iter().map(entry).collect(), cuts, now))
}

fn entry(row: &Projected) -> Entry {
    Entry {
        username: row.username.clone(),
        secret: row.secret,
        status: row.status,
        expire_at: row.expire_at,
        limits: row.limits,
        usage_base: row.quota_base,
    }
}

/// Orders the session cut of those of `names` that the database does not have.
pub async fn cut_unknown(store: &Store, node: NodeId, names: &[Username], now: DateTime<Utc>) -> StoreResult<()> {
    let mut tx = store.write().await?;
    session_cuts::order_for_unknown(tx.db(), node, names.iter().map(Username::as_str), now).await?;
    tx.commit().await
}

/// Stores that a file with this projection was written at `now`.
pub async fn written(store: &Store, node: NodeId, projection: &Projection, now: DateTime<Utc>) -> StoreResult<()> {
    if projection.first_cuts.is_empty() {
        return Ok(());
    }
    let mut tx = store.write().await?;
    session_cuts::mark_written(tx.db(), node, projection.first_cuts.iter().map(Username::as_str), now).await?;
    tx.commit().await
}
