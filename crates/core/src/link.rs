//! Links that a Telegram client opens.

use std::fmt;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::user::Secret;

/// Domain that the proxy pretends to be: lower case, ASCII (an international name as punycode), as the proxy compares
/// it (docs/contract-telemt.md, "Server, masking, links").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskDomain(String);

/// Longest masking domain: Telegram's clients refuse a longer one in a secret.
const MASK_DOMAIN_MAX: usize = 182;

/// Why a domain is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a domain name such as example.com, without scheme, port or path, of at most {MASK_DOMAIN_MAX} characters"
)]
pub struct MaskDomainError;

impl MaskDomain {
    /// The domain in lower-case ASCII.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MaskDomain {
    type Err = MaskDomainError;

    fn from_str(domain: &str) -> Result<Self, Self::Err> {
        let ascii = ascii_name(domain).ok_or(MaskDomainError)?;
        let fits = ascii.contains('.') && ascii.len() <= MASK_DOMAIN_MAX;
        if fits { Ok(Self(ascii)) } else { Err(MaskDomainError) }
    }
}

/// A host name in lower-case ASCII, an international one as punycode, without a dot at its end.
///
/// `None` for what resolvers take for a number: a name whose last label is one, such as `192.0.2.256` or `0x7f.1`, is an
/// IPv4 address that went wrong (WHATWG URL standard, "ends in a number").
fn ascii_name(name: &str) -> Option<String> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let ascii = idna::domain_to_ascii_strict(bare).ok().filter(|ascii| !ascii.is_empty())?;
    let last = ascii.rsplit('.').next()?;
    let digits = last.strip_prefix("0x");
    let is_number = digits.map_or_else(
        || last.bytes().all(|byte| byte.is_ascii_digit()),
        |digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
    );
    (!is_number).then_some(ascii)
}

/// Where clients reach a proxy: a host name in lower-case ASCII, or an IP address, an IPv6 one without brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(String);

/// Why a host is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the name or IP address under which clients reach the proxy, without scheme or port")]
pub struct HostError;

impl Host {
    /// The name or the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an IPv6 address.
    pub fn is_ipv6(&self) -> bool {
        self.0.parse::<Ipv6Addr>().is_ok()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Host {
    type Err = HostError;

    /// Takes a name, an IPv4 address, or an IPv6 address with or without brackets. Refuses addresses that nobody can
    /// connect to: unspecified, multicast and broadcast ones.
    fn from_str(host: &str) -> Result<Self, Self::Err> {
        let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let address = match in_brackets {
            Some(inside) => Some(IpAddr::V6(inside.parse().map_err(|_| HostError)?)),
            None => host.parse().ok(),
        };
        match address {
            Some(address) => {
                let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
                let is_reachable = !address.is_unspecified() && !address.is_multicast() && !is_broadcast;
                if is_reachable { Ok(Self(address.to_string())) } else { Err(HostError) }
            }
            None => ascii_name(host).map(Self).ok_or(HostError),
        }
    }
}

/// Where clients reach the proxy, and what it pretends to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name or IP address for the link.
    pub host: Host,
    /// TCP port.
    pub port: u16,
    /// Domain inside the FakeTLS secret.
    pub domain: MaskDomain,
}

/// Both forms of a user's link. They hold the secret, so their `Debug` form does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyLinks {
    /// `tg://proxy?…`
    pub tg_link: String,
    /// `https://t.me/proxy?…`
    pub https_link: String,
}

impl std::fmt::Debug for ProxyLinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProxyLinks(…)")
    }
}

impl Endpoint {
    /// The links of the user with this secret.
    pub fn links(&self, secret: &Secret) -> ProxyLinks {
        let query = format!(
            "server={}&port={}&secret=ee{}{}",
            percent_encoded(self.host.as_str()),
            self.port,
            secret.to_hex(),
            hex::encode(self.domain.as_str()),
        );
        ProxyLinks { tg_link: format!("tg://proxy?{query}"), https_link: format!("https://t.me/proxy?{query}") }
    }
}

