//! Which addresses belong together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network that belongs to one owner, as its first address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Network(IpAddr);

impl Network {
    /// The /24 of an IPv4 address; the /48 of an IPv6 address, which is what an end site gets (RFC 6177).
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80).into(),
        })
    }
}

/// What counts as one address: all of IPv4, the first 64 bits of IPv6.
pub(crate) fn truncate_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("192.0.2.1", "192.0.2.255", true)]
    #[case("192.0.2.1", "192.0.3.1", false)]
    #[case("::ffff:192.0.2.1", "192.0.2.2", true)]
    #[case("2001:db8:1::1", "2001:db8:1:ffff::1", true)]
    #[case("2001:db8:1::1", "2001:db8:2::1", false)]
    fn addresses_of_one_owner_are_one_network(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
        let network = |address: &str| Network::of(address.parse().unwrap());
        assert_eq!(network(one) == network(other), same);
    }
}
