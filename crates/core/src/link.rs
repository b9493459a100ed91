//! Links that a Telegram client opens (specification section 5.3).

use std::fmt::Write as _;
use std::str::FromStr;

use crate::user::Secret;

/// Domain that the proxy pretends to be: lower case, ASCII (an international name as punycode), as the proxy compares
/// it (contract, "Server, masking, links").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskDomain(String);

/// Why a domain is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a domain name such as example.com, without scheme, port or path")]
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
        let ascii = idna::domain_to_ascii_strict(domain.trim_end_matches('.')).map_err(|_| MaskDomainError)?;
        let well_formed = ascii.contains('.') && ascii.parse::<std::net::IpAddr>().is_err();
        if well_formed { Ok(Self(ascii)) } else { Err(MaskDomainError) }
    }
}

/// Where clients reach the proxy, and what it pretends to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name or IP address for the link; an IPv6 address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Domain inside the FakeTLS secret.
    pub domain: MaskDomain,
}

/// Both forms of a user's link. They hold his secret, so they do not print.
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
            percent_encoded(&self.host),
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
        let endpoint = Endpoint { host: "proxy.example.com".into(), port: 443, domain: "Example.com".parse().unwrap() };
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
    fn what_is_no_domain_is_refused(#[case] given: &str) {
        assert_eq!(given.parse::<MaskDomain>(), Err(MaskDomainError));
    }

    #[test]
    fn an_ipv6_host_keeps_its_colons_and_anything_odd_is_encoded() {
        assert_eq!(percent_encoded("2001:db8::1"), "2001:db8::1");
        assert_eq!(percent_encoded("a&b"), "a%26b");
    }
}
