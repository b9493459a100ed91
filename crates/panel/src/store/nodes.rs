//! Table `nodes`: the servers with a proxy, and what the last good scrape of each has shown.

use chrono::{DateTime, Utc};
use mtpannel_core::usage::{Clocks, LastScrape};

use super::{Db, StoreResult, execute, query, sql_texts};

/// Id of a row of `nodes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct NodeId(i64);

impl NodeId {
    /// The node `local`: the machine that the panel runs on. [`local_node!`](super::local_node) is the same in SQL.
    pub const LOCAL: Self = Self(1);
}

sql_texts! {
    SCRAPE_ORDINAL = "SELECT scrape_ordinal FROM nodes WHERE id = $1";
    LAST_SCRAPE = "SELECT scrape_epoch, scrape_uptime, scraped_at FROM nodes WHERE id = $1";
    SET_LAST_SCRAPE = "UPDATE nodes SET scrape_epoch = $2, scrape_uptime = $3, scraped_at = $4, \
        scrape_boot = $5, scrape_real = $6, scrape_running = $7, scrape_ordinal = scrape_ordinal + 1 WHERE id = $1";
    SCRAPE_CLOCKS = "SELECT scrape_boot, scrape_real, scrape_running FROM nodes WHERE id = $1";
}

/// Number of good scrapes. A scraper reads it before it asks the proxy and again in the transaction: if another panel has
/// recorded a scrape meanwhile, this one is outdated and must not be counted.
pub async fn scrape_ordinal(db: Db<'_>, node: NodeId) -> StoreResult<i64> {
    query!(fetch_one as (i64,), db, SCRAPE_ORDINAL, node).map(|(ordinal,)| ordinal)
}

/// State of the last good scrape, if there was one.
pub async fn last_scrape(db: Db<'_>, node: NodeId) -> StoreResult<Option<LastScrape>> {
    type Row = (Option<i64>, Option<f64>, Option<DateTime<Utc>>);
    let (epoch, uptime, answered_at) = query!(fetch_one as Row, db, LAST_SCRAPE, node)?;
    Ok(match (epoch, uptime, answered_at) {
        (Some(epoch), Some(uptime), Some(answered_at)) => Some(LastScrape { epoch, uptime, answered_at }),
        _ => None,
    })
}

/// What the clocks that nobody sets showed at the answer of the last good scrape, if that is known.
pub async fn scrape_clocks(db: Db<'_>, node: NodeId) -> StoreResult<Option<Clocks>> {
    type Row = (Option<String>, Option<f64>, Option<f64>);
    let (boot, real, running) = query!(fetch_one as Row, db, SCRAPE_CLOCKS, node)?;
    Ok(match (boot, real, running) {
        (Some(boot), Some(real), Some(running)) => Some(Clocks { boot, real, running }),
        _ => None,
    })
}

/// Stores the state of a good scrape, with what the clocks that nobody sets showed at its answer, and counts it.
pub async fn set_last_scrape(
    db: Db<'_>,
    node: NodeId,
    scrape: &LastScrape,
    clocks: Option<&Clocks>,
) -> StoreResult<()> {
    let boot = clocks.map(|clocks| clocks.boot.as_str());
    let (real, running) = (clocks.map(|clocks| clocks.real), clocks.map(|clocks| clocks.running));
    execute!(db, SET_LAST_SCRAPE, node, scrape.epoch, scrape.uptime, scrape.answered_at, boot, real, running).map(drop)
}
