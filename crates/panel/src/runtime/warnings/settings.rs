//! Settings that are valid and unsafe.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Warning;
use crate::settings::Settings;

/// Longest time of access tokens without a warning.
const DAY: Duration = Duration::from_hours(24);

/// What the settings alone tell.
pub fn warnings(settings: &Settings) -> Vec<Warning> {
    let mut found: Vec<_> = settings
        .trusted_proxies
        .iter()
        .filter(|network| is_huge(network))
        .map(|network| Warning::TrustedProxiesTooWide { network: network.to_string() })
        .collect();
    if settings.token_lifetime > DAY {
        let minutes = (settings.token_lifetime.as_secs() / 60).to_string();
        found.push(Warning::TokensLiveLong { minutes });
    }
    // A reverse proxy on this machine, or none, needs no more than loopback. With one elsewhere, as between containers,
    // who can reach the address is not known here.
    let is_proxy_elsewhere = settings.trusted_proxies.iter().any(|network| !network.network().is_loopback());
    if is_public(settings.listen.ip()) && !is_proxy_elsewhere {
        found.push(Warning::PlainHttpIsPublic { listen: settings.listen.to_string() });
    }
    found
}

/// Whether a network is larger than anybody's own: the largest private ones, 10.0.0.0/8 and `fc00::/7`, are not.
fn is_huge(network: &IpNet) -> bool {
    match network {
        IpNet::V4(network) => network.prefix_len() < 8,
        IpNet::V6(network) => network.prefix_len() < 20 && !unique_local().contains(network),
    }
}

fn unique_local() -> Ipv6Net {
    Ipv6Net::new_assert(std::net::Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7)
}

/// Whether the internet may reach an address.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let shared = Ipv4Net::new_assert(std::net::Ipv4Addr::new(100, 64, 0, 0), 10);
            let is_internal = address.is_loopback() || address.is_private() || address.is_link_local();
            !is_internal && !shared.contains(&address)
        }
        IpAddr::V6(address) => {
            !address.is_loopback() && !address.is_unicast_link_local() && !unique_local().contains(&address)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0.0.0.0/0", true)]
    #[case("::/0", true)]
    #[case("0.0.0.0/1", true)]
    #[case("128.0.0.0/1", true)]
    #[case("2000::/3", true)]
    #[case("10.0.0.0/8", false)]
    #[case("fc00::/7", false)]
    #[case("104.16.0.0/13", false)]
    #[case("2400:cb00::/32", false)]
    #[case("::1/128", false)]
    fn networks_of_half_the_internet_are_huge(#[case] network: &str, #[case] expected: bool) {
        assert_eq!(is_huge(&network.parse().unwrap()), expected);
    }

    #[rstest]
    #[case("0.0.0.0", true)]
    #[case("::", true)]
    #[case("203.0.113.7", true)]
    #[case("2001:db8::1", true)]
    #[case("127.0.0.1", false)]
    #[case("::1", false)]
    #[case("10.1.2.3", false)]
    #[case("100.100.0.1", false)]
    #[case("fd00::1", false)]
    fn addresses_that_the_internet_may_reach_are_public(#[case] address: &str, #[case] expected: bool) {
        assert_eq!(is_public(address.parse().unwrap()), expected);
    }
}
