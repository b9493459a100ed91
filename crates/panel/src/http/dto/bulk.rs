//! One action on many users.

use mtpannel_core::user::Status;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::user::StatusWord;
use super::user_query::SEARCH_MAX;
use super::{ConfigSyncBody, Object, Whole, check_length};
use crate::http::problem::Problem;
use crate::service::bulk::{Action, Done, Which};

/// One action on the users that are named or that match; exactly one of `usernames` and `filter` must be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkBody {
    /// 1 to 1,000 names.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 1000)]
    usernames: Option<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<BulkFilter>)]
    filter: Option<Object<BulkFilter>>,
    action: BulkAction,
    /// Days for `add_days` (1 to 3,650), bytes for `add_bytes` (at least 1); nothing for the others.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    value: Option<Whole>,
    /// Only tell what would be done.
    #[serde(default)]
    #[schema(required = false)]
    pub(in crate::http) dry_run: bool,
}

/// Users that match; an empty one matches all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkFilter {
    /// Part of the name.
    #[serde(default)]
    #[schema(max_length = 100)]
    search: Option<String>,
    /// Only those with this status.
    #[serde(default)]
    status: Option<StatusWord>,
}

/// What to do.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BulkAction {
    /// Serve them again.
    Enable,
    /// Stop serving them.
    Disable,
    /// Delete them.
    Delete,
    /// Usage to 0.
    ResetUsage,
    /// Move the end of their time by `value` days.
    AddDays,
    /// Raise their limit by `value` bytes.
    AddBytes,
}

/// What was done, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkDone {
    /// Users that were found.
    matched: usize,
    /// Users that are different now.
    changed: usize,
    /// Names that were asked for and not found.
    missing: Vec<String>,
    dry_run: bool,
    config_sync: ConfigSyncBody,
}

impl BulkDone {
    pub(in crate::http) fn new(done: Done, dry_run: bool, config_sync: ConfigSyncBody) -> Self {
        Self { matched: done.matched, changed: done.changed, missing: done.missing, dry_run, config_sync }
    }
}

impl BulkBody {
    /// Which users, and what to do with them.
    pub(in crate::http) fn into_parts(self) -> Result<(Which, Action), Problem> {
        let which = match (self.usernames, self.filter) {
            (Some(names), None) => Which::Names(names),
            (None, Some(Object(filter))) => which(filter)?,
            _ => return Err(Problem::invalid_field("usernames", "or filter must be given, and not both")),
        };
        let needed = |what: &str| Problem::invalid_field("value", format!("must be given: {what}"));
        let action = match (self.action, self.value.map(|value| value.0)) {
            (BulkAction::AddDays, days) => Action::AddDays(days.ok_or_else(|| needed("days to add"))?),
            (BulkAction::AddBytes, bytes) => Action::AddBytes(bytes.ok_or_else(|| needed("bytes to add"))?),
            (_, Some(_)) => return Err(Problem::invalid_field("value", "belongs to add_days and add_bytes only")),
            (BulkAction::Enable, None) => Action::Enable,
            (BulkAction::Disable, None) => Action::Disable,
            (BulkAction::Delete, None) => Action::Delete,
            (BulkAction::ResetUsage, None) => Action::ResetUsage,
        };
        Ok((which, action))
    }
}

fn which(filter: BulkFilter) -> Result<Which, Problem> {
    let search = filter.search.unwrap_or_default();
    check_length("filter.search", &search, SEARCH_MAX)?;
    Ok(Which::Filter { search, status: filter.status.map(Status::from) })
}
