//! Taking over users of a telemt file into a database that may have users already: those of a second server, or those that
//! a bot has made. All of them in one transaction, or none.

use chrono::{DateTime, Utc};
use mtpannel_core::audit::By;
use mtpannel_core::document::ImportedUser;
use mtpannel_core::user::Username;
use serde_json::json;

use crate::node::projection::takeover;
use crate::store::{Store, StoreError, audit, state, users};

/// Why nothing was taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImportFileError {
    /// Names that other users have; all of them.
    #[error(
        "these names belong to users with other secrets: {}; give them new names with --rename OLD=NEW",
        .0.iter().map(Username::as_str).collect::<Vec<_>>().join(", ")
    )]
    Taken(Vec<Username>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was taken over.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// New users.
    pub new: Vec<Username>,
    /// Users who are there already with the same secret, and who stay as they are.
    pub present: Vec<Username>,
}

/// Takes over the users of a file. A rehearsal does all of it and then takes it back.
///
/// They belong to nobody, so that sudo administrators see them; their traffic counts from now on.
pub async fn apply(
    store: &Store,
    imported: Vec<ImportedUser>,
    now: DateTime<Utc>,
    is_rehearsal: bool,
) -> Result<Summary, ImportFileError> {
    let mut tx = store.write().await?;
    let (mut summary, mut taken) = (Summary::default(), Vec::new());
    for user in imported {
        let name = user.username.clone();
        match users::by_name(tx.db(), name.as_str(), None).await? {
            Some(present) if present.secret == user.secret => summary.present.push(name),
            Some(_) => taken.push(name),
            None => {
                takeover::add(tx.db(), user, now).await?;
                summary.new.push(name);
            }
        }
    }
    if !taken.is_empty() {
        return Err(ImportFileError::Taken(taken));
    }
    if !summary.new.is_empty() && !is_rehearsal {
        state::bump(tx.db()).await?;
        let what = Some(json!({"users": summary.new.len()}));
        audit::record(tx.db(), &By::CommandLine, now, "users.import", None, (None, what)).await?;
        tx.commit().await?;
    }
    Ok(summary)
}
