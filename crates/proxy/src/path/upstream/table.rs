//! The addresses of data centres: the public ones (core.telegram.org/api/datacenter) and those of the file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::DataCentres;

const PORT: u16 = 443;

/// A data centre and its public addresses.
struct Centre {
    index: u16,
    v4: Ipv4Addr,
    v6: Ipv6Addr,
}

const fn centre(index: u16, v4: [u8; 4], v6: [u16; 8]) -> Centre {
    Centre { index, v4: Ipv4Addr::from_octets(v4), v6: Ipv6Addr::from_segments(v6) }
}

/// Every index that clients use: 1 to 5, 203 for media, and from 10,001 on those of the test network.
const CENTRES: [Centre; 9] = [
    centre(1, [149, 154, 175, 50], [0x2001, 0xb28, 0xf23d, 0xf001, 0, 0, 0, 0xa]),
    centre(2, [149, 154, 167, 51], [0x2001, 0x67c, 0x4e8, 0xf002, 0, 0, 0, 0xa]),
    centre(3, [149, 154, 175, 100], [0x2001, 0xb28, 0xf23d, 0xf003, 0, 0, 0, 0xa]),
    centre(4, [149, 154, 167, 91], [0x2001, 0x67c, 0x4e8, 0xf004, 0, 0, 0, 0xa]),
    centre(5, [149, 154, 171, 5], [0x2001, 0xb28, 0xf23f, 0xf005, 0, 0, 0, 0xa]),
    centre(203, [91, 105, 192, 100], [0x2a0a, 0xf280, 0x203, 0xa, 0x5000, 0, 0, 0x100]),
    centre(10_001, [149, 154, 175, 10], [0x2001, 0xb28, 0xf23d, 0xf001, 0, 0, 0, 0xe]),
    centre(10_002, [149, 154, 167, 40], [0x2001, 0x67c, 0x4e8, 0xf002, 0, 0, 0, 0xe]),
    centre(10_003, [149, 154, 175, 117], [0x2001, 0xb28, 0xf23d, 0xf003, 0, 0, 0, 0xe]),
];

/// The addresses of data centre `dc`, the preferred family first; `None` if they are not known.
///
/// Addresses in the file replace the public ones. A negative index means the media servers, which have the addresses of the
/// positive index unless the file gives others. An unknown index gets the addresses of the default data centre, if the file
/// names one.
pub(super) fn addresses(centres: &DataCentres, dc: i16) -> Option<Vec<SocketAddr>> {
    let mut all = known(centres, dc).or_else(|| known(centres, centres.default?))?;
    all.sort_by_key(|address| address.is_ipv6() != centres.prefer_ipv6);
    Some(all)
}

/// The label of an index in the metrics: `None` stands for all unknown indexes together, because clients may send any
/// number.
pub(super) fn label(centres: &DataCentres, dc: i16) -> Option<i16> {
    known(centres, dc).map(|_| dc)
}

/// The addresses of an index that is in the file or in the table. The list is empty if both families are switched off.
fn known(centres: &DataCentres, dc: i16) -> Option<Vec<SocketAddr>> {
    let own = |dc| centres.overrides.get(&dc).filter(|addresses| !addresses.is_empty()).cloned();
    own(dc).or_else(|| own(dc.saturating_abs())).or_else(|| {
        let centre = CENTRES.iter().find(|centre| centre.index == dc.unsigned_abs())?;
        let v4 = centres.ipv4.then_some(IpAddr::V4(centre.v4));
        let v6 = centres.ipv6.then_some(IpAddr::V6(centre.v6));
        Some(v4.into_iter().chain(v6).map(|ip| SocketAddr::new(ip, PORT)).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn centres(overrides: &[(i16, &str)], default: Option<i16>) -> DataCentres {
        let overrides = overrides.iter().map(|&(dc, address)| (dc, vec![address.parse().unwrap()])).collect();
        DataCentres { overrides, default, ipv4: true, ipv6: true, prefer_ipv6: false }
    }

    fn first(centres: &DataCentres, dc: i16) -> Option<String> {
        addresses(centres, dc).map(|all| all[0].to_string())
    }

    #[rstest]
    #[case(2, "149.154.167.51:443")]
    #[case(-4, "149.154.167.91:443")]
    #[case(203, "91.105.192.100:443")]
    #[case(-203, "91.105.192.100:443")]
    #[case(10_002, "149.154.167.40:443")]
    #[case(-10_003, "149.154.175.117:443")]
    fn the_public_table_serves_every_index_that_clients_know(#[case] dc: i16, #[case] address: &str) {
        let all = addresses(&centres(&[], None), dc).unwrap();
        assert_eq!((all[0].to_string().as_str(), all.len(), all[1].is_ipv6()), (address, 2, true));
    }

    #[rstest]
    #[case(2, Some("127.0.0.1:2"))]
    #[case(-2, Some("127.0.0.1:2"))]
    #[case(203, Some("127.0.0.1:203"))]
    #[case(-77, Some("127.0.0.1:77"))]
    #[case(99, None)]
    #[case(-4, Some("127.0.0.1:4"))]
    #[case(4, Some("149.154.167.91:443"))]
    fn the_addresses_of_the_file_replace_the_public_ones(#[case] dc: i16, #[case] address: Option<&str>) {
        let own = [(2, "127.0.0.1:2"), (203, "127.0.0.1:203"), (-4, "127.0.0.1:4"), (77, "127.0.0.1:77")];
        assert_eq!(first(&centres(&own, None), dc).as_deref(), address);
    }

    #[test]
    fn the_default_of_the_file_serves_unknown_indexes() {
        let own = [(3, "127.0.0.1:3")];
        assert_eq!(first(&centres(&own, Some(3)), 99).as_deref(), Some("127.0.0.1:3"));
        assert_eq!(first(&centres(&own, Some(4)), 0).as_deref(), Some("149.154.167.91:443"));
        assert_eq!(first(&centres(&own, Some(4)), 203).as_deref(), Some("91.105.192.100:443"));
    }

    #[rstest]
    #[case(2, Some(2))]
    #[case(-5, Some(-5))]
    #[case(203, Some(203))]
    #[case(77, Some(77))]
    #[case(0, None)]
    #[case(6, None)]
    #[case(i16::MIN, None)]
    fn only_known_centres_are_shown_by_their_index(#[case] dc: i16, #[case] shown: Option<i16>) {
        assert_eq!(label(&centres(&[(77, "127.0.0.1:77")], Some(2)), dc), shown);
    }

    #[test]
    fn families_are_preferred_and_left_out() {
        let six = DataCentres { prefer_ipv6: true, ..centres(&[], None) };
        assert!(addresses(&six, 1).unwrap()[0].is_ipv6());
        let four = DataCentres { ipv6: false, ..centres(&[], None) };
        assert_eq!(addresses(&four, 1).unwrap().len(), 1);
        let none = DataCentres { ipv4: false, ..four };
        assert_eq!(addresses(&none, 1), Some(vec![]));
    }

    proptest! {
        #[test]
        fn with_a_default_every_index_has_an_address_and_without_only_known_ones(dc: i16) {
            prop_assert!(addresses(&centres(&[], Some(2)), dc).is_some_and(|all| !all.is_empty()));
            let known = [1, 2, 3, 4, 5, 203, 10_001, 10_002, 10_003].contains(&dc.unsigned_abs());
            prop_assert_eq!(addresses(&centres(&[], None), dc).is_some(), known);
        }
    }
}
