//! Serves the web interface, which is embedded when the program is built.
//!
//! `web/dist` may be missing at that time: then the API works, and the front page says how to build the interface.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};

use super::etag;
use super::problem::Problem;
use crate::app::SharedApp;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

const INDEX: &str = "index.html";
/// What the built page has in place of the path at which it is served.
const BASE: &str = "<base href=\"/\" />";
/// The names of the files in this folder contain a hash of their content (Vite), so they never change.
const HASHED: &str = "assets/";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>mtpannel</title>\
    <h1>mtpannel</h1><p>The API works: see <a href=\"api/docs/\">its documentation</a>.</p>\
    <p>This program was built without the web interface. With Node 20 installed, <code>make run</code> builds both; \
    <code>make web</code> builds the interface alone, before the program.</p></html>";

/// Serves a file of the interface, or its page for every other path that a browser opens: the page knows its own paths.
pub(super) async fn serve(State(app): State<SharedApp>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let is_api = path == "api" || path.starts_with("api/") || path.starts_with("health");
    if is_api || !matches!(method, Method::GET | Method::HEAD) {
        return Problem::not_found("there is nothing under this path").into_response();
    }
    if path != INDEX
        && let Some(file) = Files::get(path)
    {
        return asset(path, &file, &headers);
    }
    if !path.is_empty() && path != INDEX && !wants_page(&headers) {
        return Problem::not_found("there is nothing under this path").into_response();
    }
    page(State(app), headers).await
}

/// Serves the page of the interface.
pub(super) async fn page(State(app): State<SharedApp>, headers: HeaderMap) -> Response {
    front(Files::get(INDEX).as_ref(), &app.settings.base_path, &headers)
}

fn front(built: Option<&EmbeddedFile>, base_path: &str, headers: &HeaderMap) -> Response {
    match built {
        Some(page) => index(&String::from_utf8_lossy(&page.data), base_path, headers),
        None => Html(NOT_BUILT).into_response(),
    }
}

/// Whether a browser opens the path as a page, and does not load a script or an image.
fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

fn index(page: &str, base_path: &str, headers: &HeaderMap) -> Response {
    let page = page.replacen(BASE, &format!("<base href=\"{base_path}/\" />"), 1);
    let tag = tag(&Sha256::digest(&page));
    tagged(&tag, headers, || Html(page).into_response())
}

fn asset(path: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let kind = file.metadata.mimetype().to_owned();
    let (encoding, data) = packed(path, headers).unwrap_or_else(|| (None, file.data.clone()));
    let whole = || {
        let mut response = ([(header::CONTENT_TYPE, kind)], shared(data)).into_response();
        if let Some(encoding) = encoding {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    };
    let mut response = if path.starts_with(HASHED) {
        let mut response = whole();
        let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, forever);
        response
    } else {
        tagged(&tag(&file.metadata.sha256_hash()), headers, whole)
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

type Packed = (Option<&'static str>, Cow<'static, [u8]>);

/// The bytes of a file without a copy, so that many slow clients of a large file take no memory.
pub(super) fn shared(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

/// The smallest compressed form of the file that was built and that the client accepts.
fn packed(path: &str, headers: &HeaderMap) -> Option<Packed> {
    let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(encoding, _)| accepts(accepted, encoding))
        .find_map(|(encoding, suffix)| Files::get(&format!("{path}.{suffix}")).map(|file| (Some(encoding), file.data)))
}

/// Whether `Accept-Encoding` names this encoding and does not refuse it.
pub(super) fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding))
            && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// An answer that the client caches and revalidates; 304 if its copy is current.
fn tagged(tag: &str, headers: &HeaderMap, whole: impl FnOnce() -> Response) -> Response {
    let is_known = etag::is_known(tag, headers);
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { whole() };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn tag(hash: &[u8]) -> String {
    format!("\"{}\"", hex::encode(&hash[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("gzip, deflate, br, zstd", true)]
    #[case("BR;q=0.5", true)]
    #[case("gzip, br;q=0", false)]
    #[case("brotli", false)]
    #[case("", false)]
    fn an_encoding_is_used_if_it_is_named_and_not_refused(#[case] accepted: &str, #[case] expected: bool) {
        assert_eq!(accepts(accepted, "br"), expected);
    }

    #[tokio::test]
    async fn a_build_without_the_interface_says_how_to_build_it() {
        let response = front(None, "/panel", &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::OK);
        let page = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let page = String::from_utf8_lossy(&page);
        assert!(page.contains("<code>make web</code>") && page.contains("href=\"api/docs/\""), "{page}");
    }

    #[test]
    fn the_page_gets_its_base_and_is_not_sent_twice() {
        let page = "<head><base href=\"/\" /></head>";
        let first = index(page, "/panel", &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let mut again = HeaderMap::new();
        again.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(index(page, "/panel", &again).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(index(page, "/other", &again).status(), StatusCode::OK, "another page under another path");
    }
}
