//! Administrators and logins.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Moment, Shown, check_length, check_text, given};
use crate::http::problem::Problem;
use crate::store::admins::Admin;

/// Longest name and password that a login takes, in characters; no administrator has longer ones, except for passwords of
/// an imported database.
const NAME_MAX: usize = 100;
const PASSWORD_MAX: usize = 1_000;

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    #[schema(example = "admin", max_length = 100, pattern = r"^[^\u0000]*$")]
    pub(in crate::http) username: String,
    #[schema(value_type = String, format = Password, max_length = 1000)]
    pub(in crate::http) password: SecretString,
}

impl Credentials {
    /// Refuses what no administrator can have, before any work is done for it.
    pub(in crate::http) fn check(&self) -> Result<(), Problem> {
        check_text("username", &self.username, NAME_MAX)?;
        check_length("password", self.password.expose_secret(), PASSWORD_MAX)
    }
}

/// The OAuth2 password form; what it has besides these two is ignored.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CredentialsForm {
    #[schema(max_length = 100, pattern = r"^[^\u0000]*$")]
    pub(in crate::http) username: String,
    #[schema(value_type = String, format = Password, max_length = 1000)]
    pub(in crate::http) password: SecretString,
}

/// An access token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenBody {
    #[schema(value_type = String)]
    pub(in crate::http) access_token: Shown,
    #[schema(example = "bearer")]
    pub(in crate::http) token_type: &'static str,
}

/// What a browser gets that has logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionBody {
    #[serde(flatten)]
    pub(in crate::http) token: TokenBody,
    /// When somebody used a refresh token that had been replaced, so that all login sessions of the account were ended: it may be
    /// stolen. Told at the first login in a browser after it; null otherwise.
    #[schema(required)]
    pub(in crate::http) reuse_detected_at: Option<Moment>,
}

/// An administrator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdminBody {
    username: String,
    /// Sees and manages everything.
    is_sudo: bool,
    created_at: Moment,
    #[schema(required)]
    last_login_at: Option<Moment>,
}

impl From<Admin> for AdminBody {
    fn from(admin: Admin) -> Self {
        Self {
            username: admin.username,
            is_sudo: admin.is_sudo,
            created_at: Moment(admin.created_at),
            last_login_at: admin.last_login_at.map(Moment),
        }
    }
}

/// A page of administrators.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdminPage {
    pub(in crate::http) admins: Vec<AdminBody>,
    /// How many there are.
    pub(in crate::http) total: i64,
}

/// An administrator to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAdminBody {
    /// The same rule as for users.
    #[schema(
        pattern = r"^(?![sS][cC][oO][pP][eE]_)(?![mM][tT][pP][aA][nN][nN][eE][lL]-[pP][lL][aA][cC][eE][hH][oO][lL][dD][eE][rR]$)[A-Za-z0-9_.-]{3,32}$",
        example = "helper"
    )]
    pub(in crate::http) username: String,
    #[schema(value_type = String, format = Password, min_length = 10, max_length = 128)]
    pub(in crate::http) password: SecretString,
    #[serde(default)]
    #[schema(required = false)]
    pub(in crate::http) is_sudo: bool,
}

/// Changes to an administrator; at least one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminPatchBody {
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, format = Password, min_length = 10, max_length = 128)]
    pub(in crate::http) password: Option<SecretString>,
    /// By another sudo administrator only.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    pub(in crate::http) is_sudo: Option<bool>,
    /// The present password of the administrator who asks; needed more than ten minutes after the login.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, format = Password, max_length = 1000)]
    pub(in crate::http) current_password: Option<SecretString>,
}

impl AdminPatchBody {
    /// Refuses a present password that no administrator can have, before any work is done for it.
    pub(in crate::http) fn check(&self) -> Result<(), Problem> {
        let given = self.current_password.as_ref();
        given.map_or(Ok(()), |password| check_length("current_password", password.expose_secret(), PASSWORD_MAX))
    }
}

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Entries to skip.
    #[param(minimum = 0, default = 0)]
    pub(in crate::http) offset: Option<i64>,
    /// Entries to show.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    pub(in crate::http) limit: Option<i64>,
}
