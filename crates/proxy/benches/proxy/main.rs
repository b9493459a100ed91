//! Measures speed and memory of the proxy. It is compared with a plain relay of the same runtime over loopback, and with
//! another MTProxy server that reads telemt's `config.toml`, if `PEER_PROXY_BIN` names one. Each server is a process of
//! its own: the proxy and the relay are this program, started with other arguments. Run it with `make bench-proxy`.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, missing_docs, reason = "a benchmark")]

mod bars;
mod bulk;
#[path = "../../tests/it/client.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod client;
mod servers;
mod users;

use std::net::SocketAddr;
use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use servers::{Peers, Proxy};
use tikv_jemallocator::Jemalloc;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// The allocator of the product, so that the measured memory is that of the product.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("proxy") => mtpannel_proxy::run(Path::new(&arguments[2]), CancellationToken::new()).await.unwrap(),
        Some("relay") => plain_relay(arguments[2].parse().unwrap(), arguments[3].parse().unwrap()).await,
        _ => measure().await,
    }
}

async fn measure() {
    // Clients and the data centre are in this process, so each connection needs two open files here.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let peers = Peers::start().await;
    let relay = servers::relay(peers.raw_centre).await;
    let peer = std::env::var_os("PEER_PROXY_BIN");
    for binary in std::iter::once(None).chain(peer.as_deref().map(Some)) {
        println!("{}:", binary.map_or_else(|| "the built-in proxy".into(), std::ffi::OsStr::to_string_lossy));
        let proxy = Proxy::start(binary, &peers, 10).await;
        bulk::speed(relay.address, proxy.address()).await;
        drop(proxy);
        // A new process, because memory that bulk transfers leave behind would hide that of idle connections.
        bulk::idle(&Proxy::start(binary, &peers, 10).await).await;
        for count in [10, 64, 1_000, 10_000, 100_000] {
            users::measure(Proxy::start(binary, &peers, 10).await, count).await;
        }
        bars::summary();
    }
}

async fn plain_relay(port: u16, target: SocketAddr) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    while let Ok((mut client, _)) = listener.accept().await {
        tokio::spawn(async move {
            let mut target = TcpStream::connect(target).await.ok()?;
            tokio::io::copy_bidirectional_with_sizes(&mut client, &mut target, 65_536, 65_536).await.ok()
        });
    }
}
