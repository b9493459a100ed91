//! One action on many users: one transaction, one file write.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use mtpannel_core::fault::{FieldError, FieldErrors};
use mtpannel_core::policy::{Scope, UsersWrite};
use mtpannel_core::user::{Status, Username};
use serde_json::Value;

use super::caller::Allowed;
use super::users::visible;
use super::{ServiceError, ServiceResult};
use crate::app::App;
use crate::change::Change;
use crate::runtime::roster::{Ids, Selection, SortKey};
use crate::runtime::sync::ConfigSync;
use crate::store::audit;
use crate::store::users::User;
use crate::store::{Db, StoreResult, session_cuts, users};

/// Names in one request.
pub const MAX_NAMES: usize = 1_000;
/// Days that can be added at once: ten years.
const MAX_DAYS: i64 = 3_650;

/// Which users an action is for.
#[derive(Debug, Clone)]
pub enum Which {
    /// These, in any case.
    Names(Vec<String>),
    /// All that the caller sees and that match.
    Filter {
        /// Part of the name; empty for all.
        search: String,
        /// Only those with this status.
        status: Option<Status>,
    },
}

/// What to do with each of them.
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
    /// Move the expiry by days ([`mtpannel_core::user::Profile::add_days`]).
    AddDays(i64),
    /// Raise the traffic limit by bytes. A user without a limit keeps none.
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
        match self {
            Self::Enable => user.profile.set_disabled(false, now),
            Self::Disable => user.profile.set_disabled(true, now),
            Self::Delete => {}
            Self::ResetUsage => user.reset_usage(now),
            Self::AddDays(days) => user.profile.add_days(days, now),
            Self::AddBytes(bytes) => user.profile.add_bytes(bytes, now),
        }
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

/// Runs an action, or with `dry_run` only tells what it would do.
pub async fn run(
    app: &App,
    caller: &Allowed<UsersWrite>,
    which: Which,
    action: Action,
    dry_run: bool,
) -> ServiceResult<(Done, ConfigSync)> {
    action.check()?;
    let chosen = Chosen::new(app, caller.scope(), which).await?;
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
    audit::record_each(change.db(), &caller.by(), now, action.action(), differences).await?;
    let sync = change.finish().await?;
    Ok((done, sync))
}

/// The users of an action.
enum Chosen {
    Names {
        names: Vec<String>,
        scope: Scope,
    },
    /// The rows that the list held, and what they still have to match: that list may be a moment old.
    Matching {
        ids: Ids,
        selection: Selection,
    },
}

impl Chosen {
    async fn new(app: &App, scope: Scope, which: Which) -> ServiceResult<Self> {
        match which {
            Which::Names(names) => {
                check_names(&names)?;
                Ok(Self::Names { names, scope })
            }
            Which::Filter { search, status } => {
                let sort = SortKey::CreatedAt;
                let selection =
                    Selection { scope, search: search.to_ascii_lowercase(), status, sort, descending: false };
                let ids = app.roster.select(&app.store, selection.clone()).await?;
                Ok(Self::Matching { ids, selection })
            }
        }
    }

    async fn find(&self, db: Db<'_>) -> StoreResult<Vec<User>> {
        match self {
            Self::Names { names, scope } => users::by_names(db, names.iter().map(String::as_str), scope.owner()).await,
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

/// A user whom an action changes; one to be deleted is as before.
struct Changed {
    before: Value,
    after: User,
}

/// What an action would do.
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
    let mut errors = FieldErrors::default();
    if names.is_empty() || names.len() > MAX_NAMES {
        errors.push("usernames", format!("must hold 1 to {MAX_NAMES} names"));
    } else if let Some((at, fault)) =
        names.iter().enumerate().find_map(|(at, name)| name.parse::<Username>().err().map(|fault| (at, fault)))
    {
        errors.push(&format!("usernames[{at}]"), fault);
    }
    Ok(errors.finish()?)
}

async fn perform(mut db: Db<'_>, changes: &[Changed], action: Action, now: DateTime<Utc>) -> StoreResult<()> {
    let users = || changes.iter().map(|changed| &changed.after);
    if action == Action::Delete {
        users::delete(db.reborrow(), users().map(|user| user.id)).await?;
        return session_cuts::order_for_deleted(db, users().map(|user| user.username.as_str()), now).await;
    }
    users::update_many(db, users(), now).await
}
