//! From the database to what the file must say (design section 6).

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel_core::access::{Access, Departed, Entry, TOMBSTONE, cut_gap};
use mtpannel_core::user::Username;

use crate::runtime::mirror::Mirror;
use crate::store::users::Projected;
use crate::store::{Db, Store, StoreResult, departed};

/// What goes with the managed tables of one moment.
#[derive(Debug)]
pub struct Projection {
    /// Every change up to this revision is in them.
    pub revision: i64,
    /// Names that they cut for the first time: to be noted once the file is written.
    pub first_cuts: Vec<Username>,
    /// How long the shortest of these first cuts lasts.
    pub first_cut_lasts: Option<TimeDelta>,
    /// When the next cut is over, so that the file has to be written again.
    pub next_end_of_cut: Option<DateTime<Utc>>,
}

/// What the projection knows of the users from the last time.
pub type Known = Mirror<Projected>;

/// Reads from the database what the file must say at `now` (in milliseconds).
///
/// With 100,000 users it takes long enough to be done in a blocking thread, once the rows are there.
pub async fn load(store: &Store, known: &mut Known, now: DateTime<Utc>) -> StoreResult<(Projection, Access)> {
    read(store.read().await?.snapshot().await?.db(), known, now).await
}

/// The present revision, if all that has changed since the last [`load`] is what the file does not say, such as usage.
pub async fn unchanged(store: &Store, known: &mut Known) -> StoreResult<Option<i64>> {
    let (revision, _) = known.follow(store.read().await?.snapshot().await?.db()).await?;
    Ok((!known.has_changed()).then_some(revision))
}

/// The same as [`load`], inside a transaction.
pub(super) async fn read(mut db: Db<'_>, known: &mut Known, now: DateTime<Utc>) -> StoreResult<(Projection, Access)> {
    let (revision, rows) = known.follow(db.reborrow()).await?;
    known.seen();
    let departed = departed::all(db).await?;
    let work = move || project(revision, &rows, &departed, now);
    Ok(tokio::task::spawn_blocking(work).await.expect("projecting does not panic"))
}

fn project(revision: i64, rows: &[Projected], departed: &[Departed], now: DateTime<Utc>) -> (Projection, Access) {
    let names: std::collections::HashSet<&Username> = departed.iter().map(|gone| &gone.username).collect();
    let existing: std::collections::HashSet<Username> =
        rows.iter().map(|row| &row.username).filter(|name| names.contains(name)).cloned().collect();
    let exists = |gone: &Departed| existing.contains(&gone.username);
    let open = || departed.iter().filter(|gone| gone.in_force(exists(gone), rows.len(), now));
    let first = || open().filter(|gone| gone.cut_at.is_none());
    let lasts = |gone| if exists(gone) { cut_gap(rows.len()) } else { TOMBSTONE };
    let projection = Projection {
        revision,
        first_cuts: first().map(|gone| gone.username.clone()).collect(),
        first_cut_lasts: first().map(lasts).min(),
        next_end_of_cut: open().filter_map(|gone| gone.ends_at(exists(gone), rows.len())).min(),
    };
    (projection, Access::new(rows.iter().map(entry).collect(), departed, now))
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

/// Has the sessions of `names` cut, of those that no user has: a file names them and the database does not.
pub async fn cut(store: &Store, names: &[Username], now: DateTime<Utc>) -> StoreResult<()> {
    let mut tx = store.write().await?;
    departed::add_unknown(tx.db(), names.iter().map(Username::as_str), now).await?;
    tx.commit().await
}

/// Notes that a file with this projection was written at `now`.
pub async fn written(store: &Store, projection: &Projection, now: DateTime<Utc>) -> StoreResult<()> {
    if projection.first_cuts.is_empty() {
        return Ok(());
    }
    let mut tx = store.write().await?;
    departed::mark_cut(tx.db(), projection.first_cuts.iter().map(Username::as_str), now).await?;
    tx.commit().await
}
