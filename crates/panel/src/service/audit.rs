//! Who did what: written in the transaction of the deed.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use mtpannel_core::policy::Actor;
use mtpannel_core::user::Status;
use serde_json::{Map, Value, json};

use super::ServiceResult;
use crate::app::App;
use crate::store::audit::{self, Deed, Filter, Logged};
use crate::store::{Db, Store, StoreResult};

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
    /// The panel, by itself.
    System,
}

impl By {
    /// No administrator is called like those with a space.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Admin { actor, .. } => &actor.username,
            Self::Stranger { .. } => "-",
            Self::CommandLine => "command line",
            Self::System => "the panel",
        }
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Admin { address, .. } | Self::Stranger { address } => *address,
            Self::CommandLine | Self::System => None,
        }
    }
}

/// What a deed changed on one target: before and after.
pub type Difference = (Option<Value>, Option<Value>);

/// Adds a deed to the log. Of `before` and `after` only the fields that differ are kept; whoever builds them leaves
/// secrets out.
pub async fn record(
    db: Db<'_>,
    by: &By,
    now: DateTime<Utc>,
    action: &str,
    target: Option<&str>,
    difference: Difference,
) -> StoreResult<()> {
    audit::insert(db, &[deed(by, now, action, target, difference)]).await
}

/// The same for one deed on many targets: an entry for each.
pub async fn record_each<'t>(
    db: Db<'_>,
    by: &By,
    now: DateTime<Utc>,
    action: &str,
    targets: impl Iterator<Item = (&'t str, Difference)>,
) -> StoreResult<()> {
    let deeds: Vec<_> = targets.map(|(target, difference)| deed(by, now, action, Some(target), difference)).collect();
    audit::insert(db, &deeds).await
}

/// Adds an entry for each user whose status a rule changed: name, status before and after.
pub(super) async fn record_statuses<'u>(
    db: Db<'_>,
    now: DateTime<Utc>,
    changes: impl Iterator<Item = (&'u str, Status, Status)>,
) -> StoreResult<()> {
    let status = |status: Status| Some(json!({"status": status.as_str()}));
    let changes = changes.filter(|(_, before, after)| before != after);
    let entries = changes.map(|(name, before, after)| (name, (status(before), status(after))));
    record_each(db, &By::System, now, "user.status", entries).await
}

/// Adds an entry for what the command line showed or copied.
pub async fn record_command(
    store: &Store,
    now: DateTime<Utc>,
    action: &'static str,
    target: Option<&str>,
) -> StoreResult<()> {
    let mut tx = store.write().await?;
    record(tx.db(), &By::CommandLine, now, action, target, (None, None)).await?;
    tx.commit().await
}

/// A page of what matches, the newest first, and how much matches in all.
pub async fn list(app: &App, filter: &Filter, limit: i64, offset: i64) -> ServiceResult<(Vec<Logged>, i64)> {
    // Whoever looks sees what they have just had shown.
    app.shown.settled().await;
    let mut conn = app.store.read().await?;
    Ok((audit::page(conn.db(), filter, limit, offset).await?, audit::count(conn.db(), filter).await?))
}

pub(super) fn deed(
    by: &By,
    now: DateTime<Utc>,
    action: &str,
    target: Option<&str>,
    (before, after): Difference,
) -> Deed {
    let (before, after) = differing(before, after);
    Deed {
        at: now,
        actor: by.name().to_owned(),
        address: by.address().map(|address| address.to_string()),
        action: action.to_owned(),
        target: target.map(str::to_owned),
        before: before.map(|value| value.to_string()),
        after: after.map(|value| value.to_string()),
    }
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
    use super::{differing, json};

    #[test]
    fn only_fields_that_changed_are_kept() {
        let (before, after) = differing(Some(json!({"a": 1, "b": 2})), Some(json!({"a": 1, "b": 3})));
        assert_eq!((before, after), (Some(json!({"b": 2})), Some(json!({"b": 3}))));
        let (before, after) = differing(None, Some(json!({"a": 1})));
        assert_eq!((before, after), (None, Some(json!({"a": 1}))));
    }
}
