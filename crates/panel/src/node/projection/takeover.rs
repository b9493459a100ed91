//! Take-over: the users of a `config.toml` that was there before the panel come into the database, so that none is lost.

use chrono::{DateTime, Utc};
use mtpannel_core::audit::By;
use mtpannel_core::document::{DisabledBecause, ImportError, ImportedUser, read_users_of};
use mtpannel_core::include::Source;
use mtpannel_core::user::{NOTE_MAX, Profile, Status};
use serde_json::json;

use crate::app::App;
use crate::store::users::User;
use crate::store::{Db, NodeId, StoreError, StoreResult, audit, meters, state, users};

/// Why the users of the file could not be taken over. Nothing was then.
#[derive(Debug, thiserror::Error)]
pub enum TakeOverError {
    /// The file has users that cannot be taken over, or cannot be read.
    #[error("its users cannot be taken over: {0}")]
    File(#[from] ImportError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether the users of the file have not been taken over yet.
pub async fn is_due(app: &App) -> StoreResult<bool> {
    Ok(!state::file_imported(app.store.read().await?.db()).await?)
}

/// The result of a take-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenOver {
    /// How many are new.
    pub users: usize,
    /// Whether that was for good.
    pub is_done: bool,
}

/// Takes over the users of the file and of those that it includes (`None`: there is no file), all or none. A name that the
/// database has already stays as it is there.
///
/// It is done for good, and stored, once there is a user in the file or in the database. Until then no user is served, and an
/// operator may still replace the file that the panel has made with an older one.
pub async fn take_over(app: &App, file: Option<&Source>) -> Result<TakenOver, TakeOverError> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let new = add_users(tx.db(), file, now).await?;
    if users::count(tx.db()).await? == 0 {
        return Ok(TakenOver { users: 0, is_done: false });
    }
    state::set_file_imported(tx.db()).await?;
    if new > 0 {
        state::bump(tx.db()).await?;
        let what = Some(json!({"users": new}));
        audit::record(tx.db(), &By::System, now, "users.import", None, (None, what)).await?;
    }
    tx.commit().await?;
    Ok(TakenOver { users: new, is_done: true })
}

/// Adds those users of the file whose names the database does not have, and tells how many.
pub(super) async fn add_users(
    mut db: Db<'_>,
    file: Option<&Source>,
    now: DateTime<Utc>,
) -> Result<usize, TakeOverError> {
    let mut new = 0;
    for user in file.map_or(Ok(Vec::new()), read_users_of)? {
        if users::by_name(db.reborrow(), user.username.as_str(), None).await?.is_none() {
            add(db.reborrow(), user, now).await?;
            new += 1;
        }
    }
    Ok(new)
}

/// Why the user is disabled, and what the file's comments say.
fn note(disabled: Option<DisabledBecause>, comments: String) -> String {
    let Some(reason) = disabled else { return comments };
    let lines = [reason.to_string(), comments].into_iter().filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n").chars().take(NOTE_MAX).collect()
}

/// Adds one user of a file.
pub(crate) async fn add(mut db: Db<'_>, imported: ImportedUser, now: DateTime<Utc>) -> StoreResult<()> {
    let (usage_base, lifetime) =
        meters::starting_base(db.reborrow(), NodeId::LOCAL, imported.username.as_str()).await?;
    let mut profile = Profile {
        status: if imported.disabled.is_some() { Status::Disabled } else { Status::Active },
        limits: imported.limits,
        usage_base,
        expire_at: imported.expire_at,
        note: note(imported.disabled, imported.note),
        ..Profile::new()
    };
    profile.update_status(now);
    let user = User { lifetime, ..User::new(imported.username, imported.secret, profile, now) };
    users::insert(db, &user).await.map(drop)
}
