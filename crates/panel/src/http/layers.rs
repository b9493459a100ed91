//! What happens to every request and answer.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use tracing::Instrument as _;

use super::client::Client;
use super::problem::Problem;
use crate::app::SharedApp;
use crate::random;

/// Largest request body (design section 8).
pub(super) const MAX_BODY: usize = 1 << 20;
/// How much of a body that is too large is read and thrown away, so that the client hears why.
const MAX_DISCARDED: usize = 64 << 20;
/// Longest time for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/// Names, times, counts and logs a request, and ends it if it takes too long.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let id = hex::encode(random::bytes::<8>());
    let route = request.extensions().get::<MatchedPath>().map_or("(none)".into(), |path| path.as_str().to_owned());
    let method = known(request.method());
    let span = tracing::info_span!("request", id, method, route);
    let began = Instant::now();
    let answer = tokio::time::timeout(TIMEOUT, next.run(request)).instrument(span.clone()).await;
    let mut response = answer.unwrap_or_else(|_| Problem::unavailable("it took too long; try again").into_response());
    let (status, took) = (response.status(), began.elapsed());
    span.in_scope(|| log(status, took));
    let status = status.as_str().to_owned();
    metrics::histogram!("mtpannel_http_request_duration_seconds", "method" => method, "route" => route.clone())
        .record(took);
    metrics::counter!("mtpannel_http_requests_total", "method" => method, "route" => route, "status" => status)
        .increment(1);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

fn log(status: StatusCode, took: Duration) {
    let (status, milliseconds) = (status.as_u16(), took.as_secs_f64() * 1_000.0);
    if status >= 500 {
        tracing::error!(status, milliseconds, "answered");
    } else {
        tracing::debug!(status, milliseconds, "answered");
    }
}

/// The method as a label: a client may send any word, and metrics remember every one.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Turns a request away whose body is announced to be too large.
pub(super) async fn limit_body(request: Request, next: Next) -> Response {
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.unwrap_or(0) <= MAX_BODY {
        return next.run(request).await;
    }
    let mut body = request.into_body();
    let mut discarded = 0;
    while let Some(Ok(frame)) = body.frame().await {
        discarded += frame.data_ref().map_or(0, axum::body::Bytes::len);
        if discarded > MAX_DISCARDED {
            break;
        }
    }
    Problem::too_large().into_response()
}

/// Adds the headers that stand on every answer (design section 9).
pub(super) async fn secure(State(app): State<SharedApp>, client: Client, request: Request, next: Next) -> Response {
    let is_api = request
        .uri()
        .path()
        .strip_prefix(app.settings.base_path.as_str())
        .is_some_and(|path| path.starts_with("/api") || path.starts_with("/health"));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CSP);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    if is_api {
        set(header::CACHE_CONTROL, "no-store");
    }
    if client.tls {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}
