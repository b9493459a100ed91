//! One action on many users: one transaction, one file write.

use std::collections::HashSet;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use mtpannel_core::policy::Actor;
use mtpannel_core::user::{Status, Username};
use serde_json::Value;

use super::error::Problems;
use super::users::visible;
use super::{ServiceError, ServiceResult};
use crate::app::App;
use crate::change::Change;
use crate::runtime::roster::{Ids, Selection, SortKey};
use crate::runtime::sync::ConfigSync;
use crate::store::audit;
use crate::store::users::User;
use crate::store::{Db, StoreResult, session_cuts, users};
use mtpannel_core::audit::By;
use mtpannel_core::fault::FieldError;

/// Names in one request.
pub const MAX_NAMES: usize = 1_000;
/// Days that can be added at once: ten years.
const MAX_DAYS: i64 = 3_650;

/// Which users.
#[derive(Debug, Clone)]
pub enum Which {
    /// These, in any case.
    Names(Vec<String>),
    /// All that the administrator sees and that match.
    Filter {
        /// Part of the name; empty for all.
        search: String,
        /// Only those with this status.
        status: Option<Status>,
    },
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Serve them again.
    Enable,
    /// Stop serving them.
    Disable,
    /// Delete them.
    Delete,
    /// Usage to 0.
    ResetUsage,
    /// Move the end of their time by days: from now where it is over. Who has no end keeps none; whose end would come
    /// after the year 9999 keeps his.
    AddDays(i64),
    /// Raise their limit by bytes. Who has no limit keeps none.
    AddBytes(i64),
}

impl Action {
    const fn action(self) -> &'static str {
        match self {
            Self::Enable => "users.enable",
            Self::Disable => "users.disable",
            Self::Delete => "users.delete",
            Self::ResetUsage => "users.reset_usage",
            Self::AddDays(_) => "users.add_days",
            Self::AddBytes(_) => "users.add_bytes",
        }
    }

    fn check(self) -> ServiceResult<()> {
        let fault = match self {
            Self::AddDays(days) if !(1..=MAX_DAYS).contains(&days) => format!("must be 1 to {MAX_DAYS} days"),
            Self::AddBytes(bytes) if bytes < 1 => "must be at least 1 byte".into(),
            _ => return Ok(()),
        };
        Err(ServiceError::Invalid(vec![FieldError::new("value", fault)]))
    }

    /// Changes a user; for [`Action::Delete`] there is nothing to change.
    fn apply(self, user: &mut User, now: DateTime<Utc>) {
        let mut standing = user.standing();
        match self {
            Self::Enable => standing.disabled = false,
            Self::Disable => standing.disabled = true,
            Self::Delete => {}
            Self::ResetUsage => {
                user.reset_usage(now);
                standing.data_used = 0;
            }
            Self::AddDays(days) => {
                let end = user.expire_at.map(|end| end.max(now));
                let later = end.and_then(|end| end.checked_add_signed(TimeDelta::days(days)));
                // The file's dates have four digits for the year; with more, the proxy would refuse all of it.
                user.expire_at = later.filter(|end| end.year() <= 9_999).or(user.expire_at);
                standing.expire_at = user.expire_at;
            }
            Self::AddBytes(bytes) => {
                user.data_limit = user.data_limit.map(|limit| limit.saturating_add(bytes));
                standing.data_limit = user.standing().data_limit;
            }
        }
        user.status = standing.status(now);
    }
}

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Users that were found.
    pub matched: usize,
    /// Users that are different now.
    pub changed: usize,
    /// Names that were asked for and not found.
    pub missing: Vec<String>,
}

