//! Groups of addresses that belong to the same owner or device.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network of one owner, written as its first address. Visitors are counted by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Network(IpAddr);

impl Network {
    /// The network of an address: its /24 for IPv4, its /48 for IPv6, which is what an end site gets (RFC 6177).
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80).into(),
        })
    }
}

/// What counts as one address of a user: an IPv4 address as it is, an IPv6 address cut to its first 64 bits.
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
