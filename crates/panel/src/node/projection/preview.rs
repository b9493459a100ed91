//! Shows what the panel would write into the file now, without writing it.

use chrono::{DateTime, SubsecRound as _, Utc};
use mtpannel_core::access::Access;
use mtpannel_core::include::Source;

use super::load::{self, Known};
use super::takeover::{self, TakeOverError};
use crate::store::{NodeId, Store, state};

/// What the managed tables must say at `now` (in milliseconds), given the present file, whose users come
/// first if they have not been taken over yet. The database stays as it is.
pub async fn access(store: &Store, file: Option<&Source>, now: DateTime<Utc>) -> Result<Access, TakeOverError> {
    if state::file_imported(store.read().await?.db()).await? {
        return Ok(load::load(store, NodeId::LOCAL, &mut Known::default(), now).await?.1);
    }
    // The real steps, in a transaction that is rolled back.
    let mut tx = store.write().await?;
    takeover::add_users(tx.db(), file, now.trunc_subsecs(0)).await?;
    Ok(load::read(tx.db(), NodeId::LOCAL, &mut Known::default(), now).await?.1)
}
