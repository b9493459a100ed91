//! The server: bounds the number of connections, the memory for bodies, and the time for requests and answers.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, header};
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener as _;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use ipnet::IpNet;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client::{Client, is_trusted};
use super::problem::Problem;
use body::Memory;
use connections::{Connection, Connections, Reading};
use pace::Rate;
use stream::Stream;

mod body;
mod connections;
mod head;
mod pace;
mod refusal;
mod stream;

/// Bounds on the connections of a listener, and on the time that clients may take.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Connections at once.
    connections: usize,
    /// Reserved connection slots, in which health checks are answered while all others work on a request.
    reserved: usize,
    /// Connections at once of one network: an IPv4 address, or the /64 of an IPv6 address.
    per_network: usize,
    /// Time for the head of a request, from its first byte or from the beginning of the connection.
    head: Duration,
    /// How long a connection may be idle between two requests.
    idle: Duration,
    /// The least rate at which the client must take an answer.
    write: Rate,
    /// The least rate at which the client must send a body.
    body: Rate,
}

/// The idle time is longer than the 90 s for which reverse proxies keep idle connections: a request that a reverse proxy
/// sends on a connection just when the server closes it would be lost.
const BOUNDS: Bounds = Bounds {
    connections: 512,
    reserved: 32,
    per_network: 256,
    head: Duration::from_secs(10),
    idle: Duration::from_secs(100),
    write: Rate { window: Duration::from_secs(20), least: 10 << 10 },
    body: Rate { window: Duration::from_secs(10), least: 1 << 10 },
};

/// The state that the connections of a listener share.
struct Shared {
    bounds: Bounds,
    router: Router,
    trusted: Vec<IpNet>,
    connections: Connections,
    memory: Memory,
}

/// Serves until `stop` is cancelled, and then until the requests in progress are answered. `trusted` are the networks of
/// reverse proxies that are trusted to name the client.
pub async fn serve(listener: TcpListener, router: Router, trusted: Vec<IpNet>, stop: CancellationToken) {
    serve_within(BOUNDS, listener, router, trusted, stop).await;
}

async fn serve_within(
    bounds: Bounds,
    mut listener: TcpListener,
    router: Router,
    trusted: Vec<IpNet>,
    stop: CancellationToken,
) {
    let (connections, memory) = (Connections::new(bounds), Memory::default());
    let shared = Arc::new(Shared { bounds, router, trusted, connections, memory });
    let tasks = TaskTracker::new();
    let next = async |listener: &mut TcpListener| {
        let (socket, peer) = listener.accept().await;
        let address = Some(peer.ip().to_canonical()).filter(|address| !is_trusted(&shared.trusted, address));
        (shared.connections.admit(address).await, socket, peer)
    };
    while let Some((connection, socket, peer)) = stop.run_until_cancelled(next(&mut listener)).await {
        let Some(connection) = connection else { continue };
        let (shared, stop) = (Arc::clone(&shared), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = serve_connection(&shared, &connection, socket, peer, stop) => {}
                () = connection.until_cut() => tracing::debug!(%peer, "a connection was cut"),
            }
            shared.connections.remove(&connection);
        });
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