/// Encodes all but the unreserved characters of RFC 3986 section 2.3, and the colon of an IPv6 address, which clients
/// expect as it is.
fn percent_encoded(host: &str) -> String {
    host.bytes().fold(String::with_capacity(host.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_secret_is_ee_and_the_secret_and_the_domain_in_hex() {
        let endpoint =
            Endpoint { host: "proxy.example.com".parse().unwrap(), port: 443, domain: "Example.com".parse().unwrap() };
        let secret = "00112233445566778899aabbccddeeff".parse().unwrap();
        let links = endpoint.links(&secret);
        let query = "server=proxy.example.com&port=443&secret=ee00112233445566778899aabbccddeeff6578616d706c652e636f6d";
        assert_eq!(links.tg_link, format!("tg://proxy?{query}"));
        assert_eq!(links.https_link, format!("https://t.me/proxy?{query}"));
        assert!(!format!("{links:?}").contains("0011"));
    }

    #[rstest]
    #[case("Example.COM", "example.com")]
    #[case("пример.рф", "xn--e1afmkfd.xn--p1ai")]
    #[case("example.com.", "example.com")]
    fn domains_become_lower_case_ascii(#[case] given: &str, #[case] expected: &str) {
        assert_eq!(given.parse::<MaskDomain>().unwrap().as_str(), expected);
    }

    #[rstest]
    #[case("")]
    #[case("localhost")]
    #[case("https://example.com")]
    #[case("example.com:443")]
    #[case("exa mple.com")]
    #[case("192.0.2.1")]
    #[case("192.0.2.256")]
    #[case("example.0x1f")]
    #[case("１９２.0.2.1")]
    #[case("-.com")]
    #[case("example..com")]
    fn what_is_no_domain_is_refused(#[case] given: &str) {
        assert_eq!(given.parse::<MaskDomain>(), Err(MaskDomainError));
    }

    #[test]
    fn a_masking_domain_is_no_longer_than_clients_take() {
        let domain = |label: usize| format!("{}.{}.{}.com", "a".repeat(63), "b".repeat(63), "c".repeat(label));
        assert!(domain(50).parse::<MaskDomain>().is_ok_and(|domain| domain.as_str().len() == MASK_DOMAIN_MAX));
        assert_eq!(domain(51).parse::<MaskDomain>(), Err(MaskDomainError));
    }

    #[rstest]
    #[case("proxy.example.com", "proxy.example.com")]
    #[case("Proxy.Example.COM.", "proxy.example.com")]
    #[case("прокси.рф", "xn--h1adldfi.xn--p1ai")]
    #[case("bücher.example", "xn--bcher-kva.example")]
    #[case("localhost", "localhost")]
    #[case("192.0.2.1", "192.0.2.1")]
    #[case("[2001:DB8::1]", "2001:db8::1")]
    #[case("2001:db8:0:0::1", "2001:db8::1")]
    fn hosts_become_lower_case_ascii_or_addresses(#[case] given: &str, #[case] expected: &str) {
        assert_eq!(given.parse::<Host>().unwrap().as_str(), expected);
    }

    #[rstest]
    #[case("")]
    #[case(".")]
    #[case("-")]
    #[case("-a.example.com")]
    #[case("192.0.2.256")]
    #[case("192.0.2")]
    #[case("0x7f.1")]
    #[case("0x7f000001")]
    #[case("2130706433")]
    #[case("１９２.０.２.１")]
    #[case("１２３")]
    #[case("a_b.example.com")]
    #[case("a..b")]
    #[case("proxy.example.com:443")]
    #[case("https://proxy.example.com")]
    #[case("[192.0.2.1]")]
    #[case("[::1")]
    #[case("::1]")]
    #[case("fe80::1%eth0")]
    #[case("0.0.0.0")]
    #[case("::")]
    #[case("224.0.0.1")]
    #[case("255.255.255.255")]
    fn what_is_no_host_is_refused(#[case] given: &str) {
        assert_eq!(given.parse::<Host>(), Err(HostError));
    }

    #[test]
    fn an_ipv6_host_keeps_its_colons_and_anything_odd_is_encoded() {
        assert_eq!(percent_encoded("2001:db8::1"), "2001:db8::1");
        assert_eq!(percent_encoded("a&b"), "a%26b");
    }
}
