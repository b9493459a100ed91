//! Answers of the API in fewer bytes, for clients that ask for it.
//!
//! The length of a compressed text tells something of what stands in it. Where a text that somebody else may choose stands
//! beside a secret, many tries would tell the secret. So answers with secrets are never compressed.

use std::io::Write as _;

use axum::body::Bytes;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt as _;

use super::problem::Problem;
use super::web::accepts;

/// Smaller answers fit into one packet anyway.
const LEAST: usize = 1 << 10;

/// Compresses what is worth it.
pub(super) async fn compress(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if request.method() != Method::GET || shows_secrets(route) {
        return next.run(request).await;
    }
    let is_wanted = wants_gzip(request.headers());
    let mut response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_text = kind.is_some_and(|kind| kind.starts_with("application/json") || kind.starts_with("text/plain"));
    if is_text || response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if !is_wanted || !is_text || response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else { return Problem::internal().into_response() };
    let body = body.to_bytes();
    if body.len() < LEAST {
        return (parts, body).into_response();
    }
    let Ok(packed) = tokio::task::spawn_blocking(move || gzip(&body)).await else {
        return Problem::internal().into_response();
    };
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, packed).into_response()
}

/// Whether the answers of a route hold tokens, links or secrets.
fn shows_secrets(route: &str) -> bool {
    let is_one_user = route.contains("/users/{") || route.ends_with("/users/bulk");
    (is_one_user && !route.ends_with("/traffic")) || route.contains("/admin/")
}

/// Whether the client takes gzip.
pub(super) fn wants_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepts(accepted, "gzip"))
}

/// The same bytes, compressed.
pub(super) fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.expect("a vector takes everything").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/api/users", false)]
    #[case("/api/users/{username}/traffic", false)]
    #[case("/api/system/stats", false)]
    #[case("/api/users/{username}", true)]
    #[case("/api/users/{username}/links", true)]
    #[case("/api/users/bulk", true)]
    #[case("/panel/api/admin/me", true)]
    fn routes_that_show_secrets_are_known(#[case] route: &str, #[case] expected: bool) {
        assert_eq!(shows_secrets(route), expected);
    }
}
