//! One deed on many users: one transaction, one file write.

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use mtpannel_core::policy::Actor;
use mtpannel_core::user::{Status, Username};
use serde_json::json;

use super::change::Change;
use super::error::Problems;
use super::roster::{Selection, SortKey};
use super::users::reset;
use super::{By, ConfigSync, FieldError, ServiceError, ServiceResult, audit};
use crate::app::App;
use crate::store::users::User;
use crate::store::{Db, departed, users};

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
pub enum Deed {
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

impl Deed {
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

    /// Changes a user; for [`Deed::Delete`] there is nothing to change.
    fn apply(self, user: &mut User, now: DateTime<Utc>) {
        let mut standing = user.standing();
        match self {
            Self::Enable => standing.disabled = false,
            Self::Disable => standing.disabled = true,
            Self::Delete => {}
            Self::ResetUsage => {
                reset(user, now);
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
    deed: Deed,
    dry_run: bool,
) -> ServiceResult<(Done, ConfigSync)> {
    deed.check()?;
    check_names(&which)?;
    let ids = chosen(app, actor, &which).await?;
    let mut change = Change::begin(app).await?;
    let now = change.now;
    let found = match (&which, ids) {
        (Which::Names(names), _) => {
            users::by_names(change.db(), names.iter().map(String::as_str), actor.scope().owner()).await?
        }
        (Which::Filter { .. }, ids) => users::by_ids(change.db(), ids.iter().copied()).await?,
    };
    let missing = missing(&which, &found);
    let matched = found.len();
    let changed = perform(change.db(), found, deed, now, dry_run).await?;
    let done = Done { matched, changed, missing };
    if dry_run || changed == 0 {
        return Ok((done, ConfigSync::Applied));
    }
    let after = Some(json!({"value": value(deed), "matched": matched, "changed": changed}));
    audit::record(change.db(), by, now, deed.action(), None, (None, after)).await?;
    let sync = change.finish().await?;
    Ok((done, sync))
}

fn check_names(which: &Which) -> ServiceResult<()> {
    let Which::Names(names) = which else { return Ok(()) };
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

async fn chosen(app: &App, actor: &Actor, which: &Which) -> ServiceResult<std::sync::Arc<Vec<i64>>> {
    let Which::Filter { search, status } = which else { return Ok(std::sync::Arc::default()) };
    let selection = Selection {
        owner: actor.scope().owner(),
        search: search.to_lowercase(),
        status: *status,
        sort: SortKey::CreatedAt,
        descending: false,
    };
    Ok(app.roster.select(&app.store, selection).await?)
}

fn missing(which: &Which, found: &[User]) -> Vec<String> {
    let Which::Names(names) = which else { return Vec::new() };
    let found: std::collections::HashSet<String> =
        found.iter().map(|user| user.username.as_str().to_ascii_lowercase()).collect();
    names.iter().filter(|name| !found.contains(&name.to_ascii_lowercase())).cloned().collect()
}

async fn perform(
    mut db: Db<'_>,
    found: Vec<User>,
    deed: Deed,
    now: DateTime<Utc>,
    dry_run: bool,
) -> ServiceResult<usize> {
    if deed == Deed::Delete {
        if !dry_run && !found.is_empty() {
            users::delete(db.reborrow(), found.iter().map(|user| user.id)).await?;
            departed::add(db, found.iter().map(|user| user.username.as_str()), now).await?;
        }
        return Ok(found.len());
    }
    let visible = |user: &User| (user.status, user.data_limit, user.data_used, user.expire_at);
    let changed: Vec<User> = found
        .into_iter()
        .filter_map(|mut user| {
            let before = visible(&user);
            deed.apply(&mut user, now);
            (visible(&user) != before).then_some(user)
        })
        .collect();
    if !dry_run {
        users::update_many(db, &changed, now).await?;
    }
    Ok(changed.len())
}

const fn value(deed: Deed) -> Option<i64> {
    match deed {
        Deed::AddDays(value) | Deed::AddBytes(value) => Some(value),
        _ => None,
    }
}
