//! The addresses of the masked site. One task looks its names up once a minute. If they were looked up for each visitor,
//! many visitors and a slow resolver would use up the threads for blocking work.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::sync::watch;

/// Time between two lookups of a name.
const REFRESH: Duration = Duration::from_mins(1);
/// Time to the next lookup after a failed one.
const RETRY: Duration = Duration::from_secs(5);

/// The hosts to which visitors may be relayed, with their addresses from the last lookup that succeeded.
#[derive(Debug)]
pub(super) struct Sites {
    /// Hosts that are names and have to be looked up.
    names: Vec<String>,
    port: u16,
    found: watch::Sender<HashMap<String, Vec<SocketAddr>>>,
}

impl Sites {
    pub(super) fn new(hosts: Vec<String>, port: u16) -> Self {
        let (mut names, mut found) = (Vec::new(), HashMap::new());
        for host in hosts {
            match host.parse::<IpAddr>() {
                Ok(ip) => drop(found.insert(host, vec![SocketAddr::new(ip, port)])),
                Err(_) => names.push(host),
            }
        }
        Self { names, port, found: watch::Sender::new(found) }
    }

    /// Looks the names up again and again. Never returns.
    pub(super) async fn follow(&self) {
        loop {
            let all_found = self.look_up().await;
            tokio::time::sleep(if all_found { REFRESH } else { RETRY }).await;
        }
    }

    /// Looks up every name; returns whether all were found. Earlier addresses are kept for those that were not.
    async fn look_up(&self) -> bool {
        let mut all_found = true;
        for name in &self.names {
            match lookup_host((name.as_str(), self.port)).await {
                Ok(addresses) => {
                    let addresses = addresses.collect();
                    self.found.send_modify(|found| drop(found.insert(name.clone(), addresses)));
                }
                Err(error) => {
                    tracing::debug!(%name, %error, "the name of the masked site cannot be resolved");
                    all_found = false;
                }
            }
        }
        all_found
    }

    /// Connects to a host; waits for its addresses if they are not known yet.
    pub(super) async fn connect(&self, host: &str) -> io::Result<TcpStream> {
        let mut all = self.found.subscribe();
        let addresses = {
            let found = all.wait_for(|found| found.contains_key(host)).await.map_err(io::Error::other)?;
            found.get(host).cloned().unwrap_or_default()
        };
        TcpStream::connect(addresses.as_slice()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_name_is_connected_to_once_it_is_found_and_an_address_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sites = Sites::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()], port);
        sites.connect("127.0.0.1").await.unwrap();
        let waiting = sites.connect("localhost");
        tokio::select! {
            connected = waiting => drop(connected.unwrap()),
            () = sites.follow() => {}
        }
    }

    #[tokio::test]
    async fn the_last_good_addresses_are_kept_while_a_name_is_not_found() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Too long for a name, so that no resolver is asked.
        let name = "a".repeat(64);
        let sites = Sites::new(vec![name.clone()], address.port());
        sites.found.send_modify(|found| drop(found.insert(name.clone(), vec![address])));
        assert!(!sites.look_up().await);
        sites.connect(&name).await.unwrap();
    }
}
