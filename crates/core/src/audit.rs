//! Entries of the audit log: who acted, and which fields an action changed.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::policy::Actor;

/// Who is behind an action.
#[derive(Debug, Clone)]
pub enum By {
    /// An administrator over the API.
    Admin {
        /// The administrator.
        actor: Actor,
        /// Address of their client.
        address: Option<IpAddr>,
    },
    /// Somebody without a name: a failed login.
    Unknown {
        /// Address of their client.
        address: Option<IpAddr>,
    },
    /// The command line on the server.
    CommandLine,
    /// The panel, by itself.
    System,
}

impl By {
    /// The name in the audit log. The command line and the panel have names with a space, which no administrator can have.
    pub fn name(&self) -> &str {
        match self {
            Self::Admin { actor, .. } => &actor.username,
            Self::Unknown { .. } => "-",
            Self::CommandLine => "command line",
            Self::System => "the panel",
        }
    }

    /// Address of the client, where there is one.
    pub const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Admin { address, .. } | Self::Unknown { address } => *address,
            Self::CommandLine | Self::System => None,
        }
    }
}

/// Fields of an action's target before and after it. Neither holds secrets.
pub type Difference = (Option<Value>, Option<Value>);

/// Leaves only the fields that differ, where there is both a before and an after.
pub fn changed_fields((before, after): Difference) -> Difference {
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
    use serde_json::json;

    use super::changed_fields;

    #[test]
    fn only_fields_that_changed_are_kept() {
        let (before, after) = changed_fields((Some(json!({"a": 1, "b": 2})), Some(json!({"a": 1, "b": 3}))));
        assert_eq!((before, after), (Some(json!({"b": 2})), Some(json!({"b": 3}))));
        let (before, after) = changed_fields((None, Some(json!({"a": 1}))));
        assert_eq!((before, after), (None, Some(json!({"a": 1}))));
    }
}
