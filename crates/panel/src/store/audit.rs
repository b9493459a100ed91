//! Table `audit_log`, append-only but for what is older than the operator keeps.

use chrono::{DateTime, Utc};

use super::{Db, StoreResult, execute, execute_rows, folded, query, sql_texts};

/// One deed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Deed {
    /// When.
    pub at: DateTime<Utc>,
    /// Name of the administrator; `system` for what the panel does by itself; `command line`; `-` for a stranger.
    pub actor: String,
    /// Address of the client, if it came over the network.
    pub address: Option<String>,
    /// What, such as `user.create`.
    pub action: String,
    /// On whom.
    pub target: Option<String>,
    /// The fields that changed, before: a JSON object; secrets are masked by the writer.
    pub before: Option<String>,
    /// The same fields, after.
    pub after: Option<String>,
}

/// A deed in the log.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Logged {
    /// Row id, which grows with every deed.
    pub id: i64,
    /// The deed.
    #[sqlx(flatten)]
    pub deed: Deed,
}

/// What to show of the log; `None` matches everything.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Name of the actor, in any case.
    pub actor: Option<String>,
    /// The action.
    pub action: Option<String>,
    /// Name of the target, in any case.
    pub target: Option<String>,
}

/// What is left out of the filter matches everything.
macro_rules! matching {
    ($($by:literal)?) => {
        concat!(
            " FROM audit_log WHERE ", $($by, " AND ",)?
            "(CAST($1 AS TEXT) IS NULL OR lower(actor) = $1) AND (CAST($2 AS TEXT) IS NULL OR action = $2) \
             AND (CAST($3 AS TEXT) IS NULL OR lower(target) = $3)"
        )
    };
}

macro_rules! page {
    ($($by:literal)?) => {
        concat!(
            "SELECT id, at, actor, address, action, target, before, after",
            matching!($($by)?),
            " ORDER BY id DESC LIMIT $4 OFFSET $5"
        )
    };
}

macro_rules! count {
    ($($by:literal)?) => {
        concat!("SELECT COUNT(*)", matching!($($by)?))
    };
}

sql_texts! {
    INSERT = "INSERT INTO audit_log (at, actor, address, action, target, before, after) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    SET_REMOVABLE = "UPDATE panel_state SET audit_removable_before = $1 WHERE id = 1";
    REMOVE_BEFORE = "DELETE FROM audit_log \
        WHERE id IN (SELECT id FROM audit_log WHERE at < $1 ORDER BY at LIMIT $2)";
    PAGE = page!();
    COUNT = count!();
    // The engines use an index only for what a text says for certain.
    PAGE_BY_TARGET = page!("lower(target) = $3");
    COUNT_BY_TARGET = count!("lower(target) = $3");
    PAGE_BY_ACTOR = page!("lower(actor) = $1");
    COUNT_BY_ACTOR = count!("lower(actor) = $1");
    PAGE_BY_ACTION = page!("action = $2");
    COUNT_BY_ACTION = count!("action = $2");
}

impl Filter {
    fn actor(&self) -> Option<String> {
        self.actor.as_deref().map(folded)
    }

    fn target(&self) -> Option<String> {
        self.target.as_deref().map(folded)
    }

    /// The texts that find a page and the number of what matches, by the index that leaves the least.
    const fn texts(&self) -> (&'static str, &'static str) {
        match self {
            Self { target: Some(_), .. } => (PAGE_BY_TARGET, COUNT_BY_TARGET),
            Self { actor: Some(_), .. } => (PAGE_BY_ACTOR, COUNT_BY_ACTOR),
            Self { action: Some(_), .. } => (PAGE_BY_ACTION, COUNT_BY_ACTION),
            Self { .. } => (PAGE, COUNT),
        }
    }
}

/// Adds deeds, in as few statements as is reasonable.
pub async fn insert(db: Db<'_>, deeds: &[Deed]) -> StoreResult<()> {
    execute_rows!(db, INSERT, deeds, |deed| (
        deed.at,
        &deed.actor,
        &deed.address,
        &deed.action,
        &deed.target,
        &deed.before,
        &deed.after,
    ))
}

/// Deeds, the newest first.
pub async fn page(db: Db<'_>, filter: &Filter, limit: i64, offset: i64) -> StoreResult<Vec<Logged>> {
    let (page, _) = filter.texts();
    query!(fetch_all as Logged, db, page, filter.actor(), &filter.action, filter.target(), limit, offset)
}

/// How many deeds match.
pub async fn count(db: Db<'_>, filter: &Filter) -> StoreResult<i64> {
    let (_, count) = filter.texts();
    query!(fetch_one as (i64,), db, count, filter.actor(), &filter.action, filter.target()).map(|(count,)| count)
}

/// Removes at most `most` of the actions before `moment`, the oldest first, and gives how many it removed. The table refuses
/// every removal but of what this transaction allows, and nobody else sees that it does.
pub async fn remove_before(mut db: Db<'_>, moment: DateTime<Utc>, most: i64) -> StoreResult<u64> {
    execute!(db.reborrow(), SET_REMOVABLE, Some(moment))?;
    let removed = execute!(db.reborrow(), REMOVE_BEFORE, moment, most)?;
    execute!(db, SET_REMOVABLE, None::<DateTime<Utc>>)?;
    Ok(removed)
}
