//! Who did what: written in the transaction of the deed.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use mtpannel_core::policy::Actor;
use serde_json::{Map, Value};

use crate::store::{Db, StoreResult, audit};

/// Who is behind a deed.
#[derive(Debug, Clone)]
pub enum By {
    /// An administrator over the API.
    Admin {
        /// The administrator.
        actor: Actor,
        /// His address.
        address: Option<IpAddr>,
    },
    /// Somebody without a name: a failed login.
    Stranger {
        /// His address.
        address: Option<IpAddr>,
    },
    /// The command line on the server.
    CommandLine,
}

impl By {
    fn name(&self) -> &str {
        match self {
            Self::Admin { actor, .. } => &actor.username,
            Self::Stranger { .. } => "-",
            Self::CommandLine => "command line",
        }
    }

    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Admin { address, .. } | Self::Stranger { address } => *address,
            Self::CommandLine => None,
        }
    }
}

/// Adds a deed to the log. Of `before` and `after` only the fields that differ are kept; whoever builds them leaves
/// secrets out.
pub async fn record(
    db: Db<'_>,
    by: &By,
    now: DateTime<Utc>,
    action: &str,
    target: Option<&str>,
    (before, after): (Option<Value>, Option<Value>),
) -> StoreResult<()> {
    let (before, after) = differing(before, after);
    let deed = audit::Deed {
        id: 0,
        at: now,
        actor: by.name().to_owned(),
        address: by.address().map(|address| address.to_string()),
        action: action.to_owned(),
        target: target.map(str::to_owned),
        before: before.map(|value| value.to_string()),
        after: after.map(|value| value.to_string()),
    };
    audit::insert(db, &deed).await
}

fn differing(before: Option<Value>, after: Option<Value>) -> (Option<Value>, Option<Value>) {
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let keep = |these: &Map<String, Value>, those: &Map<String, Value>| {
                let kept = these.iter().filter(|(key, value)| those.get(*key) != Some(value));
                Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
            };
            (Some(keep(&before, &after)), Some(keep(&after, &before)))
        }
        others => others,
    }
}

#[cfg(test)]
mod tests {
    use super::differing;
    use serde_json::json;

    #[test]
    fn only_fields_that_changed_are_kept() {
        let (before, after) = differing(Some(json!({"a": 1, "b": 2})), Some(json!({"a": 1, "b": 3})));
        assert_eq!((before, after), (Some(json!({"b": 2})), Some(json!({"b": 3}))));
        let (before, after) = differing(None, Some(json!({"a": 1})));
        assert_eq!((before, after), (None, Some(json!({"a": 1}))));
    }
}
