//! Proxy users.

use mtpannel_core::fault::FieldErrors;
use mtpannel_core::link::ProxyLinks;
use mtpannel_core::patch::Patch;
use mtpannel_core::user::{Limits, Profile, ResetStrategy, Status, UserPatch, Username, check_note};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConfigSyncBody, Moment, Shown, Whole, given};
use crate::http::problem::Problem;
use crate::service::users::NewUser;
use crate::store::users::User;

/// Whether a user is served, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StatusWord {
    /// Served.
    Active,
    /// Switched off by an administrator.
    Disabled,
    /// The usage has reached the traffic limit.
    Limited,
    /// The expiry has passed.
    Expired,
}

impl From<Status> for StatusWord {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Disabled => Self::Disabled,
            Status::Limited => Self::Limited,
            Status::Expired => Self::Expired,
        }
    }
}

impl From<StatusWord> for Status {
    fn from(word: StatusWord) -> Self {
        match word {
            StatusWord::Active => Self::Active,
            StatusWord::Disabled => Self::Disabled,
            StatusWord::Limited => Self::Limited,
            StatusWord::Expired => Self::Expired,
        }
    }
}

/// What an administrator can set as the status of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    /// Serve the user as far as the limits allow.
    Active,
    /// Do not serve the user.
    Disabled,
}

/// How often usage goes back to zero, at midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reset {
    /// Never.
    None,
    /// Every day.
    Daily,
    /// Every Monday.
    Weekly,
    /// On the first of every month.
    Monthly,
}

impl From<ResetStrategy> for Reset {
    fn from(strategy: ResetStrategy) -> Self {
        match strategy {
            ResetStrategy::None => Self::None,
            ResetStrategy::Daily => Self::Daily,
            ResetStrategy::Weekly => Self::Weekly,
            ResetStrategy::Monthly => Self::Monthly,
        }
    }
}

impl From<Reset> for ResetStrategy {
    fn from(reset: Reset) -> Self {
        match reset {
            Reset::None => Self::None,
            Reset::Daily => Self::Daily,
            Reset::Weekly => Self::Weekly,
            Reset::Monthly => Self::Monthly,
        }
    }
}

/// A user to be created. The server draws the secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUserBody {
    /// 3 to 32 of `A-Za-z0-9_.-`, unique whatever the case; not starting with `scope_`, not `mtpannel-placeholder`.
    #[schema(
        pattern = r"^(?![sS][cC][oO][pP][eE]_)(?![mM][tT][pP][aA][nN][nN][eE][lL]-[pP][lL][aA][cC][eE][hH][oO][lL][dD][eE][rR]$)[A-Za-z0-9_.-]{3,32}$",
        example = "alice"
    )]
    username: String,
    /// Traffic limit in bytes, both directions; null for no limit.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64, example = 10_737_418_240_i64)]
    data_limit: Option<Whole>,
    /// Connections at the same time; null for no limit.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    max_connections: Option<Whole>,
    /// IP addresses at the same time; null for no limit.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    max_unique_ips: Option<Whole>,
    /// Expiry, with a zone; null for none. With one in the past the user is expired at once.
    #[serde(default)]
    expire_at: Option<Moment>,
    /// A note for administrators.
    #[serde(default)]
    #[schema(max_length = 1000, pattern = r"^[^\u0000]*$")]
    note: Option<String>,
    /// How often usage goes back to zero; null for never.
    #[serde(default)]
    reset_strategy: Option<Reset>,
}

impl NewUserBody {
    /// The user to be created; or everything that does not fit.
    pub(in crate::http) fn parse(self) -> Result<NewUser, Problem> {
        let mut errors = FieldErrors::default();
        let username = errors.take("username", self.username.parse::<Username>());
        let limits = Limits {
            data: Patch::from(self.data_limit),
            connections: self.max_connections.into(),
            addresses: self.max_unique_ips.into(),
        };
        let patch = UserPatch {
            disabled: None,
            limits: limits.map(|limit| limit.map(|whole| whole.0)).parse(&mut errors),
            expire_at: Patch::from(self.expire_at).map(|end| end.0),
            note: self.note.into(),
            reset_strategy: Patch::from(self.reset_strategy).map(ResetStrategy::from),
        };
        finish(patch, errors).and_then(|patch| {
            username.map(|username| NewUser { username, patch }).ok_or_else(|| Problem::invalid(Vec::new()))
        })
    }
}

/// Checks the rest of what a request says of a user.
fn finish(patch: UserPatch, mut errors: FieldErrors) -> Result<UserPatch, Problem> {
    if let Patch::Set(note) = &patch.note {
        check_note(note, &mut errors);
    }
    errors.finish().map_err(Problem::invalid)?;
    Ok(patch)
}

