//! Administrators and logins.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Moment;
use crate::store::admins::Admin;

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    #[schema(example = "admin", pattern = r"^[^\u0000]*$")]
    pub(in crate::http) username: String,
    #[schema(value_type = String, format = Password)]
    pub(in crate::http) password: SecretString,
}

/// The OAuth2 password form; what it has besides these two is ignored.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CredentialsForm {
    #[schema(pattern = r"^[^\u0000]*$")]
    pub(in crate::http) username: String,
    #[schema(value_type = String, format = Password)]
    pub(in crate::http) password: SecretString,
}

/// An access token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenBody {
    pub(in crate::http) access_token: String,
    #[schema(example = "bearer")]
    pub(in crate::http) token_type: &'static str,
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
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 10, max_length = 128)]
    pub(in crate::http) password: Option<SecretString>,
    /// By another sudo administrator only.
    #[serde(default)]
    pub(in crate::http) is_sudo: Option<bool>,
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
