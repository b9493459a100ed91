//! `GET /metrics` over HTTP/1.1 with keep-alive.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::shared::Shared;
use crate::socket::tune;

/// Readers that are served at once. With many users each may receive a text of 80 MiB.
const READERS: usize = 16;
/// Longest wait for the next request on a connection.
const HEADER: Duration = Duration::from_mins(2);

/// Serves the metrics until `stop`. Connections from outside the whitelist are closed (docs/contract-telemt.md, trap 12).
pub(crate) async fn serve(shared: Arc<Shared>, listener: TcpListener, whitelist: Vec<IpNet>, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(READERS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { continue };
        // The options also close the connection of a reader that stops reading.
        if allowed(&whitelist, peer) && tune(&stream, &shared.config.timeouts).is_ok() {
            let (shared, stop) = (Arc::clone(&shared), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = answer(shared, stream) => {}
                    () = stop.cancelled() => {}
                }
                drop(slot);
            });
        }
    }
}

fn allowed(whitelist: &[IpNet], peer: SocketAddr) -> bool {
    whitelist.is_empty() || whitelist.iter().any(|network| network.contains(&peer.ip().to_canonical()))
}

async fn answer(shared: Arc<Shared>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(respond(shared, &request).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEADER);
    if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a metrics connection ended");
    }
}

async fn respond(shared: Arc<Shared>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let head = request.method() == Method::HEAD;
    let mut response = if request.uri().path() != "/metrics" {
        plain(StatusCode::NOT_FOUND, "not found\n".to_owned())
    } else if request.method() == Method::GET || head {
        // With many users this takes so long that it would delay relays.
        match tokio::task::spawn_blocking(move || super::render(&shared.stats, &shared.directory)).await {
            Ok(text) => plain(StatusCode::OK, text),
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "no metrics\n".to_owned()),
        }
    } else {
        plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned())
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
    }
    response
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let kind = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
