//! The audit log.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Moment, check_text, page};
use crate::http::problem::Problem;
use crate::store::audit::{Filter, Logged};

/// Longest text to look for, in characters; no name and no action is longer.
const FILTER_MAX: usize = 100;

/// Which part of the audit log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Entries to skip.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Entries to show.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<i64>,
    /// Name of who did it, in any case.
    #[param(max_length = 100, pattern = r"^[^\u0000]*$")]
    actor: Option<String>,
    /// What was done, such as `user.create`.
    #[param(max_length = 100, pattern = r"^[^\u0000]*$")]
    action: Option<String>,
    /// On whom, in any case.
    #[param(max_length = 100, pattern = r"^[^\u0000]*$")]
    target: Option<String>,
}

impl AuditQuery {
    /// Offset and limit, and what they page through.
    pub(in crate::http) fn filter(self) -> Result<(i64, i64, Filter), Problem> {
        let (offset, limit) = page(self.offset, self.limit)?;
        for (field, value) in [("actor", &self.actor), ("action", &self.action), ("target", &self.target)] {
            check_text(field, value.as_deref().unwrap_or_default(), FILTER_MAX)?;
        }
        Ok((offset, limit, Filter { actor: self.actor, action: self.action, target: self.target }))
    }
}

/// A page of the audit log, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    pub(in crate::http) entries: Vec<AuditEntry>,
    /// How many match in all.
    pub(in crate::http) total: i64,
}

/// One action.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// Grows with every action.
    id: i64,
    at: Moment,
    /// Name of the administrator; `command line`; `system`, the panel itself; `-` for a failed login.
    actor: String,
    #[schema(required)]
    address: Option<String>,
    #[schema(example = "user.update")]
    action: String,
    #[schema(required)]
    target: Option<String>,
    /// The fields that changed, before; secrets are masked.
    #[schema(required, value_type = Option<Object>)]
    before: Option<Value>,
    /// The same fields, after.
    #[schema(required, value_type = Option<Object>)]
    after: Option<Value>,
}

impl From<Logged> for AuditEntry {
    fn from(Logged { id, action }: Logged) -> Self {
        let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        Self {
            id,
            at: Moment(action.at),
            actor: action.actor,
            address: action.address,
            action: action.name,
            target: action.target,
            before: json(action.before),
            after: json(action.after),
        }
    }
}
