//! The client of a request: the peer, or the address that a trusted reverse proxy names.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// Whether this address belongs to a reverse proxy that is trusted to name the client.
pub(super) fn is_trusted(trusted: &[IpNet], address: &IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// The client of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    /// Its address, if it is known.
    pub(super) address: Option<IpAddr>,
    /// Whether it uses TLS to the reverse proxy.
    pub(super) tls: bool,
}

impl Client {
    /// Takes the peer of the connection or, if that is a trusted proxy, the last address in `X-Forwarded-For` that is none.
    pub(super) fn new(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = peer.map(|address| address.to_canonical());
        if !peer.is_some_and(|peer| is_trusted(trusted, &peer)) {
            return Self { address: peer, tls: false };
        }
        let mut address = peer;
        for hop in values(headers, "x-forwarded-for").rev() {
            let Some(hop) = parse_hop(hop) else { break };
            address = Some(hop);
            if !is_trusted(trusted, &hop) {
                break;
            }
        }
        // The nearest proxy, which is trusted, has added the last value.
        let tls =
            values(headers, "x-forwarded-proto").next_back().is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        Self { address, tls }
    }
}

/// All values of a header, that of the nearest proxy last.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    let lines = headers.get_all(name).iter();
    lines.flat_map(|line| line.to_str().unwrap_or("?").split(',')).map(str::trim)
}

/// Parses the address of a hop: bare, quoted, in brackets, or with a port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.strip_prefix('"').and_then(|hop| hop.strip_suffix('"')).unwrap_or(hop);
    let address = hop.parse().or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()));
    let address =
        address.ok().or_else(|| hop.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use rstest::rstest;

    #[rstest]
    #[case::an_unknown_peer_is_not_believed("198.51.100.1", "203.0.113.9", "198.51.100.1")]
    #[case::a_proxy_is("10.0.0.1", "203.0.113.9", "203.0.113.9")]
    #[case::the_last_untrusted_hop_counts("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9")]
    #[case::nonsense_ends_the_walk("10.0.0.1", "1.1.1.1, nonsense, 10.0.0.2", "10.0.0.2")]
    #[case::a_port_is_cut_off("10.0.0.1", "203.0.113.9:51234", "203.0.113.9")]
    #[case::ipv6_with_a_port("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1")]
    #[case::ipv6_in_brackets("10.0.0.1", "1.1.1.1, [2001:db8::1]", "2001:db8::1")]
    #[case::ipv6_alone("10.0.0.1", "2001:db8::1", "2001:db8::1")]
    #[case::quoted("10.0.0.1", "\"[2001:db8::1]:443\", \"10.0.0.2:80\"", "2001:db8::1")]
    #[case::half_a_bracket_is_nonsense("10.0.0.1", "[2001:db8::1, 10.0.0.2", "10.0.0.2")]
    #[case::an_empty_hop_is_nonsense("10.0.0.1", "203.0.113.9,", "10.0.0.1")]
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

    #[rstest]
    #[case(&["https"], true)]
    #[case(&["http"], false)]
    #[case(&["https,http"], false)]
    #[case(&["http, HTTPS"], true)]
    #[case(&["https", "http"], false)]
    #[case(&["http", "https"], true)]
    #[case(&["https,"], false)]
    #[case(&[], false)]
    fn the_nearest_proxy_says_whether_it_is_tls(#[case] lines: &[&str], #[case] expected: bool) {
        let name = axum::http::HeaderName::from_static("x-forwarded-proto");
        let headers = lines.iter().map(|line| (name.clone(), HeaderValue::from_str(line).unwrap())).collect();
        let client = Client::new(Some("10.0.0.1".parse().unwrap()), &headers, &["10.0.0.0/8".parse().unwrap()]);
        assert_eq!(client.tls, expected);
    }
}
