//! Table `panel_state`, with one row: the revision of the users, and what else is about the database as a whole.

use chrono::{DateTime, Utc};

use super::{Db, StoreResult, execute, query, sql_texts};

sql_texts! {
    COUNT_TRIAL = "UPDATE panel_state SET trial_writes = trial_writes + 1 WHERE id = 1";
    BUMP = "UPDATE panel_state SET revision = revision + 1 WHERE id = 1 RETURNING revision";
    REVISION = "SELECT revision FROM panel_state WHERE id = 1";
    FILE_IMPORTED = "SELECT file_imported FROM panel_state WHERE id = 1";
    SET_FILE_IMPORTED = "UPDATE panel_state SET file_imported = TRUE WHERE id = 1";
    LIVED_UNTIL = "SELECT lived_until FROM panel_state WHERE id = 1";
    SET_LIVED_UNTIL = "UPDATE panel_state SET lived_until = $1 WHERE id = 1";
}

/// Counts a write that is made only to see whether it succeeds.
pub(super) async fn count_trial(db: Db<'_>) -> StoreResult<()> {
    execute!(db, COUNT_TRIAL).map(drop)
}

/// Raises the revision of the users and returns the new one.
pub async fn bump(db: Db<'_>) -> StoreResult<i64> {
    query!(fetch_one as (i64,), db, BUMP).map(|(revision,)| revision)
}

/// Revision of the users as they are now.
pub async fn revision(db: Db<'_>) -> StoreResult<i64> {
    query!(fetch_one as (i64,), db, REVISION).map(|(revision,)| revision)
}

/// Whether the users of the file that was there before the panel have been taken over.
pub async fn file_imported(db: Db<'_>) -> StoreResult<bool> {
    query!(fetch_one as (bool,), db, FILE_IMPORTED).map(|(imported,)| imported)
}

/// Stores that they have been, or that the users came from elsewhere.
pub async fn set_file_imported(db: Db<'_>) -> StoreResult<()> {
    execute!(db, SET_FILE_IMPORTED).map(drop)
}

/// Up to when the history has followed the clock; `None` before the first turn.
pub async fn lived_until(db: Db<'_>) -> StoreResult<Option<DateTime<Utc>>> {
    type Row = (Option<DateTime<Utc>>,);
    query!(fetch_one as Row, db, LIVED_UNTIL).map(|(until,)| until)
}

/// Stores up to when the history has followed the clock.
pub async fn set_lived_until(db: Db<'_>, until: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, SET_LIVED_UNTIL, until).map(drop)
}
