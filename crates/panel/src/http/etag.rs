//! Answers that tell a client that nothing has changed since it asked last.

use std::hash::{DefaultHasher, Hasher as _};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use memchr::memmem;

use super::problem::Problem;

/// Whether the client has the answer with this tag already.
pub(super) fn is_known(tag: &str, headers: &HeaderMap) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.is_some_and(|tags| tags.split(',').any(|known| bare(known) == bare(tag)))
}

/// Tags JSON for clients that send `If-None-Match`, which at first holds an empty tag; the others do not pay for it.
pub(super) async fn tag(request: Request, next: Next) -> Response {
    if request.method() != Method::GET || !request.headers().contains_key(header::IF_NONE_MATCH) {
        return next.run(request).await;
    }
    let headers = request.headers().clone();
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE);
    if response.status() != StatusCode::OK || kind.is_none_or(|kind| kind != "application/json") {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else { return Problem::internal().into_response() };
    let body = body.to_bytes();
    // Weak: what a tag leaves out may differ.
    let tag = format!("W/\"{:016x}\"", hash(&body));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    if !is_known(&tag, &headers) {
        return (parts, body).into_response();
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.into_response()
}

/// A hash of everything but ages, which run on while nothing happens. Inside of a text their name would be followed by a
/// backslash.
fn hash(body: &[u8]) -> u64 {
    const AGE: &[u8] = b"age_seconds\":";
    let mut hasher = DefaultHasher::new();
    let mut rest = body;
    while let Some(at) = memmem::find(rest, AGE) {
        let (before, age) = rest.split_at(at + AGE.len());
        hasher.write(before);
        let digits = age.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest = &age[digits..];
    }
    hasher.write(rest);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("\"a\"", true)]
    #[case("W/\"a\"", true)]
    #[case("\"b\", W/\"a\"", true)]
    #[case("\"b\"", false)]
    #[case("\"\"", false)]
    fn a_tag_is_known_if_it_is_listed_weak_or_strong(#[case] sent: &str, #[case] expected: bool) {
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(sent).unwrap())]);
        assert_eq!(is_known("W/\"a\"", &headers), expected);
        assert_eq!(is_known("\"a\"", &headers), expected);
    }

    #[rstest]
    #[case(r#"{"age_seconds":5,"x":1}"#, r#"{"age_seconds":17,"x":1}"#, true)]
    #[case(r#"{"scrape_age_seconds":5}"#, r#"{"scrape_age_seconds":6}"#, true)]
    #[case(r#"{"age_seconds":5,"x":1}"#, r#"{"age_seconds":5,"x":2}"#, false)]
    #[case(r#"{"age_seconds":null}"#, r#"{"age_seconds":6}"#, false)]
    #[case(r#"{"note":"age_seconds\":1"}"#, r#"{"note":"age_seconds\":2"}"#, false)]
    fn ages_alone_make_no_difference(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
        assert_eq!(hash(one.as_bytes()) == hash(other.as_bytes()), same);
    }
}
