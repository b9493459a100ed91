//! The server: connections, of which there is a bound, and requests, whose heads must come in time.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::serve::Listener as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What strangers may hold.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Connections at once; further ones wait until one ends.
    connections: u32,
    /// Time for the head of a request, from the end of the one before.
    head: Duration,
}

/// Reverse proxies keep connections, without a request, for up to 90 s; one that is closed just when they use it costs
/// somebody his request.
const BOUNDS: Bounds = Bounds { connections: 512, head: Duration::from_secs(100) };

/// Serves until it is told to stop, and then to the end of the requests that are under way.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    serve_within(BOUNDS, listener, router, stop).await;
}

async fn serve_within(bounds: Bounds, mut listener: TcpListener, router: Router, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(bounds.connections as usize));
    let next = async |listener: &mut TcpListener| {
        let slot = Arc::clone(&slots).acquire_owned().await.expect("the semaphore is never closed");
        (slot, listener.accept().await)
    };
    while let Some((slot, (stream, peer))) = stop.run_until_cancelled(next(&mut listener)).await {
        let (router, stop) = (router.clone(), stop.clone());
        tokio::spawn(async move {
            connection(bounds.head, stream, peer, router, stop).await;
            drop(slot);
        });
    }
    drop(listener);
    // Every connection gives its slot back at its end.
    let _all = slots.acquire_many(bounds.connections).await;
}

async fn connection(head: Duration, stream: TcpStream, peer: SocketAddr, router: Router, stop: CancellationToken) {
    let service = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        service.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: panel\r\n\r\n";
    const PATIENT: Bounds = Bounds { connections: 2, head: Duration::from_mins(1) };

    struct Server {
        address: SocketAddr,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    async fn start(bounds: Bounds, router: Router) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve_within(bounds, listener, router, stop.clone()));
        Server { address, stop, task }
    }

    impl Server {
        async fn connect(&self, bytes: &[u8]) -> TcpStream {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream
        }
    }

    async fn read_some(stream: &mut TcpStream) -> String {
        let mut buffer = [0; 1_024];
        let length = stream.read(&mut buffer).await.unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    async fn rest(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    fn hello() -> Router {
        Router::new().route("/", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string()))
    }

    #[tokio::test]
    async fn half_a_head_is_not_waited_for_for_ever() {
        let bounds = Bounds { head: Duration::from_millis(50), ..PATIENT };
        let server = start(bounds, hello()).await;
        for bytes in [b"".as_slice(), b"GET / HTTP/1.1\r\nhost: pan"] {
            assert!(!rest(server.connect(bytes).await).await.contains("200 OK"));
        }
        let mut whole = server.connect(REQUEST).await;
        let answer = read_some(&mut whole).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("127.0.0.1"), "{answer}");
    }

    #[tokio::test]
    async fn connections_beyond_the_bound_wait_for_one_to_end() {
        let server = start(PATIENT, hello()).await;
        let first = server.connect(b"").await;
        let mut second = server.connect(REQUEST).await;
        assert!(read_some(&mut second).await.contains("200 OK"));
        let mut third = server.connect(REQUEST).await;
        tokio::select! {
            biased;
            answer = read_some(&mut third) => panic!("served beyond the bound: {answer}"),
            () = async { for _ in 0..100 { tokio::task::yield_now().await } } => {}
        }
        drop(first);
        assert!(read_some(&mut third).await.contains("200 OK"));
    }

    #[tokio::test]
    async fn a_request_under_way_is_answered_before_the_end_and_idle_connections_are_closed() {
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (told, wait) = (Arc::clone(&begun), Arc::clone(&go));
        let slow = Router::new().route(
            "/",
            get(async move || {
                told.notify_one();
                wait.notified().await;
                "done"
            }),
        );
        let server = start(PATIENT, slow).await;
        let idle = server.connect(b"").await;
        let asked = server.connect(REQUEST).await;
        begun.notified().await;
        server.stop.cancel();
        assert_eq!(rest(idle).await, "");
        assert!(!server.task.is_finished());
        go.notify_one();
        assert!(rest(asked).await.ends_with("done"));
        server.task.await.unwrap();
    }
}
