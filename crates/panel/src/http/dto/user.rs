//! Proxy users.

use mtpannel_core::link::ProxyLinks;
use mtpannel_core::patch::Patch;
use mtpannel_core::user::{ResetStrategy, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConfigSyncBody, Moment, Shown, Whole, given};
use crate::service::users::{NewUser, UserPatch};
use crate::store::users::User;

/// What a user may do at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StatusWord {
    /// Served.
    Active,
    /// Switched off by an administrator.
    Disabled,
    /// His traffic has reached his limit.
    Limited,
    /// His time is over.
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

/// What an administrator may say of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    /// Serve him as far as his limits allow.
    Active,
    /// Do not serve him.
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

/// A user to be created. His secret is drawn by the server.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUserBody {
    /// 3 to 32 of `A-Za-z0-9_.-`, unique whatever the case; not starting with `scope_`, not `mtpannel-placeholder`.
    #[schema(
        pattern = r"^(?![sS][cC][oO][pP][eE]_)(?![mM][tT][pP][aA][nN][nN][eE][lL]-[pP][lL][aA][cC][eE][hH][oO][lL][dD][eE][rR]$)[A-Za-z0-9_.-]{3,32}$",
        example = "alice"
    )]
    username: String,
    /// Bytes he may move, both directions; null for no limit.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64, example = 10_737_418_240_i64)]
    data_limit: Option<Whole>,
    /// Sessions at once; null for no limit.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    max_connections: Option<Whole>,
    /// Addresses at once; null for no limit.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    max_unique_ips: Option<Whole>,
    /// End of his time, with a zone; null for none. One in the past is taken, and he is expired.
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

impl From<NewUserBody> for NewUser {
    fn from(body: NewUserBody) -> Self {
        Self {
            username: body.username,
            data_limit: body.data_limit.map(|limit| limit.0),
            max_connections: body.max_connections.map(|limit| limit.0),
            max_unique_ips: body.max_unique_ips.map(|limit| limit.0),
            expire_at: body.expire_at.map(|end| end.0),
            note: body.note.unwrap_or_default(),
            reset_strategy: body.reset_strategy.map(ResetStrategy::from),
        }
    }
}

/// Changes to a user: an absent field stays, null clears, a value sets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserPatchBody {
    /// `active` or `disabled`; limited and expired follow from the limits.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Switch, required = false)]
    status: Option<Switch>,
    /// Bytes he may move, both directions.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64, required = false)]
    data_limit: Patch<Whole>,
    /// Sessions at once.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64, required = false)]
    max_connections: Patch<Whole>,
    /// Addresses at once.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 9_223_372_036_854_775_807_i64, required = false)]
    max_unique_ips: Patch<Whole>,
    /// End of his time.
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

fn mapped<T, U>(patch: Patch<T>, convert: impl FnOnce(T) -> U) -> Patch<U> {
    match patch {
        Patch::Keep => Patch::Keep,
        Patch::Clear => Patch::Clear,
        Patch::Set(value) => Patch::Set(convert(value)),
    }
}

impl From<UserPatchBody> for UserPatch {
    fn from(body: UserPatchBody) -> Self {
        Self {
            status: body.status.map(|switch| match switch {
                Switch::Active => Status::Active,
                Switch::Disabled => Status::Disabled,
            }),
            data_limit: mapped(body.data_limit, |limit| limit.0),
            max_connections: mapped(body.max_connections, |limit| limit.0),
            max_unique_ips: mapped(body.max_unique_ips, |limit| limit.0),
            expire_at: mapped(body.expire_at, |end| end.0),
            note: body.note,
            reset_strategy: mapped(body.reset_strategy, ResetStrategy::from),
        }
    }
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserBody {
    username: String,
    status: StatusWord,
    /// Bytes he may move, both directions.
    #[schema(required)]
    data_limit: Option<i64>,
    /// Bytes he has moved since the last reset.
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
    /// The last scrape in which he had a session or moved bytes.
    #[schema(required)]
    last_seen_at: Option<Moment>,
    /// Whether he had a session at the last scrape.
    online: bool,
    /// Sessions at the last scrape.
    connections: i64,
    /// Addresses at the last scrape.
    unique_ips: i64,
    reset_strategy: Reset,
    #[schema(required)]
    next_reset_at: Option<Moment>,
    /// Administrator who created him; null if that one is deleted or he came from elsewhere.
    #[schema(required)]
    created_by: Option<String>,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            username: user.username.to_string(),
            status: user.status.into(),
            data_limit: user.data_limit,
            data_used: user.data_used,
            max_connections: user.max_connections,
            max_unique_ips: user.max_unique_ips,
            expire_at: user.expire_at.map(Moment),
            note: user.note,
            created_at: Moment(user.created_at),
            updated_at: Moment(user.updated_at),
            last_seen_at: user.last_seen_at.map(Moment),
            online: user.connections > 0,
            connections: user.connections,
            unique_ips: user.unique_ips,
            reset_strategy: user.reset_strategy.into(),
            next_reset_at: user.next_reset_at.map(Moment),
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

/// One user with his links.
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
