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

/// Result of a use case.
pub type ServiceResult<T> = Result<T, ServiceError>;

/// Collects what is wrong with the fields of one input.
#[derive(Debug, Default)]
pub struct Problems(Vec<FieldError>);

impl Problems {
    /// Keeps the value, or notes what is wrong with `field`.
    pub fn take<T, E: std::fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.0.push(FieldError::new(field, error))).ok()
    }

    /// Notes something wrong with `field`.
    pub fn push(&mut self, field: &str, message: impl std::fmt::Display) {
        self.0.push(FieldError::new(field, message));
    }

    /// Fails if anything was noted.
    pub fn finish(self) -> ServiceResult<()> {
        if self.0.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(self.0)) }
    }
}