/// Does it, or with `dry_run` only tells what would be done.
pub async fn run(
    app: &App,
    by: &By,
    actor: &Actor,
    which: Which,
    action: Action,
    dry_run: bool,
) -> ServiceResult<(Done, ConfigSync)> {
    action.check()?;
    let chosen = Chosen::new(app, actor, which).await?;
    if dry_run {
        let found = chosen.find(app.store.read().await?.db()).await?;
        return Ok((Planned::new(&chosen, found, action, app.clock.now()).done, ConfigSync::Applied));
    }
    let mut change = Change::begin(app).await?;
    let now = change.now;
    let found = chosen.find(change.db()).await?;
    let Planned { done, changes } = Planned::new(&chosen, found, action, now);
    if changes.is_empty() {
        return Ok((done, ConfigSync::Applied));
    }
    perform(change.db(), &changes, action, now).await?;
    let differences = changes.iter().map(|changed| {
        let after = (action != Action::Delete).then(|| visible(&changed.after));
        (changed.after.username.as_str(), (Some(changed.before.clone()), after))
    });
    audit::record_each(change.db(), by, now, action.action(), differences).await?;
    let sync = change.finish().await?;
    Ok((done, sync))
}

/// Whom an action is for.
enum Chosen {
    Names {
        names: Vec<String>,
        owner: Option<i64>,
    },
    /// The rows that the list held, and what they still have to match: that list may be a moment old.
    Matching {
        ids: Ids,
        selection: Selection,
    },
}

impl Chosen {
    async fn new(app: &App, actor: &Actor, which: Which) -> ServiceResult<Self> {
        let owner = actor.scope().owner();
        match which {
            Which::Names(names) => {
                check_names(&names)?;
                Ok(Self::Names { names, owner })
            }
            Which::Filter { search, status } => {
                let sort = SortKey::CreatedAt;
                let selection =
                    Selection { owner, search: search.to_ascii_lowercase(), status, sort, descending: false };
                let ids = app.roster.select(&app.store, selection.clone()).await?;
                Ok(Self::Matching { ids, selection })
            }
        }
    }

    async fn find(&self, db: Db<'_>) -> StoreResult<Vec<User>> {
        match self {
            Self::Names { names, owner } => users::by_names(db, names.iter().map(String::as_str), *owner).await,
            Self::Matching { ids, selection } => {
                let mut found = users::by_ids(db, ids.iter().copied()).await?;
                found.retain(|user| selection.holds(user));
                Ok(found)
            }
        }
    }

    /// The names among them that nobody has.
    fn missing(&self, found: &[User]) -> Vec<String> {
        let Self::Names { names, .. } = self else { return Vec::new() };
        let found: HashSet<String> = found.iter().map(|user| user.username.as_str().to_ascii_lowercase()).collect();
        names.iter().filter(|name| !found.contains(&name.to_ascii_lowercase())).cloned().collect()
    }
}

/// A user who is different after an action; one to be deleted is as he was.
struct Changed {
    before: Value,
    after: User,
}

/// What an action comes to.
struct Planned {
    done: Done,
    changes: Vec<Changed>,
}

impl Planned {
    fn new(chosen: &Chosen, found: Vec<User>, action: Action, now: DateTime<Utc>) -> Self {
        let (matched, missing) = (found.len(), chosen.missing(&found));
        let changes: Vec<Changed> = found
            .into_iter()
            .filter_map(|mut user| {
                let before = visible(&user);
                action.apply(&mut user, now);
                (action == Action::Delete || visible(&user) != before).then_some(Changed { before, after: user })
            })
            .collect();
        Self { done: Done { matched, changed: changes.len(), missing }, changes }
    }
}

fn check_names(names: &[String]) -> ServiceResult<()> {
    let mut problems = Problems::default();
    if names.is_empty() || names.len() > MAX_NAMES {
        problems.push("usernames", format!("must hold 1 to {MAX_NAMES} names"));
    } else if let Some((at, fault)) =
        names.iter().enumerate().find_map(|(at, name)| name.parse::<Username>().err().map(|fault| (at, fault)))
    {
        problems.push(&format!("usernames[{at}]"), fault);
    }
    problems.finish()
}

async fn perform(mut db: Db<'_>, changes: &[Changed], action: Action, now: DateTime<Utc>) -> StoreResult<()> {
    let users = || changes.iter().map(|changed| &changed.after);
    if action == Action::Delete {
        users::delete(db.reborrow(), users().map(|user| user.id)).await?;
        return session_cuts::order_for_deleted(db, users().map(|user| user.username.as_str()), now).await;
    }
    users::update_many(db, users(), now).await
}
