//! Strangers are relayed byte for byte to the masked site, so that a probe sees that site and nothing else.

mod site;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::config::Masking;
use crate::faketls::{RANDOM, record_length};
use crate::inbox::Inbox;
use crate::proxy_protocol::Connection;
use crate::relay::{Buffers, Plain, Quiet, relay};
use crate::seldom::Seldom;
use site::Sites;

/// Longest wait for the masked site.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a stranger and the site may both say nothing; sites end sooner.
const QUIET: Quiet = Quiet { open: Duration::from_mins(5), half_closed: Duration::from_mins(1) };
/// Relays at once that begin with the same hello. A relay that comes back to us, through a balancer or a router that changes
/// its addresses, carries the same hello again, and so on without end.
const SAME_HELLO: usize = 8;

/// What makes a hello different from any other.
type Random = [u8; 32];

/// The masked site, and who is being relayed to it.
#[derive(Debug)]
pub(crate) struct Mask {
    masking: Masking,
    /// Our own addresses, where a relay would come back to us.
    listeners: Vec<SocketAddr>,
    sites: Sites,
    underway: Mutex<Underway>,
    buffers: Buffers,
    warning: Seldom,
}

/// Relays under way.
#[derive(Debug, Default)]
struct Underway {
    /// A connection with the same two ends is one of these that came back.
    connections: HashSet<Connection>,
    hellos: HashMap<Random, usize>,
}

/// A stranger's connection to the masked site.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    mask: &'a Mask,
    site: TcpStream,
    connection: Connection,
    hello: Option<Random>,
    /// How much of what the stranger sent first the site has got.
    sent: usize,
}

impl Mask {
    pub(crate) fn new(masking: Masking, listeners: Vec<SocketAddr>) -> Self {
        let hosts = match (&masking.host, masking.by_sni) {
            (Some(host), _) => vec![host.clone()],
            (None, true) => masking.domains.clone(),
            (None, false) => masking.domains.iter().take(1).cloned().collect(),
        };
        let sites = Sites::new(if masking.enabled { hosts } else { Vec::new() }, masking.port);
        let (underway, warning) = (Mutex::default(), Seldom::default());
        Self { masking, listeners, sites, underway, buffers: Buffers::for_strangers(), warning }
    }

    /// Keeps the site's addresses at hand, for ever.
    pub(crate) async fn follow_site(&self) {
        self.sites.follow().await;
    }

    fn underway(&self) -> MutexGuard<'_, Underway> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this connection is one of our own relays that came back, perhaps through a balancer that tells both ends.
    pub(crate) fn is_own(&self, connection: &Connection) -> bool {
        self.underway().connections.contains(connection)
    }

    /// Relays a stranger who named `sni` until either side ends. What was read of him is sent first, unless `visit` is under
    /// way already.
    pub(crate) async fn relay(&self, inbox: Inbox, visit: Option<Visit<'_>>, sni: Option<&str>) -> io::Result<()> {
        if !self.masking.enabled {
            return Ok(());
        }
        let mut visit = match visit {
            Some(visit) => visit,
            None => self.visit(sni).await?,
        };
        let Inbox { mut stream, bytes } = inbox;
        visit.send(&bytes).await?;
        drop(bytes);
        relay(&mut stream, &mut visit.site, &mut Plain, &mut Plain, None, &self.buffers, QUIET).await
    }

    /// Connects to the site for a stranger who named `sni`.
    pub(crate) async fn visit(&self, sni: Option<&str>) -> io::Result<Visit<'_>> {
        if !self.masking.enabled {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let connecting = self.sites.connect(self.host(sni));
        let site = tokio::time::timeout(CONNECT, connecting).await.map_err(|_| io::ErrorKind::TimedOut)??;
        site.set_nodelay(true)?;
        let connection = Connection { source: site.local_addr()?, target: site.peer_addr()? };
        if self.leads_to_us(connection.source, connection.target) {
            return Err(self.is_loop());
        }
        self.underway().connections.insert(connection);
        Ok(Visit { mask: self, site, connection, hello: None, sent: 0 })
    }

    fn host<'a>(&'a self, sni: Option<&'a str>) -> &'a str {
        let named = sni.filter(|sni| self.masking.by_sni && self.masking.domains.iter().any(|domain| domain == sni));
        let default = || self.masking.domains.first().map_or("", String::as_str);
        self.masking.host.as_deref().or(named).unwrap_or_else(default)
    }

    /// Whether a connection between these two ends at one of our listeners.
    fn leads_to_us(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        self.listeners.iter().any(|listener| {
            let here = listener.ip() == peer.ip() || (listener.ip().is_unspecified() && local.ip() == peer.ip());
            listener.port() == peer.port() && here
        })
    }

