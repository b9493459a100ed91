//! Why a use case was not carried out.

use mtpannel_core::fault::FieldError;

use crate::store::StoreError;

/// Why a use case was not carried out. Nothing has been changed then.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Fields that do not fit; all of them.
    #[error("the input does not fit")]
    Invalid(Vec<FieldError>),
    /// There is no such thing, or it belongs to somebody else.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// It collides with something that exists.
    #[error("{0}")]
    Conflict(String),
    /// The administrator may not do that.
    #[error("{0}")]
    Forbidden(String),
    /// Who is asking is not known: wrong name or password, or a token that is not valid (any more).
    #[error("{0}")]
    Unauthorized(&'static str),
    /// Too many failed logins.
    #[error("too many failed logins")]
    TooManyLogins {
        /// When to try again.
        retry_after_seconds: u64,
    },
    /// Too many logins wait for their turn.
    #[error("too many logins at once")]
    Overloaded {
        /// When to try again.
        retry_after_seconds: u64,
    },
    /// The login is too long ago for this, and the present password was not given, or is wrong.
    #[error("a fresh login or the present password is needed")]
    FreshLoginRequired {
        /// Whether a password was given that is wrong.
        wrong_password: bool,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Vec<FieldError>> for ServiceError {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::Invalid(errors)
    }
}

/// Result of a use case.
pub type ServiceResult<T> = Result<T, ServiceError>;
