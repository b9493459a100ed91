//! Relays visitors to the masked site byte for byte, so that a probe sees that site and nothing else.

mod limits;
mod loops;
mod sites;

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::config::Masking;
use crate::inbox::Inbox;
use crate::path::buffers::Buffers;
use crate::path::relay::{Quiet, relay};
use crate::throttled_log::ThrottledLog;
use crate::wire::proxy_protocol::Connection;
use limits::Budgets;
use loops::{Counted, Loops};
use sites::Sites;

/// Longest wait for a connection to the masked site.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the second direction may be silent after the first has ended.
const HALF_CLOSED: Duration = Duration::from_mins(1);

/// The masked site, and the visits to it that are open.
#[derive(Debug)]
pub(crate) struct Mask {
    masking: Masking,
    /// The proxy's own addresses. A relay to one of them would be a loop.
    listeners: Vec<SocketAddr>,
    sites: Sites,
    /// The connections of open visits. A connection that is accepted with the same two ends is one of these: a loop.
    underway: Mutex<HashSet<Connection>>,
    loops: Loops,
    budgets: Budgets,
    buffers: Buffers,
    warning: ThrottledLog,
}

/// A visitor's connection to the masked site.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    mask: &'a Mask,
    site: TcpStream,
    connection: Connection,
    counted: Counted<'a>,
    /// Bytes from the visitor that were sent to the site before the relay began.
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
        let (underway, loops, warning) = (Mutex::default(), Loops::default(), ThrottledLog::default());
        let (budgets, buffers) = (Budgets::new(masking.relay_bytes), Buffers::for_visitors());
        Self { masking, listeners, sites, underway, loops, budgets, buffers, warning }
    }

    /// Looks up the addresses of the site again and again, and checks whether they lead back to the proxy. Never returns.
    pub(crate) async fn follow_site(&self) {
        let name_for = |host: &str| {
            let is_ours = self.masking.domains.iter().any(|domain| domain == host);
            if is_ours { host.to_owned() } else { self.masking.domains.first().cloned().unwrap_or_default() }
        };
        tokio::join!(self.sites.follow(), self.loops.follow(&self.sites, name_for));
    }

    fn underway(&self) -> MutexGuard<'_, HashSet<Connection>> {
        self.underway.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an accepted connection is a visit of this proxy, perhaps through a load balancer that names both ends.
    pub(crate) fn is_own(&self, connection: &Connection) -> bool {
        let is_own = self.underway().contains(connection);
        if is_own {
            self.warn_of_loop();
        }
        is_own
    }

    /// Whether the first bytes of a connection are a hello of this proxy's own, so that the masked site leads back to it.
    pub(crate) fn have_come_back(&self, bytes: &[u8]) -> bool {
        let have_come_back = self.loops.have_come_back(bytes, Instant::now());
        if have_come_back {
            self.warn_of_loop();
        }
        have_come_back
    }

    /// Relays a visitor from `address` whose hello names `sni`, until either side ends or a limit of bytes or time is
    /// reached. Uses `visit` if the connection to the site is open already. The bytes in `inbox` that it has not sent are
    /// sent first.
    pub(crate) async fn relay(
        &self,
        inbox: Inbox,
        visit: Option<Visit<'_>>,
        sni: Option<&str>,
        address: IpAddr,
    ) -> io::Result<()> {
        if !self.masking.enabled {
            return Ok(());
        }
        let mut visit = match visit {
            Some(visit) => visit,
            None => self.visit(sni).await?,
        };
        let cut = visit.counted.cut.clone();
        let relaying = tokio::time::timeout(self.masking.relay_time, self.relay_visit(inbox, &mut visit, address));
        tokio::select! {
            ended = relaying => ended.map_err(|_| io::ErrorKind::TimedOut)?,
            () = cut.cancelled() => Err(self.loop_error()),
        }
    }

    async fn relay_visit(&self, inbox: Inbox, visit: &mut Visit<'_>, address: IpAddr) -> io::Result<()> {
        let Inbox { mut stream, bytes } = inbox;
        visit.send(&bytes).await?;
        drop(bytes);
        let most = self.masking.relay_bytes;
        let mut up = self.budgets.meter(address, most.saturating_sub(visit.sent));
        let mut down = self.budgets.meter(address, most);
        let open = self.masking.relay_idle;
        let quiet = Quiet { open, half_closed: HALF_CLOSED.min(open) };
        relay(&mut stream, &mut visit.site, &mut up, &mut down, None, &self.buffers, quiet).await
    }

    /// Connects to the site for a visitor whose hello names `sni`. Fails if masking is off or the site leads back to the
    /// proxy.
    pub(crate) async fn visit(&self, sni: Option<&str>) -> io::Result<Visit<'_>> {
        if !self.masking.enabled {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let host = self.host(sni);
        let counted = self.loops.enter(host, Instant::now()).ok_or_else(|| self.loop_error())?;
        let connecting = self.sites.connect(host);
        let site = tokio::time::timeout(CONNECT, connecting).await.map_err(|_| io::ErrorKind::TimedOut)??;
        site.set_nodelay(true)?;
        let connection = Connection { source: site.local_addr()?, target: site.peer_addr()? };
        if self.leads_to_us(connection.source, connection.target) {
            return Err(self.loop_error());
        }
        self.underway().insert(connection);
        Ok(Visit { mask: self, site, connection, counted, sent: 0 })
    }

    /// The host to which a visitor is relayed.
    fn host<'a>(&'a self, sni: Option<&'a str>) -> &'a str {
        let named = sni.filter(|sni| self.masking.by_sni && self.masking.domains.iter().any(|domain| domain == sni));
        let default = || self.masking.domains.first().map_or("", String::as_str);
        self.masking.host.as_deref().or(named).unwrap_or_else(default)
    }

    /// Whether a connection between these two ends leads to one of the proxy's listeners.
    fn leads_to_us(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        self.listeners.iter().any(|listener| {
            let here = listener.ip() == peer.ip() || (listener.ip().is_unspecified() && local.ip() == peer.ip());
            listener.port() == peer.port() && here
        })
    }

    fn warn_of_loop(&self) {
        self.warning.write(Instant::now(), || {
            tracing::warn!("the masked site seems to be this proxy itself; set censorship.mask_host");
        });
    }

    /// Warns of a loop; returns the error for the visit.
    fn loop_error(&self) -> io::Error {
        self.warn_of_loop();
        io::ErrorKind::AddrInUse.into()
    }
}

