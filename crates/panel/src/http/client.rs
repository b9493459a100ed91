//! Who is at the other end: only trusted proxies may say that it is somebody else.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The client of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    /// His address, if it is known.
    pub(super) address: Option<IpAddr>,
    /// Whether he speaks TLS with the reverse proxy.
    pub(super) tls: bool,
}

impl Client {
    /// The peer of the connection or, if that is a trusted proxy, the last address in `X-Forwarded-For` that is not one.
    pub(super) fn new(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = peer.map(|address| address.to_canonical());
        let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
        if !peer.as_ref().is_some_and(is_trusted) {
            return Self { address: peer, tls: false };
        }
        let mut address = peer;
        for hop in hops(headers).rev() {
            let Some(hop) = hop else { break };
            address = Some(hop);
            if !is_trusted(&hop) {
                break;
            }
        }
        let tls = headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
        Self { address, tls }
    }
}

/// Every address that `X-Forwarded-For` lists, the nearest last; `None` where it is none.
fn hops(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = Option<IpAddr>> {
    headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(|hop| hop.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use rstest::rstest;

    #[rstest]
    #[case::a_stranger_is_not_believed("198.51.100.1", "203.0.113.9", "198.51.100.1")]
    #[case::a_proxy_is("10.0.0.1", "203.0.113.9", "203.0.113.9")]
    #[case::the_last_stranger_counts("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9")]
    #[case::nonsense_ends_the_walk("10.0.0.1", "1.1.1.1, nonsense, 10.0.0.2", "10.0.0.2")]
    #[case::mapped_addresses_are_the_same("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9")]
    fn the_address_comes_from_trusted_proxies_only(
        #[case] peer: &str,
        #[case] forwarded: &str,
        #[case] expected: &str,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_str(forwarded).unwrap());
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let client = Client::new(Some(peer.parse().unwrap()), &headers, &trusted);
        assert_eq!(client.address, Some(expected.parse().unwrap()));
        assert_eq!(client.tls, expected != "198.51.100.1");
    }
}
