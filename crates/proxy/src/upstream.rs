//! The way to the data centres.

mod table;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{TcpSocket, TcpStream};
use tokio_socks::tcp::Socks5Stream;

use crate::config::{DataCentres, Route, Timeouts, Upstream};
use crate::ports;
use crate::server::tune;
use crate::stats::{Stats, count};

/// How long a way that failed is tried after all others.
const AILING: Duration = Duration::from_secs(30);

/// A way to an address: the place of the route, and the address.
type Way = (usize, SocketAddr);

/// Connects to data centres.
#[derive(Debug)]
pub(crate) struct Upstreams {
    routes: Vec<Upstream>,
    centres: DataCentres,
    timeouts: Timeouts,
    stats: Arc<Stats>,
    /// Ways that failed, and when, or when somebody last set out to see whether they still do.
    ailing: Mutex<HashMap<Way, Instant>>,
}

impl Upstreams {
    pub(crate) fn new(routes: Vec<Upstream>, centres: DataCentres, timeouts: Timeouts, stats: Arc<Stats>) -> Self {
        Self { routes, centres, timeouts, stats, ailing: Mutex::default() }
    }

    /// Connects to data centre `dc`: to each of its addresses by each route, healthy ones first, until one answers.
    pub(crate) async fn connect(&self, dc: i16) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the data centre has no address");
        let label = table::label(&self.centres, dc);
        let addresses = table::addresses(&self.centres, dc);
        let ways = addresses.iter().flat_map(|&address| self.shuffled().map(move |route| (route, address))).collect();
        for way in self.by_health(ways, Instant::now()) {
            match self.attempt(way).await {
                Ok(stream) => {
                    self.stats.centres.add((label, true));
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        self.stats.centres.add((label, false));
        Err(last)
    }

    async fn attempt(&self, way: Way) -> io::Result<TcpStream> {
        count(&self.stats.connects.attempts);
        let connecting = connect_by(&self.routes[way.0].route, way.1);
        let connected = match tokio::time::timeout(self.timeouts.connect, connecting).await {
            Ok(connected) => connected.and_then(|stream| tune(&stream, &self.timeouts).map(|()| stream)),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        count(if connected.is_ok() { &self.stats.connects.successes } else { &self.stats.connects.failures });
        let mut ailing = self.ailing.lock().unwrap_or_else(PoisonError::into_inner);
        if connected.is_ok() {
            ailing.remove(&way);
        } else {
            ailing.insert(way, Instant::now());
        }
        connected
    }

    /// The healthy ones first. One that failed a while ago is tried as if it were healthy by a single client; the others
    /// leave it until he has found out.
    fn by_health(&self, mut ways: Vec<Way>, now: Instant) -> Vec<Way> {
        let mut ailing = self.ailing.lock().unwrap_or_else(PoisonError::into_inner);
        ways.sort_by_cached_key(|way| match ailing.get_mut(way) {
            Some(since) if now.duration_since(*since) < AILING => true,
            Some(since) => {
                *since = now;
                false
            }
            None => false,
        });
        ways
    }

    /// The places of all routes, in an order in which each is first as often as its weight says.
    fn shuffled(&self) -> impl Iterator<Item = usize> + use<> {
        let total: u32 = self.routes.iter().map(|route| u32::from(route.weight)).sum();
        let mut left = u32::from_le_bytes(ports::random()) % total.max(1);
        let first = self.routes.iter().position(|route| {
            let weight = u32::from(route.weight);
            let chosen = left < weight;
            left = left.saturating_sub(weight);
            chosen
        });
        let (first, count) = (first.unwrap_or(0), self.routes.len());
        (first..count).chain(0..first)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_at_a_time_finds_out_whether_a_way_works_again() {
        let [connect, other] = [10, 60].map(Duration::from_secs);
        let timeouts = Timeouts { handshake: other, keepalive: other, ack: other, connect };
        let centres = DataCentres { overrides: HashMap::new(), default: 2, ipv4: true, ipv6: true, prefer_ipv6: false };
        let upstreams = Upstreams::new(Vec::new(), centres, timeouts, Arc::new(Stats::new()));
        let [dead, healthy] = [1, 2].map(|port| (0, SocketAddr::from(([127, 0, 0, 1], port))));
        let (ways, start) = (vec![dead, healthy], Instant::now());
        upstreams.ailing.lock().unwrap().insert(dead, start);
        assert_eq!(upstreams.by_health(ways.clone(), start + AILING / 2), [healthy, dead]);
        // The scout, and those who come while he waits for an answer.
        assert_eq!(upstreams.by_health(ways.clone(), start + AILING), [dead, healthy]);
        assert_eq!(upstreams.by_health(ways.clone(), start + AILING + connect), [healthy, dead]);
        assert_eq!(upstreams.by_health(ways, start + 2 * AILING), [dead, healthy]);
    }
}
