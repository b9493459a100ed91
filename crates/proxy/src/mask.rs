//! Strangers are relayed byte for byte to the masked site, so that a probe sees that site and nothing else.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::config::Masking;
use crate::inbox::Inbox;
use crate::proxy_protocol::Connection;
use crate::relay::{Buffers, Plain, relay};

/// Longest wait for the masked site.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a stranger and the site may both say nothing; sites end sooner.
const IDLE: Duration = Duration::from_mins(5);

/// The masked site, and who is being relayed to it.
#[derive(Debug)]
pub(crate) struct Mask {
    masking: Masking,
    /// Our own addresses, where a relay would come back to us.
    listeners: Vec<SocketAddr>,
    places: Arc<Semaphore>,
    /// Relays under way: a connection with the same two ends is one of them that came back.
    outgoing: Mutex<HashSet<Connection>>,
}

/// Remembers an outgoing connection as long as it lives.
struct Outgoing<'a>(&'a Mask, Connection);

impl Drop for Outgoing<'_> {
    fn drop(&mut self) {
        self.0.outgoing.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Mask {
    /// `places` strangers are relayed at once; the others are closed, so that right clients find a place.
    pub(crate) fn new(masking: Masking, listeners: Vec<SocketAddr>, places: usize) -> Self {
        Self { masking, listeners, places: Arc::new(Semaphore::new(places)), outgoing: Mutex::default() }
    }

    /// Whether this connection is one of our own relays that came back, perhaps through a balancer that tells both ends.
    pub(crate) fn is_own(&self, connection: &Connection) -> bool {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner).contains(connection)
    }

    /// Relays a stranger who named `sni` until either side ends. What was read of him is sent first.
    pub(crate) async fn relay(&self, inbox: Inbox, sni: Option<&str>, buffers: &Buffers) -> io::Result<()> {
        if !self.masking.enabled {
            return Ok(());
        }
        let Ok(_place) = self.places.try_acquire() else { return Ok(()) };
        let Inbox { mut stream, bytes } = inbox;
        let mut site = self.connect(self.host(sni)).await?;
        let _outgoing = self.outgoing(Connection { source: site.local_addr()?, target: site.peer_addr()? });
        site.set_nodelay(true)?;
        site.write_all(&bytes).await?;
        drop(bytes);
        relay(&mut stream, &mut site, &mut Plain, &mut Plain, buffers, IDLE).await
    }

    fn host<'a>(&'a self, sni: Option<&'a str>) -> &'a str {
        let named = sni.filter(|sni| self.masking.by_sni && self.masking.domains.iter().any(|domain| domain == sni));
        let default = || self.masking.domains.first().map_or("", String::as_str);
        self.masking.host.as_deref().or(named).unwrap_or_else(default)
    }

    async fn connect(&self, host: &str) -> io::Result<TcpStream> {
        let connecting = TcpStream::connect((host, self.masking.port));
        let site = tokio::time::timeout(CONNECT, connecting).await.map_err(|_| io::ErrorKind::TimedOut)??;
        if self.leads_to_us(site.local_addr()?, site.peer_addr()?) {
            tracing::warn!("the masked site is this proxy itself; set censorship.mask_host");
            return Err(io::ErrorKind::AddrInUse.into());
        }
        Ok(site)
    }

    /// Whether a connection between these two ends at one of our listeners.
    fn leads_to_us(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        self.listeners.iter().any(|listener| {
            let here = listener.ip() == peer.ip() || (listener.ip().is_unspecified() && local.ip() == peer.ip());
            listener.port() == peer.port() && here
        })
    }

    fn outgoing(&self, connection: Connection) -> Outgoing<'_> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner).insert(connection);
        Outgoing(self, connection)
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
        };
        Mask::new(masking, listeners.iter().map(|address| address.parse().unwrap()).collect(), 1)
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

    #[test]
    fn an_outgoing_connection_is_ours_while_it_lives_and_its_port_alone_is_not() {
        let (source, target) = ("127.0.0.1:5".parse().unwrap(), "127.0.0.1:443".parse().unwrap());
        let (mask, connection) = (mask(None, true, &[]), Connection { source, target });
        let outgoing = mask.outgoing(connection);
        assert!(mask.is_own(&connection));
        assert!(!mask.is_own(&Connection { target: "127.0.0.1:444".parse().unwrap(), source }));
        drop(outgoing);
        assert!(!mask.is_own(&connection));
    }
}
