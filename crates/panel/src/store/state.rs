//! The one row of `panel_state`: revision of the users, state of the last good scrape, progress of the roll-up.

use chrono::{DateTime, Utc};
use mtpannel_core::usage::{Clocks, LastScrape};

use super::{Db, StoreResult, execute, query, sql_texts};

sql_texts! {
    COUNT_TRIAL = "UPDATE panel_state SET trial_writes = trial_writes + 1 WHERE id = 1";
    BUMP = "UPDATE panel_state SET revision = revision + 1 WHERE id = 1 RETURNING revision";
    REVISION = "SELECT revision FROM panel_state WHERE id = 1";
    FILE_IMPORTED = "SELECT file_imported FROM panel_state WHERE id = 1";
    SET_FILE_IMPORTED = "UPDATE panel_state SET file_imported = TRUE WHERE id = 1";
    SCRAPE_ORDINAL = "SELECT scrape_ordinal FROM panel_state WHERE id = 1";
    LAST_SCRAPE = "SELECT scrape_epoch, scrape_uptime, scraped_at FROM panel_state WHERE id = 1";
    SET_LAST_SCRAPE = "UPDATE panel_state SET scrape_epoch = $1, scrape_uptime = $2, scraped_at = $3, \
        scrape_boot = $4, scrape_real = $5, scrape_running = $6, scrape_ordinal = scrape_ordinal + 1 WHERE id = 1";
    SCRAPE_CLOCKS = "SELECT scrape_boot, scrape_real, scrape_running FROM panel_state WHERE id = 1";
    LIVED_UNTIL = "SELECT lived_until FROM panel_state WHERE id = 1";
    SET_LIVED_UNTIL = "UPDATE panel_state SET lived_until = $1 WHERE id = 1";
}

/// Counts a write that is made only to see whether it succeeds.
pub(super) async fn count_trial(db: Db<'_>) -> StoreResult<()> {
    execute!(db, COUNT_TRIAL).map(drop)
}

/// Notes that users have changed and gives the revision that the transaction makes.
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

/// Notes that they have, or that the database was filled from elsewhere.
pub async fn set_file_imported(db: Db<'_>) -> StoreResult<()> {
    execute!(db, SET_FILE_IMPORTED).map(drop)
}

/// How many good scrapes there were. Whoever scrapes reads it before he asks the proxy and again in the transaction: if
/// another panel came between, his reading is outdated and must not be counted.
pub async fn scrape_ordinal(db: Db<'_>) -> StoreResult<i64> {
    query!(fetch_one as (i64,), db, SCRAPE_ORDINAL).map(|(ordinal,)| ordinal)
}

/// State of the last good scrape, if there was one.
pub async fn last_scrape(db: Db<'_>) -> StoreResult<Option<LastScrape>> {
    type Row = (Option<i64>, Option<f64>, Option<DateTime<Utc>>);
    let (epoch, uptime, answered_at) = query!(fetch_one as Row, db, LAST_SCRAPE)?;
    Ok(match (epoch, uptime, answered_at) {
        (Some(epoch), Some(uptime), Some(answered_at)) => Some(LastScrape { epoch, uptime, answered_at }),
        _ => None,
    })
}

/// What the clocks that nobody sets showed at the answer of the last good scrape, if that is known.
pub async fn scrape_clocks(db: Db<'_>) -> StoreResult<Option<Clocks>> {
    type Row = (Option<String>, Option<f64>, Option<f64>);
    let (boot, real, running) = query!(fetch_one as Row, db, SCRAPE_CLOCKS)?;
    Ok(match (boot, real, running) {
        (Some(boot), Some(real), Some(running)) => Some(Clocks { boot, real, running }),
        _ => None,
    })
}

/// Stores the state of a good scrape, with what the clocks that nobody sets showed at its answer, and counts it.
pub async fn set_last_scrape(db: Db<'_>, scrape: &LastScrape, clocks: Option<&Clocks>) -> StoreResult<()> {
    let boot = clocks.map(|clocks| clocks.boot.as_str());
    let (real, running) = (clocks.map(|clocks| clocks.real), clocks.map(|clocks| clocks.running));
    execute!(db, SET_LAST_SCRAPE, scrape.epoch, scrape.uptime, scrape.answered_at, boot, real, running).map(drop)
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