async fn serve_connection(
    shared: &Arc<Shared>,
    connection: &Arc<Connection>,
    socket: TcpStream,
    peer: SocketAddr,
    stop: CancellationToken,
) {
    let stream = Stream::new(socket, Arc::clone(connection), shared.bounds);
    let service = service_fn(|request: Request<Incoming>| {
        // This must come first, because the HTTP library reads the body next.
        connection.set_reading(reading_after_head(request.body()));
        connection.set_answering(true);
        let (shared, connection) = (Arc::clone(shared), Arc::clone(connection));
        async move {
            let response = answer(&shared, &connection, request, peer).await;
            connection.set_answering(false);
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let mut http = http1::Builder::new();
    // The stream enforces the timeouts; the library only parses.
    http.header_read_timeout(None).max_header_size(head::MAX_HEAD);
    let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

/// What is read from the client after the head of a request.
fn reading_after_head(body: &Incoming) -> Reading {
    match body.size_hint().exact() {
        Some(0) => Reading::Head,
        Some(length) => Reading::Body(length),
        None => Reading::Rest,
    }
}

async fn answer(
    shared: &Shared,
    connection: &Arc<Connection>,
    mut request: Request<Incoming>,
    peer: SocketAddr,
) -> Response {
    let is_last = connection.reading() == Reading::Rest;
    let client = Client::new(Some(peer.ip()), request.headers(), &shared.trusted);
    let path = request.uri().path();
    let is_health_check = path.ends_with("/health") || path.ends_with("/health/ready");
    request.extensions_mut().insert(ConnectInfo(peer));
    let (request, rest) = body::watch(request, connection, shared.bounds.body, &shared.memory);
    let mut response = if wait_for_turn(&shared.connections, connection, client, is_health_check).await {
        let served = TowerToHyperService::new(shared.router.clone()).call(request).await;
        served.unwrap_or_else(|never| match never {})
    } else {
        drop(request);
        answer_busy()
    };
    if let Some(rest) = rest {
        response = rest.finish(response).await;
    }
    if is_last {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Waits until the request may be worked on; `false` if that takes too long. A health check never waits.
async fn wait_for_turn(
    connections: &Connections,
    connection: &Arc<Connection>,
    client: Client,
    is_health_check: bool,
) -> bool {
    let is_within_bounds = connections.attribute(connection, client.address);
    if is_health_check || !is_within_bounds {
        return is_health_check;
    }
    connection.set_working(false);
    let has_turn = connections.wait_for_regular_slot(connection).await;
    connection.set_working(true);
    has_turn
}

/// The answer if there is no connection slot for the request.
fn answer_busy() -> Response {
    let mut response = Problem::unavailable("too many requests at once; try again").into_response();
    super::layers::set_security_headers(response.headers_mut());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: panel\r\n\r\n";
    const PATIENT: Bounds = Bounds { connections: 2, reserved: 1, head: Duration::from_mins(1), ..BOUNDS };

    struct Server {
        address: SocketAddr,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    async fn start(bounds: Bounds, router: Router) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve_within(bounds, listener, router, Vec::new(), stop.clone()));
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

    /// Answers on `/` when it is told to, and says when it has begun; on `/health` at once.
    fn slow(begun: &Arc<Notify>, go: &Arc<Notify>) -> Router {
        let (begun, go) = (Arc::clone(begun), Arc::clone(go));
        let work = async move || {
            begun.notify_one();
            go.notified().await;
            "done"
        };
        Router::new().route("/", get(work)).route("/health", get(async || "alive"))
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_is_given_up_and_a_body_that_does_not_come_is_not_waited_for() {
        static LARGE: [u8; 32 << 20] = [0; 32 << 20];
        let slow = Rate { window: Duration::from_millis(50), least: 1 << 20 };
        let bounds = Bounds { write: slow, body: slow, ..PATIENT };
        let router = Router::new()
            .route("/", get(async || LARGE.as_slice()))
            .route("/in", axum::routing::post(async |body: axum::body::Bytes| body.len().to_string()));
        let server = start(bounds, router).await;
        let half = server.connect(b"POST /in HTTP/1.1\r\nhost: p\r\ncontent-length: 9\r\n\r\n1234").await;
        let answer = rest(half).await;
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("connection: close"), "{answer}");
        let _deaf = server.connect(REQUEST).await;
        let mut health = server.connect(b"GET /nothing HTTP/1.1\r\nhost: p\r\n\r\n").await;
        assert!(read_some(&mut health).await.contains("404"));
        server.stop.cancel();
        // Requests that are under way are waited for, so it ends only because that answer was given up.
        tokio::time::timeout(Duration::from_secs(30), server.task).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn beyond_the_bound_the_connection_that_waited_longest_gives_way() {
        let server = start(PATIENT, hello()).await;
        let first = server.connect(b"").await;
        let mut second = server.connect(REQUEST).await;
        assert!(read_some(&mut second).await.contains("200 OK"));
        let mut third = server.connect(REQUEST).await;
        assert!(read_some(&mut third).await.contains("200 OK"));
        let mut end = [0];
        assert!(!matches!({ first }.read(&mut end).await, Ok(1..)), "the first is closed");
        second.write_all(REQUEST).await.unwrap();
        assert!(read_some(&mut second).await.contains("200 OK"));
    }

    #[tokio::test]
    async fn requests_at_work_are_never_given_up_for_others_which_wait_for_one_to_end_while_health_is_answered() {
        let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let server = start(PATIENT, slow(&begun, &go)).await;
        let mut busy = Vec::new();
        for _ in 0..2 {
            busy.push(server.connect(REQUEST).await);
            begun.notified().await;
        }
        let mut third = server.connect(REQUEST).await;
        tokio::select! {
            biased;
            answer = read_some(&mut third) => panic!("served beyond the bound: {answer}"),
            () = async { for _ in 0..100 { tokio::task::yield_now().await } } => {}
        }
        let health = rest(server.connect(b"GET /health HTTP/1.1\r\nhost: p\r\nconnection: close\r\n\r\n").await).await;
        assert!(health.ends_with("alive"), "{health}");
        let mut third = server.connect(REQUEST).await;
        go.notify_one();
        begun.notified().await;
        go.notify_waiters();
        go.notify_one();
        assert!(read_some(&mut third).await.ends_with("done"));
        drop(busy);
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
