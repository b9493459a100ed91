//! A proxy user: names, secrets, limits and dates, the rule that gives the status, and every change that is made to them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

mod limits;
mod patch;
mod schedule;
mod transition;

#[cfg(test)]
mod tests;

pub use limits::{Limit, LimitError, Limits};
pub use patch::{UserPatch, check_note};
pub use schedule::{CLOCKS_DIFFER, ResetStrategy};
pub use transition::Profile;

/// Name of the disabled entry that the file holds when no user may be served, because the proxy does not accept an empty
/// user table (docs/contract-telemt.md, trap 1). No user can have it.
pub const PLACEHOLDER: &str = "mtpannel-placeholder";

/// Prefix of names that the proxy reads as the scope of an upstream (docs/contract-telemt.md, trap 8).
const SCOPE_PREFIX: &str = "scope_";

/// Longest note, in characters.
pub const NOTE_MAX: usize = 1_000;

/// A name of a proxy user or an administrator: 3 to 32 of `[A-Za-z0-9_.-]`, stored as it was written, compared without
/// case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Username(String);

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Too short or too long.
    #[error("must have 3 to 32 characters")]
    Length,
    /// A character that names may not have.
    #[error("may hold only Latin letters, digits, '_', '.' and '-'")]
    Character,
    /// A name that the proxy or the panel uses for something else.
    #[error("is reserved; names may not start with 'scope_' nor be '{PLACEHOLDER}'")]
    Reserved,
}

impl Username {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if !(3..=32).contains(&name.chars().count()) {
            return Err(UsernameError::Length);
        }
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
            return Err(UsernameError::Character);
        }
        let folded = name.to_ascii_lowercase();
        if folded.starts_with(SCOPE_PREFIX) || folded == PLACEHOLDER {
            return Err(UsernameError::Reserved);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user's secret: 16 bytes, written as 32 lower-case hex digits. Its `Debug` form does not show them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Secret([u8; 16]);

/// Why a secret is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 hex digits")]
pub struct SecretError;

impl Secret {
    /// A secret of 16 bytes, which come from the system's random source.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 32 lower-case hex digits: for the file, the link and the database, never for a log.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl FromStr for Secret {
    type Err = SecretError;

    fn from_str(digits: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| SecretError)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether a user is served, and why not. It is stored for filtering; [`Standing::status`] decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Served.
    Active,
    /// Switched off by an administrator.
    Disabled,
    /// The usage has reached the traffic limit.
    Limited,
    /// The expiry has passed.
    Expired,
}

impl Status {
    /// Every status, in the order in which the interface shows them.
    pub const ALL: [Self; 4] = [Self::Active, Self::Disabled, Self::Limited, Self::Expired];

    /// The word that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Limited => "limited",
            Self::Expired => "expired",
        }
    }
}

impl FromStr for Status {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or(UnknownWord)
    }
}

/// Implements `TryFrom<String>`, by which rows of the database are decoded.
macro_rules! try_from_string {
    ($($name:ty),+) => {
        $(impl TryFrom<String> for $name {
            type Error = <$name as FromStr>::Err;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        })+
    };
}

try_from_string!(Username, Secret, Status, ResetStrategy);

/// A word that is none of the known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not one of the known words")]
pub struct UnknownWord;

/// What a user's status depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether an administrator disabled the user.
    pub disabled: bool,
    /// Expiry; the user is not served from this second on.
    pub expire_at: Option<DateTime<Utc>>,
    /// Traffic limit, bytes.
    pub data_limit: Option<Limit>,
    /// Bytes since the last reset.
    pub data_used: i64,
}

impl Standing {
    /// The status at `now`: disabled, else expired, else limited, else active.
    pub fn status(&self, now: DateTime<Utc>) -> Status {
        if self.disabled {
            Status::Disabled
        } else if self.expire_at.is_some_and(|end| end <= now) {
            Status::Expired
        } else if self.data_limit.is_some_and(|limit| self.data_used >= limit.get()) {
            Status::Limited
        } else {
            Status::Active
        }
    }
}