impl Visit<'_> {
    /// Sends those of the visitor's first `bytes` that were not sent yet.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let bytes = &bytes[..bytes.len().min(self.mask.masking.relay_bytes)];
        while let Some(rest) = bytes.get(self.sent..).filter(|rest| !rest.is_empty()) {
            self.sent += self.site.write(rest).await?;
        }
        Ok(())
    }

    /// Waits until the site sends something or closes the connection.
    pub(crate) async fn answered(&self) {
        // An error also means that the site has closed it.
        let _ = self.site.readable().await;
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.mask.underway().remove(&self.connection);
    }
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
            relay_bytes: 1_000,
            relay_time: CONNECT,
            relay_idle: CONNECT,
        };
        Mask::new(masking, listeners.iter().map(|address| address.parse().unwrap()).collect())
    }

    #[rstest]
    #[case(None, true, None, "a.example")]
    #[case(None, true, Some("b.example"), "b.example")]
    #[case(None, false, Some("b.example"), "a.example")]
    #[case(None, true, Some("c.example"), "a.example")]
    #[case(Some("site"), true, Some("b.example"), "site")]
    fn the_site_is_the_host_of_the_file_or_a_masking_domain(
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
    fn the_proxys_own_listeners_are_recognised(#[case] local: &str, #[case] peer: &str, #[case] own: bool) {
        let mask = mask(None, true, &["127.0.0.1:443", "0.0.0.0:8443"]);
        assert_eq!(mask.leads_to_us(local.parse().unwrap(), peer.parse().unwrap()), own);
    }

    /// A mask whose site has this address.
    fn mask_of(site: SocketAddr) -> Mask {
        let masking = Masking { port: site.port(), ..mask(Some("127.0.0.1"), true, &[]).masking };
        Mask::new(masking, Vec::new())
    }

    #[tokio::test]
    async fn a_visit_is_recognised_by_both_ends_while_it_is_open() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mask = mask_of(listener.local_addr().unwrap());
        let visit = mask.visit(None).await.unwrap();
        let connection = visit.connection;
        assert!(mask.is_own(&connection));
        assert!(!mask.is_own(&Connection { target: "127.0.0.1:444".parse().unwrap(), ..connection }));
        drop(visit);
        assert!(!mask.is_own(&connection));
    }
}
