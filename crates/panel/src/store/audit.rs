//! Table `audit_log`, append-only but for what is older than the operator keeps.

use chrono::{DateTime, Utc};
use mtpannel_core::audit::{By, Difference, changed_fields};
use mtpannel_core::user::Status;
use serde_json::json;

use super::{Db, StoreResult, execute, execute_rows, folded, query, sql_texts};

/// Something that an administrator, the command line or the panel did.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Action {
    /// When.
    pub at: DateTime<Utc>,
    /// Who, as [`By::name`] gives it.
    pub actor: String,
    /// Address of the client, if the action came over the network.
    pub address: Option<String>,
    /// What was done, such as `user.create`.
    #[sqlx(rename = "action")]
    pub name: String,
    /// Name of the user or administrator that it was done to.
    pub target: Option<String>,
    /// The fields that changed, before: a JSON object without secrets.
    pub before: Option<String>,
    /// The same fields, after.
    pub after: Option<String>,
}

impl Action {
    /// An action without an entry in the log yet. Of the difference only the fields that differ are kept; the caller leaves
    /// secrets out.
    pub fn new(by: &By, now: DateTime<Utc>, name: &str, target: Option<&str>, difference: Difference) -> Self {
        let (before, after) = changed_fields(difference);
        Self {
            at: now,
            actor: by.name().to_owned(),
            address: by.address().map(|address| address.to_string()),
            name: name.to_owned(),
            target: target.map(str::to_owned),
            before: before.map(|value| value.to_string()),
            after: after.map(|value| value.to_string()),
        }
    }
}

/// An action in the log.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Logged {
    /// Row id, which grows with every action.
    pub id: i64,
    /// The action.
    #[sqlx(flatten)]
    pub action: Action,
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

/// Adds actions, in as few statements as is reasonable.
pub async fn insert(db: Db<'_>, actions: &[Action]) -> StoreResult<()> {
    execute_rows!(db, INSERT, actions, |action| (
        action.at,
        &action.actor,
        &action.address,
        &action.name,
        &action.target,
        &action.before,
        &action.after,
    ))
}

/// Adds one action, in the transaction that carries it out.
pub async fn record(
    db: Db<'_>,
    by: &By,
    now: DateTime<Utc>,
    name: &str,
    target: Option<&str>,
    difference: Difference,
) -> StoreResult<()> {
    insert(db, &[Action::new(by, now, name, target, difference)]).await
}

/// Adds one action on many targets: an entry for each.
pub async fn record_each<'t>(
    db: Db<'_>,
    by: &By,
    now: DateTime<Utc>,
    name: &str,
    targets: impl Iterator<Item = (&'t str, Difference)>,
) -> StoreResult<()> {
    let actions: Vec<_> =
        targets.map(|(target, difference)| Action::new(by, now, name, Some(target), difference)).collect();
    insert(db, &actions).await
}

/// Adds an entry for each user whose status the panel changed by itself: name, status before and after.
pub async fn record_statuses<'u>(
    db: Db<'_>,
    now: DateTime<Utc>,
    changes: impl Iterator<Item = (&'u str, Status, Status)>,
) -> StoreResult<()> {
    let status = |status: Status| Some(json!({"status": status.as_str()}));
    let changes = changes.filter(|(_, before, after)| before != after);
    let entries = changes.map(|(name, before, after)| (name, (status(before), status(after))));
    record_each(db, &By::System, now, "user.status", entries).await
}

/// Actions that match, the newest first.
pub async fn page(db: Db<'_>, filter: &Filter, limit: i64, offset: i64) -> StoreResult<Vec<Logged>> {
    let (page, _) = filter.texts();
    query!(fetch_all as Logged, db, page, filter.actor(), &filter.action, filter.target(), limit, offset)
}

/// How many actions match.
pub async fn count(db: Db<'_>, filter: &Filter) -> StoreResult<i64> {
    let (_, count) = filter.texts();
    query!(fetch_one as (i64,), db, count, filter.actor(), &filter.action, filter.target()).map(|(count,)| count)
}

/// Removes at most `most` of the actions before `moment`, the oldest first, and gives how many it removed. The table refuses
/// every removal except what this transaction allows, and no other transaction sees that permission.
pub async fn remove_before(mut db: Db<'_>, moment: DateTime<Utc>, most: i64) -> StoreResult<u64> {
    execute!(db.reborrow(), SET_REMOVABLE, Some(moment))?;
    let removed = execute!(db.reborrow(), REMOVE_BEFORE, moment, most)?;
    execute!(db, SET_REMOVABLE, None::<DateTime<Utc>>)?;
    Ok(removed)
}
