//! Errors as RFC 9457 problem documents.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mtpannel_core::fault::FieldError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::ServiceError;
use crate::store::StoreError;

/// Media type of a problem document.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// When to try again after the database was not available.
const DATABASE_RETRY_SECONDS: u64 = 5;

/// An answer that tells what went wrong.
#[derive(Debug, Clone)]
pub struct Problem(Box<ProblemBody>);

/// What went wrong, and what to do.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Kind of problem, as a URI reference.
    #[serde(rename = "type")]
    #[schema(example = "about:blank#not_found")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// HTTP status code.
    status: u16,
    /// What happened this time.
    detail: String,
    /// Stable word for programs.
    #[schema(example = "not_found")]
    code: &'static str,
    /// For 422: every field that does not fit. For 403 with `fresh_login_required`: that `current_password` is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<u64>,
}

/// A field of the request that does not fit.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// Name of the field.
    field: String,
    /// What is wrong with it.
    message: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(ProblemBody {
            kind: format!("about:blank#{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            code,
            errors: Vec::new(),
            retry_after: None,
        }))
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// A head that no route gets to see.
    pub(super) fn refused_head(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::REQUEST_TIMEOUT => ("timeout", "the head of the request did not come in time"),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                ("head_too_large", "the head of a request may have at most 16 KiB and 100 headers")
            }
            StatusCode::URI_TOO_LONG => ("uri_too_long", "the address is too long"),
            _ => ("bad_request", "the head of the request is not HTTP/1.1; every line of it ends with CRLF"),
        };
        Self::new(status, code, detail)
    }

    /// The document itself.
    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).unwrap_or_default()
    }

    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    fn fresh_login_required(wrong_password: bool) -> Self {
        let detail = "the login is too long ago for this: log in again, or send current_password";
        let mut problem = Self::new(StatusCode::FORBIDDEN, "fresh_login_required", detail);
        if wrong_password {
            problem.0.errors = vec![FieldProblem { field: "current_password".into(), message: "is wrong".into() }];
        }
        problem
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(super) fn method_not_allowed() -> Self {
        let detail = "this path does not take that method; the Allow header lists those it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "a request body may have at most 1 MiB")
    }

    pub(super) fn wrong_media_type(expected: &str) -> Self {
        let detail = format!("send the body as {expected} and say so in Content-Type");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    pub(super) fn database_unavailable() -> Self {
        let detail = format!("the database is not available; try again in {DATABASE_RETRY_SECONDS} s");
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable", detail);
        problem.0.retry_after = Some(DATABASE_RETRY_SECONDS);
        problem
    }

    pub(super) fn internal() -> Self {
        let detail = "something went wrong on the server; its log tells more under the request id of this answer";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    pub(super) fn invalid(errors: Vec<FieldError>) -> Self {
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            format!("the request does not fit: {}", fields.join(", ")),
        );
        problem.0.errors =
            errors.into_iter().map(|FieldError { field, message }| FieldProblem { field, message }).collect();
        problem
    }

    pub(super) fn invalid_field(field: &str, message: impl std::fmt::Display) -> Self {
        Self::invalid(vec![FieldError::new(field, message)])
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Invalid(errors) => Self::invalid(errors),
            ServiceError::NotFound(what) => Self::not_found(format!("there is no such {what}")),
            ServiceError::Conflict(detail) => Self::new(StatusCode::CONFLICT, "conflict", detail),
            ServiceError::Forbidden(detail) => Self::forbidden(detail),
            ServiceError::Unauthorized(detail) => Self::unauthorized(detail),
            ServiceError::TooManyLogins { retry_after_seconds } => {
                let detail = format!("too many failed logins; try again in {retry_after_seconds} s");
                let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
                problem.0.retry_after = Some(retry_after_seconds);
                problem
            }
            ServiceError::Overloaded { retry_after_seconds } => {
                let mut problem = Self::unavailable("too many logins at once; try again");
                problem.0.retry_after = Some(retry_after_seconds);
                problem
            }
            ServiceError::FreshLoginRequired { wrong_password } => Self::fresh_login_required(wrong_password),
            ServiceError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request failed in the database");
        match error {
            StoreError::Unavailable(_) => Self::database_unavailable(),
            _ => Self::internal(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = self.to_json();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
