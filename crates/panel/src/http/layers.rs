//! What happens to every request and answer.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
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
pub(super) const MAX_DISCARDED: usize = 64 << 20;
/// For how long that is done.
pub(super) const DISCARD_TIME: Duration = Duration::from_secs(10);
/// Longest time for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/// The interface copies links, and uses nothing else that a browser asks leave for.
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
    magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

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
    // Slower clients hear it before they have sent everything.
    let _ = tokio::time::timeout(DISCARD_TIME, discard(request.into_body())).await;
    Problem::too_large().into_response()
}

async fn discard(mut body: axum::body::Body) {
    let mut discarded = 0;
    while discarded <= MAX_DISCARDED
        && let Some(Ok(frame)) = body.frame().await
    {
        discarded += frame.data_ref().map_or(0, axum::body::Bytes::len);
    }
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
    set_security_headers(headers);
    if is_api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    if client.tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

/// Sets the headers that stand on every answer, unless they are set already.
pub(super) fn set_security_headers(headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CSP);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), PERMISSIONS);
}

/// Refuses a request of HTTP/1.1 that does not name exactly one host: what stands between may understand another one.
pub(super) async fn require_host(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts == 1 || (hosts == 0 && request.version() < Version::HTTP_11) {
        return next.run(request).await;
    }
    Problem::bad_request("there must be one Host header").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;
    use tower_http::catch_panic::CatchPanicLayer;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_panic_is_in_the_log_with_the_id_of_its_answer() {
        let log = Log::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone()).finish();
        let _lines = tracing::subscriber::set_default(lines);
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(crate::logging::log_panic));
        let router = Router::new()
            .route("/", get(async || -> &'static str { panic!("by {}", "design") }))
            .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
            .layer(axum::middleware::from_fn(observe));
        let response = TowerToHyperService::new(router).call(Request::new(Body::empty())).await.unwrap();
        std::panic::set_hook(hook);
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let line = text.lines().find(|line| line.contains("by design")).expect("it is logged");
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["span"]["id"], response.headers()["x-request-id"].to_str().unwrap());
        assert!(line["location"].as_str().unwrap().contains("layers.rs"));
    }
}
