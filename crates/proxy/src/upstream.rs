//! The way to the data centres.

mod table;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpSocket, TcpStream};
use tokio_socks::tcp::Socks5Stream;

use crate::config::{DataCentres, Route, Upstream};
use crate::ports;
use crate::stats::{Stats, count};

/// How long an address that failed is tried after all others.
const AILING: Duration = Duration::from_secs(30);

/// Connects to data centres.
#[derive(Debug)]
pub(crate) struct Upstreams {
    routes: Vec<Upstream>,
    centres: DataCentres,
    timeout: Duration,
    stats: Arc<Stats>,
    /// Addresses that failed, and when.
    ailing: Mutex<HashMap<SocketAddr, Instant>>,
}

impl Upstreams {
    pub(crate) fn new(routes: Vec<Upstream>, centres: DataCentres, timeout: Duration, stats: Arc<Stats>) -> Self {
        Self { routes, centres, timeout, stats, ailing: Mutex::default() }
    }

    /// Connects to data centre `dc`: each of its addresses, healthy ones first, by each route until one answers.
    pub(crate) async fn connect(&self, dc: i16) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the data centre has no address");
        for address in self.by_health(table::addresses(&self.centres, dc)) {
            for route in self.shuffled() {
                match self.attempt(route, address).await {
                    Ok(stream) => {
                        self.stats.centres.add((dc, true));
                        return Ok(stream);
                    }
                    Err(error) => last = error,
                }
            }
        }
        self.stats.centres.add((dc, false));
        Err(last)
    }

    async fn attempt(&self, route: &Route, address: SocketAddr) -> io::Result<TcpStream> {
        count(&self.stats.connects.attempts);
        let connected = match tokio::time::timeout(self.timeout, connect_by(route, address)).await {
            Ok(connected) => connected,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        count(if connected.is_ok() { &self.stats.connects.successes } else { &self.stats.connects.failures });
        let mut ailing = self.ailing.lock().unwrap_or_else(PoisonError::into_inner);
        if connected.is_ok() {
            ailing.remove(&address);
        } else {
            ailing.insert(address, Instant::now());
        }
        connected
    }

    fn by_health(&self, mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let ailing = self.ailing.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.sort_by_key(|address| ailing.get(address).is_some_and(|since| since.elapsed() < AILING));
        addresses
    }

    /// All routes, in an order in which each is first as often as its weight says.
    fn shuffled(&self) -> impl Iterator<Item = &Route> {
        let total: u32 = self.routes.iter().map(|route| u32::from(route.weight)).sum();
        let mut left = u32::from_le_bytes(ports::random()) % total.max(1);
        let first = self.routes.iter().position(|route| {
            let weight = u32::from(route.weight);
            let chosen = left < weight;
            left = left.saturating_sub(weight);
            chosen
        });
        let (before, from) = self.routes.split_at(first.unwrap_or(0));
        from.iter().chain(before).map(|upstream| &upstream.route)
    }
}

async fn connect_by(route: &Route, address: SocketAddr) -> io::Result<TcpStream> {
    match route {
        Route::Direct { bind } => connect_from(bind, address).await,
        Route::Socks5 { server, credentials } => {
            let connected = match credentials {
                Some((name, password)) => {
                    Socks5Stream::connect_with_password(server.as_str(), address, name, password).await
                }
                None => Socks5Stream::connect(server.as_str(), address).await,
            };
            connected.map(Socks5Stream::into_inner).map_err(io::Error::other)
        }
    }
}

async fn connect_from(bind: &[IpAddr], address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(&ip) = bind.iter().find(|ip| ip.is_ipv4() == address.is_ipv4()) {
        socket.bind(SocketAddr::new(ip, 0))?;
    }
    socket.connect(address).await
}
