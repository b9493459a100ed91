//! Where the data centres are: the well-known public addresses (core.telegram.org/api/datacenter), and the file's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::DataCentres;

const PORT: u16 = 443;

const V4: [Ipv4Addr; 5] = [
    Ipv4Addr::new(149, 154, 175, 50),
    Ipv4Addr::new(149, 154, 167, 51),
    Ipv4Addr::new(149, 154, 175, 100),
    Ipv4Addr::new(149, 154, 167, 91),
    Ipv4Addr::new(149, 154, 171, 5),
];

const V6: [Ipv6Addr; 5] = [
    Ipv6Addr::new(0x2001, 0xb28, 0xf23d, 0xf001, 0, 0, 0, 0xa),
    Ipv6Addr::new(0x2001, 0x67c, 0x4e8, 0xf002, 0, 0, 0, 0xa),
    Ipv6Addr::new(0x2001, 0xb28, 0xf23d, 0xf003, 0, 0, 0, 0xa),
    Ipv6Addr::new(0x2001, 0x67c, 0x4e8, 0xf004, 0, 0, 0, 0xa),
    Ipv6Addr::new(0x2001, 0xb28, 0xf23f, 0xf005, 0, 0, 0, 0xa),
];

/// The addresses of data centre `dc`, the preferred family first. The file's own replace the public ones; an index below
/// zero is a media centre, which is found at its positive twin's; an index that nobody knows is served by the default.
pub(super) fn addresses(centres: &DataCentres, dc: i16) -> Vec<SocketAddr> {
    let known = dc.unsigned_abs().checked_sub(1).map(usize::from).filter(|&index| index < V4.len());
    let (own, index) = match (centres.overrides.get(&dc), known) {
        (Some(own), _) if !own.is_empty() => (Some(own), 0),
        (_, Some(index)) => (centres.overrides.get(&twin(dc)), index),
        (_, None) => (centres.overrides.get(&centres.default), usize::from(centres.default.unsigned_abs()).max(1) - 1),
    };
    let mut all = match own.filter(|own| !own.is_empty()) {
        Some(own) => own.clone(),
        None => public(centres, index),
    };
    all.sort_by_key(|address| address.is_ipv6() != centres.prefer_ipv6);
    all
}

/// The index as it is shown: clients may send any, and those that nobody knows are shown as one.
pub(super) fn label(centres: &DataCentres, dc: i16) -> Option<i16> {
    let known = (1..=V4.len()).contains(&dc.unsigned_abs().into()) || centres.overrides.contains_key(&dc);
    known.then_some(dc)
}

/// The index of the same centre without media.
const fn twin(dc: i16) -> i16 {
    dc.saturating_abs()
}

fn public(centres: &DataCentres, index: usize) -> Vec<SocketAddr> {
    let v4 = V4.get(index).filter(|_| centres.ipv4).map(|&ip| IpAddr::from(ip));
    let v6 = V6.get(index).filter(|_| centres.ipv6).map(|&ip| IpAddr::from(ip));
    v4.into_iter().chain(v6).map(|ip| SocketAddr::new(ip, PORT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn centres(overrides: &[(i16, &str)]) -> DataCentres {
        let overrides = overrides.iter().map(|&(dc, address)| (dc, vec![address.parse().unwrap()])).collect();
        DataCentres { overrides, default: 2, ipv4: true, ipv6: true, prefer_ipv6: false }
    }

    #[rstest]
    #[case(2, "149.154.167.51:443")]
    #[case(-4, "149.154.167.91:443")]
    #[case(0, "149.154.167.51:443")]
    #[case(203, "149.154.167.51:443")]
    #[case(i16::MIN, "149.154.167.51:443")]
    fn the_public_table_serves_media_and_unknown_indices(#[case] dc: i16, #[case] first: &str) {
        let all = addresses(&centres(&[]), dc);
        assert_eq!((all[0].to_string().as_str(), all.len(), all[1].is_ipv6()), (first, 2, true));
    }

    #[rstest]
    #[case(2, "127.0.0.1:2")]
    #[case(-2, "127.0.0.1:2")]
    #[case(203, "127.0.0.1:203")]
    #[case(99, "127.0.0.1:2")]
    #[case(-4, "127.0.0.1:4")]
    #[case(4, "149.154.167.91:443")]
    fn the_files_own_addresses_go_before(#[case] dc: i16, #[case] first: &str) {
        let own = centres(&[(2, "127.0.0.1:2"), (203, "127.0.0.1:203"), (-4, "127.0.0.1:4")]);
        assert_eq!(addresses(&own, dc)[0].to_string(), first);
    }

    #[rstest]
    #[case(2, Some(2))]
    #[case(-5, Some(-5))]
    #[case(203, Some(203))]
    #[case(0, None)]
    #[case(6, None)]
    #[case(i16::MIN, None)]
    fn only_known_centres_are_shown_by_their_index(#[case] dc: i16, #[case] shown: Option<i16>) {
        assert_eq!(label(&centres(&[(203, "127.0.0.1:203")]), dc), shown);
    }

    #[test]
    fn families_are_preferred_and_left_out() {
        let six = DataCentres { prefer_ipv6: true, ..centres(&[]) };
        assert!(addresses(&six, 1)[0].is_ipv6());
        let none = DataCentres { ipv6: false, ..centres(&[]) };
        assert_eq!(addresses(&none, 1).len(), 1);
    }

    proptest! {
        #[test]
        fn every_index_has_an_address(dc: i16) {
            prop_assert!(!addresses(&centres(&[]), dc).is_empty());
        }
    }
}
