//! Layers around all routes: log and metrics of requests, size of bodies, the Host header, security headers.

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

/// Largest request body.
pub(super) const MAX_BODY: usize = 1 << 20;
/// Bytes of a body that is too large that are read and discarded, so that the client receives the answer.
pub(super) const MAX_DISCARDED: usize = 64 << 20;
/// Longest time for reading and discarding a body.
pub(super) const DISCARD_TIME: Duration = Duration::from_secs(10);
/// Longest time for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/// The web interface writes to the clipboard, and uses no other feature for which a browser asks permission.
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
    magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

/// Gives a request an id, logs and measures it, and ends it if it takes too long.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let id = hex::encode(random::bytes::<8>());
    let route = request.extensions().get::<MatchedPath>().map_or("(none)".into(), |path| path.as_str().to_owned());
    let method = method_label(request.method());
    let span = tracing::info_span!("request", id, method, route);
    let began = Instant::now();
    let answer = tokio::time::timeout(TIMEOUT, next.run(request)).instrument(span.clone()).await;
    let mut response = answer.unwrap_or_else(|_| Problem::unavailable("it took too long; try again").into_response());
    let (status, took) = (response.status(), began.elapsed());
    span.in_scope(|| log_answer(status, took));
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

fn log_answer(status: StatusCode, took: Duration) {
    let (status, milliseconds) = (status.as_u16(), took.as_secs_f64() * 1_000.0);
    if status >= 500 {
        tracing::error!(status, milliseconds, "answered");
    } else {
        tracing::debug!(status, milliseconds, "answered");
    }
}

/// The method as a label of metrics. A client may send any word, so unknown ones get one label together.
fn method_label(method: &Method) -> &'static str {
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

/// Refuses a request whose Content-Length is too large.
pub(super) async fn limit_body(request: Request, next: Next) -> Response {
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.unwrap_or(0) <= MAX_BODY {
        return next.run(request).await;
    }
    // A slow client gets the answer before it has sent everything.
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

/// Adds the security headers to every answer, and forbids caching of the API.
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

/// Sets the security headers that are not set already.
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

/// Refuses a request of HTTP/1.1 without exactly one Host header: a reverse proxy might take another one than the server.
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
