//! Connects to data centres.
//!
//! A data centre may have several addresses, and several routes may lead to each of them. Attempts start 300 ms apart, or
//! as soon as one fails, and the first connection that succeeds is used (RFC 8305). So an address that does not answer
//! costs 300 ms and not the whole timeout. The address family of the connection that was used is tried first for some
//! time.

mod route;
mod table;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

use crate::config::{DataCentres, Timeouts, Upstream};
use crate::ports;
use crate::socket::tune;
use crate::stats::{Reached, Stats, count};
use crate::warnings::Code;
use route::Failure;

/// How long a way that failed is tried after all others, before it is tried in its turn again.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// Time between the starts of two attempts (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(300);
/// How long the family that succeeded is tried first (RFC 8305, section 4).
const WINS: Duration = Duration::from_mins(10);

/// A way to a data centre: the index of the route, and the address.
type Way = (usize, SocketAddr);

/// Connects to data centres.
#[derive(Debug)]
pub(crate) struct Upstreams {
    routes: Vec<Upstream>,
    centres: DataCentres,
    timeouts: Timeouts,
    stats: Arc<Stats>,
    /// Ways that failed, and when they failed or were last tried again.
    failed: Mutex<HashMap<Way, Instant>>,
    /// For each label of a data centre: whether IPv6 succeeded last, and when.
    winners: Mutex<HashMap<Option<i16>, (bool, Instant)>>,
}

impl Upstreams {
    pub(crate) fn new(routes: Vec<Upstream>, centres: DataCentres, timeouts: Timeouts, stats: Arc<Stats>) -> Self {
        if !centres.ipv4 && !centres.ipv6 {
            stats.warnings.replace(Code::NoAddressFamily, &["network"], Instant::now());
        }
        Self { routes, centres, timeouts, stats, failed: Mutex::default(), winners: Mutex::default() }
    }

    /// Connects to data centre `dc`. Tries each address by each route, those that have not failed lately first.
    pub(crate) async fn connect(&self, dc: i16) -> io::Result<TcpStream> {
        let Some(addresses) = table::addresses(&self.centres, dc) else { return Err(self.refuse(dc)) };
        let label = table::label(&self.centres, dc);
        let subject = label.map_or_else(|| "other".to_owned(), |dc| dc.to_string());
        let ways = addresses.iter().flat_map(|&address| self.shuffled().map(move |route| (route, address))).collect();
        match self.race(self.sort_ways(label, ways, Instant::now())).await {
            Ok((way, stream)) => {
                let mut winners = self.winners.lock().unwrap_or_else(PoisonError::into_inner);
                winners.insert(label, (way.1.is_ipv6(), Instant::now()));
                drop(winners);
                self.stats.centres.add((label, Reached::Success));
                self.stats.warnings.end(Code::DcUnreachable, &subject);
                Ok(stream)
            }
            Err(error) => {
                self.stats.centres.add((label, Reached::Fail));
                self.stats.warnings.raise(Code::DcUnreachable, &subject, &error, Instant::now());
                Err(error)
            }
        }
    }

    /// Refuses an index whose addresses are not known. No other data centre is tried: it would not know the client's key.
    fn refuse(&self, dc: i16) -> io::Error {
        let error = io::Error::new(io::ErrorKind::AddrNotAvailable, "the addresses of this data centre are not known");
        self.stats.centres.add((None, Reached::Refused));
        self.stats.warnings.raise(Code::DcUnknown, &dc.to_string(), &error, Instant::now());
        error
    }

    /// Tries the ways in this order, with overlapping attempts, until one succeeds. Gives the last error if all fail.
    async fn race(&self, ways: Vec<Way>) -> io::Result<(Way, TcpStream)> {
        let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the data centre has no address");
        let (mut next, mut under_way) = (0, FuturesUnordered::new());
        loop {
            match ways.get(next) {
                Some(&way) => under_way.push(self.attempt(way)),
                None if under_way.is_empty() => return Err(last),
                None => {}
            }
            next = ways.len().min(next + 1);
            let stagger = async {
                if next < ways.len() { tokio::time::sleep(STAGGER).await } else { std::future::pending().await }
            };
            tokio::select! {
                Some(ended) = under_way.next() => match ended {
                    (way, Ok(stream)) => {
                        self.mark_overtaken(ways.iter().take_while(|&&other| other != way));
                        return Ok((way, stream));
                    }
                    (_, Err(error)) => last = error,
                },
                () = stagger => {}
            }
        }
    }

    /// Tries one way and remembers whether it failed.
    async fn attempt(&self, way: Way) -> (Way, io::Result<TcpStream>) {
        count(&self.stats.connects.attempts);
        let route = &self.routes[way.0].route;
        let connected = route::connect(route, way.1, tokio::time::Instant::now() + self.timeouts.connect).await;
        self.update_warnings(route::server(route), connected.as_ref().err());
        let connected = connected
            .map_err(|failure| match failure {
                Failure::Address(error) => error,
                other => io::Error::other(other),
            })
            .and_then(|stream| tune(&stream, &self.timeouts).map(|()| stream));
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if connected.is_ok() {
            count(&self.stats.connects.successes);
            failed.remove(&way);
        } else {
            count(&self.stats.connects.failures);
            failed.insert(way, Instant::now());
        }
        drop(failed);
        (way, connected)
    }

