//! What a panel would write into the file now, for whoever only wants to see it.

use chrono::{DateTime, SubsecRound as _, Utc};
use mtpannel_core::access::Access;
use mtpannel_core::include::Source;

use super::first_start::{self, TakeOverError};
use super::projection::{self, Known};
use crate::store::{Store, state};

/// What the managed tables must say at `now` (in milliseconds), given the present file, whose users come
/// first if they have not been taken over yet. The database stays as it is.
pub async fn access(store: &Store, file: Option<&Source>, now: DateTime<Utc>) -> Result<Access, TakeOverError> {
    if state::file_imported(store.read().await?.db()).await? {
        return Ok(projection::load(store, &mut Known::default(), now).await?.1);
    }
    // The real steps, in a transaction that is rolled back.
    let mut tx = store.write().await?;
    first_start::add_users(tx.db(), file, now.trunc_subsecs(0)).await?;
    Ok(projection::read(tx.db(), &mut Known::default(), now).await?.1)
}
