//! Which users a list shows, in which order.

use mtpannel_core::policy::Scope;
use mtpannel_core::user::Status;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::user::StatusWord;
use super::{check_length, page};
use crate::http::problem::Problem;
use crate::runtime::roster::{Selection, SortKey};

/// Which users a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// Users to skip.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Users to show.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// Part of the name, in any case; every character stands for itself.
    #[param(max_length = 100)]
    search: Option<String>,
    /// Only those with this status.
    #[param(inline)]
    status: Option<StatusWord>,
    /// The order; with `-` the largest first.
    #[param(inline)]
    sort: Option<Sort>,
}

/// The order of a list of users.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
pub(crate) enum Sort {
    #[serde(rename = "created_at")]
    CreatedAt,
    #[serde(rename = "-created_at")]
    CreatedAtDown,
    #[serde(rename = "username")]
    Username,
    #[serde(rename = "-username")]
    UsernameDown,
    #[serde(rename = "data_used")]
    DataUsed,
    #[serde(rename = "-data_used")]
    DataUsedDown,
    #[serde(rename = "data_limit")]
    DataLimit,
    #[serde(rename = "-data_limit")]
    DataLimitDown,
    #[serde(rename = "expire_at")]
    ExpireAt,
    #[serde(rename = "-expire_at")]
    ExpireAtDown,
    #[serde(rename = "last_seen_at")]
    LastSeenAt,
    #[serde(rename = "-last_seen_at")]
    LastSeenAtDown,
    #[serde(rename = "status")]
    Status,
    #[serde(rename = "-status")]
    StatusDown,
}

impl Sort {
    const fn key(self) -> (SortKey, bool) {
        match self {
            Self::CreatedAt => (SortKey::CreatedAt, false),
            Self::CreatedAtDown => (SortKey::CreatedAt, true),
            Self::Username => (SortKey::Username, false),
            Self::UsernameDown => (SortKey::Username, true),
            Self::DataUsed => (SortKey::DataUsed, false),
            Self::DataUsedDown => (SortKey::DataUsed, true),
            Self::DataLimit => (SortKey::DataLimit, false),
            Self::DataLimitDown => (SortKey::DataLimit, true),
            Self::ExpireAt => (SortKey::ExpireAt, false),
            Self::ExpireAtDown => (SortKey::ExpireAt, true),
            Self::LastSeenAt => (SortKey::LastSeenAt, false),
            Self::LastSeenAtDown => (SortKey::LastSeenAt, true),
            Self::Status => (SortKey::Status, false),
            Self::StatusDown => (SortKey::Status, true),
        }
    }
}

/// Longest search, in characters; no name is longer, but nobody needs a page about it.
pub(in crate::http) const SEARCH_MAX: usize = 100;

impl UserQuery {
    /// Offset and limit, and what they page through among the users that are seen.
    pub(in crate::http) fn selection(self, scope: Scope) -> Result<(usize, usize, Selection), Problem> {
        let (offset, limit) = page(self.offset, self.limit)?;
        let search = self.search.unwrap_or_default();
        check_length("search", &search, SEARCH_MAX)?;
        let (sort, descending) = self.sort.unwrap_or(Sort::CreatedAtDown).key();
        let status = self.status.map(Status::from);
        let (offset, limit) = (usize::try_from(offset).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(0));
        Ok((offset, limit, Selection { scope, search: search.to_ascii_lowercase(), status, sort, descending }))
    }
}
