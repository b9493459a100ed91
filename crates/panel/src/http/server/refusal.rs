//! Answers to requests whose head is refused before the HTTP library and the routes see it.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use bytes::Bytes;

use crate::http::layers::set_security_headers;
use crate::http::problem::Problem;

/// A complete answer with this status, as bytes. It says that the connection is closed.
pub(super) fn answer(status: StatusCode) -> Bytes {
    metrics::counter!("mtpannel_http_requests_total", "method" => "other", "route" => "(none)",
        "status" => status.as_str().to_owned())
    .increment(1);
    let problem = Problem::refused_head(status);
    let body = problem.to_json();
    let mut headers: HeaderMap = problem.into_response().into_parts().0.headers;
    set_security_headers(&mut headers);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.insert(header::CONTENT_LENGTH, body.len().into());
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for (name, value) in &headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes.into()
}

/// The status of an answer that begins with these bytes, if it is a client error (4xx).
pub(super) fn status(answer: &[u8]) -> Option<StatusCode> {
    let code = answer.strip_prefix(b"HTTP/1.1 ").or_else(|| answer.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    StatusCode::from_bytes(code).ok().filter(StatusCode::is_client_error)
}
