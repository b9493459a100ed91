//! Compresses answers of the API for clients that accept gzip.
//!
//! Answers with secrets are never compressed: if an attacker can choose a part of the answer, the compressed length reveals
//! the secret after many tries (the BREACH attack).

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

/// Smaller answers, in bytes, are not compressed: they fit into one packet.
const LEAST: usize = 1 << 10;

/// Compresses an answer if it is large enough, has no secrets, and the client accepts gzip.
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

/// Whether the answers of a route contain tokens, links or secrets.
fn shows_secrets(route: &str) -> bool {
    let is_one_user = route.contains("/users/{") || route.ends_with("/users/bulk");
    (is_one_user && !route.ends_with("/traffic")) || route.contains("/admin/")
}

/// Whether the client accepts gzip.
pub(super) fn wants_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepts(accepted, "gzip"))
}

/// Compresses the bytes with gzip.
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