/// Changes to a user: an absent field stays, null clears, a value sets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserPatchBody {
    /// `active` or `disabled`; limited and expired follow from the limits.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Switch, required = false)]
    status: Option<Switch>,
    /// Traffic limit in bytes, both directions.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64, required = false)]
    data_limit: Patch<Whole>,
    /// Connections at the same time.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64, required = false)]
    max_connections: Patch<Whole>,
    /// IP addresses at the same time.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64, required = false)]
    max_unique_ips: Patch<Whole>,
    /// Expiry.
    #[serde(default)]
    #[schema(value_type = Option<Moment>, required = false)]
    expire_at: Patch<Moment>,
    /// A note for administrators.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 1000, pattern = r"^[^\u0000]*$", required = false)]
    note: Patch<String>,
    /// How often usage goes back to zero.
    #[serde(default)]
    #[schema(value_type = Option<Reset>, required = false)]
    reset_strategy: Patch<Reset>,
}

impl UserPatchBody {
    /// The update; or everything that does not fit.
    pub(in crate::http) fn parse(self) -> Result<UserPatch, Problem> {
        let mut errors = FieldErrors::default();
        let limits =
            Limits { data: self.data_limit, connections: self.max_connections, addresses: self.max_unique_ips };
        let patch = UserPatch {
            disabled: self.status.map(|switch| matches!(switch, Switch::Disabled)),
            limits: limits.map(|limit| limit.map(|whole| whole.0)).parse(&mut errors),
            expire_at: self.expire_at.map(|end| end.0),
            note: self.note,
            reset_strategy: self.reset_strategy.map(ResetStrategy::from),
        };
        finish(patch, errors)
    }
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserBody {
    username: String,
    status: StatusWord,
    /// Traffic limit in bytes, both directions.
    #[schema(required)]
    data_limit: Option<i64>,
    /// Bytes since the last reset, both directions.
    data_used: i64,
    #[schema(required)]
    max_connections: Option<i64>,
    #[schema(required)]
    max_unique_ips: Option<i64>,
    #[schema(required)]
    expire_at: Option<Moment>,
    note: String,
    created_at: Moment,
    updated_at: Moment,
    /// The last scrape at which the user had a connection or had moved bytes.
    #[schema(required)]
    last_seen_at: Option<Moment>,
    /// Whether the user had a connection at the last scrape.
    online: bool,
    /// Connections at the last scrape.
    connections: i64,
    /// IP addresses at the last scrape.
    unique_ips: i64,
    reset_strategy: Reset,
    #[schema(required)]
    next_reset_at: Option<Moment>,
    /// The administrator who created the user; null if they are deleted or the user was imported.
    #[schema(required)]
    created_by: Option<String>,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        let Profile { status, limits, data_used, expire_at, note, reset_strategy, next_reset_at, .. } = user.profile;
        let limits = limits.numbers();
        Self {
            username: user.username.to_string(),
            status: status.into(),
            data_limit: limits.data,
            data_used,
            max_connections: limits.connections,
            max_unique_ips: limits.addresses,
            expire_at: expire_at.map(Moment),
            note,
            created_at: Moment(user.created_at),
            updated_at: Moment(user.updated_at),
            last_seen_at: user.last_seen_at.map(Moment),
            online: user.connections > 0,
            connections: user.connections,
            unique_ips: user.unique_ips,
            reset_strategy: reset_strategy.into(),
            next_reset_at: next_reset_at.map(Moment),
            created_by: user.owner,
        }
    }
}

/// Both forms of a user's link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinksBody {
    #[schema(value_type = String, example = "tg://proxy?server=proxy.example.com&port=443&secret=ee…")]
    tg_link: Shown,
    #[schema(value_type = String, example = "https://t.me/proxy?server=proxy.example.com&port=443&secret=ee…")]
    https_link: Shown,
}

impl From<ProxyLinks> for LinksBody {
    fn from(links: ProxyLinks) -> Self {
        Self { tg_link: links.tg_link.into(), https_link: links.https_link.into() }
    }
}

/// One user with the links.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkedUser {
    #[serde(flatten)]
    pub(in crate::http) user: UserBody,
    pub(in crate::http) proxy_links: LinksBody,
}

/// A user who was changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangedUser {
    #[serde(flatten)]
    pub(in crate::http) user: LinkedUser,
    pub(in crate::http) config_sync: ConfigSyncBody,
}

/// A user with a new secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserWithSecret {
    #[serde(flatten)]
    pub(in crate::http) user: ChangedUser,
    /// 32 hex digits; shown here only.
    #[schema(value_type = String)]
    pub(in crate::http) secret: Shown,
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserPage {
    pub(in crate::http) users: Vec<UserBody>,
    /// How many match in all.
    pub(in crate::http) total: usize,
}