    fn is_loop(&self) -> io::Error {
        self.warning.say(Instant::now(), || {
            tracing::warn!("the masked site seems to be this proxy itself; set censorship.mask_host");
        });
        io::ErrorKind::AddrInUse.into()
    }
}

impl Visit<'_> {
    /// Sends what the site has not got yet of what the stranger sent first.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.hello.is_none()
            && let Some(random) = random(bytes)
        {
            let mut underway = self.mask.underway();
            let same = underway.hellos.entry(random).or_default();
            if *same >= SAME_HELLO {
                return Err(self.mask.is_loop());
            }
            *same += 1;
            self.hello = Some(random);
        }
        while let Some(rest) = bytes.get(self.sent..).filter(|rest| !rest.is_empty()) {
            self.sent += self.site.write(rest).await?;
        }
        Ok(())
    }

    /// Waits until the site says something or ends the conversation.
    pub(crate) async fn answered(&self) {
        // An error is an end, too.
        let _ = self.site.readable().await;
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut underway = self.mask.underway();
        underway.connections.remove(&self.connection);
        if let Some(random) = &self.hello
            && let Some(same) = underway.hellos.get_mut(random)
        {
            *same -= 1;
            if *same == 0 {
                underway.hellos.remove(random);
            }
        }
    }
}

fn random(bytes: &[u8]) -> Option<Random> {
    record_length(bytes).ok()?;
    bytes.get(RANDOM)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::UnknownSni;
    use rstest::rstest;

    fn mask(host: Option<&str>, by_sni: bool, listeners: &[&str]) -> Mask {
        let masking = Masking {
            enabled: true,
            domains: vec!["a.example".to_owned(), "b.example".to_owned()],
            by_sni,
            host: host.map(str::to_owned),
            port: 443,
            unknown_sni: UnknownSni::Mask,
            first_record: 1,
        };
        Mask::new(masking, listeners.iter().map(|address| address.parse().unwrap()).collect())
    }

    #[rstest]
    #[case(None, true, None, "a.example")]
    #[case(None, true, Some("b.example"), "b.example")]
    #[case(None, false, Some("b.example"), "a.example")]
    #[case(None, true, Some("c.example"), "a.example")]
    #[case(Some("site"), true, Some("b.example"), "site")]
    fn the_site_is_the_host_of_the_file_or_a_domain_of_ours(
        #[case] host: Option<&str>,
        #[case] by_sni: bool,
        #[case] sni: Option<&str>,
        #[case] expected: &str,
    ) {
        assert_eq!(mask(host, by_sni, &[]).host(sni), expected);
    }

    #[rstest]
    #[case("127.0.0.1:5", "127.0.0.1:443", true)]
    #[case("192.0.2.1:5", "192.0.2.1:8443", true)]
    #[case("192.0.2.1:5", "192.0.2.2:8443", false)]
    #[case("127.0.0.1:5", "127.0.0.1:444", false)]
    fn our_own_listeners_are_recognised(#[case] local: &str, #[case] peer: &str, #[case] own: bool) {
        let mask = mask(None, true, &["127.0.0.1:443", "0.0.0.0:8443"]);
        assert_eq!(mask.leads_to_us(local.parse().unwrap(), peer.parse().unwrap()), own);
    }

    /// A mask whose site is at this address.
    fn mask_of(site: SocketAddr) -> Mask {
        let masking = Masking { port: site.port(), ..mask(Some("127.0.0.1"), true, &[]).masking };
        Mask::new(masking, Vec::new())
    }

    #[tokio::test]
    async fn a_connection_is_ours_while_it_lives_and_its_port_alone_is_not() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mask = mask_of(listener.local_addr().unwrap());
        let visit = mask.visit(None).await.unwrap();
        let connection = visit.connection;
        assert!(mask.is_own(&connection));
        assert!(!mask.is_own(&Connection { target: "127.0.0.1:444".parse().unwrap(), ..connection }));
        drop(visit);
        assert!(!mask.is_own(&connection));
    }

    #[tokio::test]
    async fn the_same_hello_is_relayed_a_few_times_at_once_and_no_more() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mask = mask_of(listener.local_addr().unwrap());
        let hello = |seed: u8| [&[0x16, 3, 1, 2, 0][..], &[seed; 60]].concat();
        let mut visits = Vec::new();
        for _ in 0..SAME_HELLO {
            let mut visit = mask.visit(None).await.unwrap();
            visit.send(&hello(1)).await.unwrap();
            visits.push(visit);
        }
        let mut other = mask.visit(None).await.unwrap();
        assert!(other.send(&hello(1)).await.is_err());
        other.send(&hello(2)).await.unwrap();
        drop(visits.pop());
        mask.visit(None).await.unwrap().send(&hello(1)).await.unwrap();
        drop((visits, other));
        assert!(mask.underway().hellos.is_empty());
    }
}