    /// Raises or ends the warnings about a SOCKS server after an attempt through it.
    fn update_warnings(&self, server: Option<&str>, failure: Option<&Failure>) {
        let (Some(server), warnings, now) = (server, &self.stats.warnings, Instant::now()) else { return };
        match failure {
            Some(failure @ Failure::Upstream(_)) => warnings.raise(Code::UpstreamUnreachable, server, failure, now),
            Some(failure @ Failure::Login(_)) => {
                warnings.end(Code::UpstreamUnreachable, server);
                warnings.raise(Code::UpstreamLogin, server, failure, now);
            }
            Some(Failure::Address(_)) | None => {
                warnings.end(Code::UpstreamUnreachable, server);
                warnings.end(Code::UpstreamLogin, server);
            }
        }
    }

    /// Notes as failed the ways that were started before the one that succeeded: they failed or have not answered.
    fn mark_overtaken<'a>(&self, ways: impl Iterator<Item = &'a Way>) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        for &way in ways {
            failed.entry(way).or_insert_with(|| {
                count(&self.stats.connects.failures);
                Instant::now()
            });
        }
    }

    /// Sorts the ways: those that have not failed lately first, and among them those of the family that succeeded last. A
    /// way that failed more than [`RETRY_AFTER`] ago is tried again by one client only; for all others it still counts as
    /// failed.
    fn sort_ways(&self, label: Option<i16>, mut ways: Vec<Way>, now: Instant) -> Vec<Way> {
        let winners = self.winners.lock().unwrap_or_else(PoisonError::into_inner);
        let winner = winners.get(&label).filter(|(_, since)| now.duration_since(*since) < WINS).map(|(ipv6, _)| *ipv6);
        drop(winners);
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        ways.sort_by_cached_key(|way| {
            let fails = match failed.get_mut(way) {
                Some(since) if now.duration_since(*since) < RETRY_AFTER => true,
                Some(since) => {
                    *since = now;
                    false
                }
                None => false,
            };
            (fails, winner.is_some_and(|ipv6| ipv6 != way.1.is_ipv6()))
        });
        ways
    }

    /// The indexes of all routes, in a random order in which each route is first as often as its weight says.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_at_a_time_tries_a_way_that_failed() {
        let [connect, other] = [10, 60].map(Duration::from_secs);
        let timeouts = Timeouts { handshake: other, keepalive: None, ack: other, connect };
        let centres =
            DataCentres { overrides: HashMap::new(), default: None, ipv4: true, ipv6: true, prefer_ipv6: false };
        let upstreams = Upstreams::new(Vec::new(), centres, timeouts, Arc::new(Stats::new()));
        let [dead, healthy] = [1, 2].map(|port| (0, SocketAddr::from(([127, 0, 0, 1], port))));
        let (ways, start) = (vec![dead, healthy], Instant::now());
        upstreams.failed.lock().unwrap().insert(dead, start);
        assert_eq!(upstreams.sort_ways(None, ways.clone(), start + RETRY_AFTER / 2), [healthy, dead]);
        // The client that tries it again, and one that comes while the first waits for an answer.
        assert_eq!(upstreams.sort_ways(None, ways.clone(), start + RETRY_AFTER), [dead, healthy]);
        assert_eq!(upstreams.sort_ways(None, ways.clone(), start + RETRY_AFTER + connect), [healthy, dead]);
        assert_eq!(upstreams.sort_ways(None, ways, start + 2 * RETRY_AFTER), [dead, healthy]);
    }

    #[test]
    fn the_family_that_succeeded_goes_first_for_ten_minutes_and_only_for_its_data_centre() {
        let time = Duration::from_mins(1);
        let timeouts = Timeouts { handshake: time, keepalive: None, ack: time, connect: time };
        let centres =
            DataCentres { overrides: HashMap::new(), default: None, ipv4: true, ipv6: true, prefer_ipv6: false };
        let upstreams = Upstreams::new(Vec::new(), centres, timeouts, Arc::new(Stats::new()));
        let (four, six) = ((0, "127.0.0.1:1".parse().unwrap()), (0, "[::1]:1".parse().unwrap()));
        let start = Instant::now();
        upstreams.winners.lock().unwrap().insert(Some(2), (true, start));
        assert_eq!(upstreams.sort_ways(Some(2), vec![four, six], start), [six, four]);
        assert_eq!(upstreams.sort_ways(Some(3), vec![four, six], start), [four, six]);
        assert_eq!(upstreams.sort_ways(Some(2), vec![four, six], start + WINS), [four, six]);
        upstreams.failed.lock().unwrap().insert(six, start);
        assert_eq!(upstreams.sort_ways(Some(2), vec![four, six], start), [four, six]);
    }
}
