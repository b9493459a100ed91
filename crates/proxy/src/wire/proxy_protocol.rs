//! The header of the PROXY protocol, versions 1 and 2 (haproxy.org, `proxy-protocol.txt`, section 2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest header of version 1, with its line end.
const V1_MAX: usize = 107;
/// The first bytes of a header of version 2.
const V2_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of a header of version 2 before the addresses.
const V2_FIXED: usize = 16;
/// Most bytes that are accepted after them: addresses, and the extensions (TLVs) that load balancers add.
const V2_MAX: usize = 4096;

/// A complete header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its length in bytes.
    pub length: usize,
    /// The connection that the sender accepted; `None` if the sender made the connection itself or does not know its ends.
    pub connection: Option<Connection>,
}

/// The two ends of a client's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Connection {
    /// The client's address.
    pub source: SocketAddr,
    /// The address that it connected to.
    pub target: SocketAddr,
}

/// The bytes are not a PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a PROXY header")]
pub struct HeaderError;

/// Parses the header with which `bytes` begin; `None` while more bytes are needed.
pub fn parse(bytes: &[u8]) -> Result<Option<Header>, HeaderError> {
    if begins(bytes, b"PROXY ") {
        parse_v1(bytes)
    } else if begins(bytes, &V2_SIGNATURE) {
        parse_v2(bytes)
    } else {
        Err(HeaderError)
    }
}

/// Whether `bytes` begin with `word`, or are themselves the beginning of `word`.
fn begins(bytes: &[u8], word: &[u8]) -> bool {
    bytes.iter().zip(word).all(|(byte, expected)| byte == expected)
}

fn parse_v1(bytes: &[u8]) -> Result<Option<Header>, HeaderError> {
    let Some(end) = bytes.iter().take(V1_MAX).position(|&byte| byte == b'\n') else {
        return if bytes.len() >= V1_MAX { Err(HeaderError) } else { Ok(None) };
    };
    let line = bytes[..end].strip_suffix(b"\r").ok_or(HeaderError)?;
    let line = std::str::from_utf8(line).map_err(|_| HeaderError)?;
    Ok(Some(Header { length: end + 1, connection: v1_connection(line)? }))
}

fn v1_connection(line: &str) -> Result<Option<Connection>, HeaderError> {
    let words: Vec<&str> = line.split(' ').collect();
    let address = |ip: Option<IpAddr>, port: &str| Some(SocketAddr::new(ip?, port.parse().ok()?));
    let (source, target) = match words[..] {
        ["PROXY", "UNKNOWN", ..] => return Ok(None),
        ["PROXY", "TCP4", source, target, source_port, target_port] => {
            let v4 = |ip: &str| ip.parse::<Ipv4Addr>().ok().map(IpAddr::from);
            (address(v4(source), source_port), address(v4(target), target_port))
        }
        ["PROXY", "TCP6", source, target, source_port, target_port] => {
            let v6 = |ip: &str| ip.parse::<Ipv6Addr>().ok().map(IpAddr::from);
            (address(v6(source), source_port), address(v6(target), target_port))
        }
        _ => return Err(HeaderError),
    };
    match (source, target) {
        (Some(source), Some(target)) => Ok(Some(Connection { source, target })),
        _ => Err(HeaderError),
    }
}

fn parse_v2(bytes: &[u8]) -> Result<Option<Header>, HeaderError> {
    let Some(fixed) = bytes.first_chunk::<V2_FIXED>() else { return Ok(None) };
    let rest = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if rest > V2_MAX || fixed[12] >> 4 != 2 {
        return Err(HeaderError);
    }
    let length = V2_FIXED + rest;
    let Some(addresses) = bytes.get(V2_FIXED..length) else { return Ok(None) };
    let connection = match (fixed[12] & 0xf, fixed[13]) {
        (0, _) | (1, 0x00) => None,
        (1, 0x11) => Some(v2_connection::<4>(addresses)?),
        (1, 0x21) => Some(v2_connection::<16>(addresses)?),
        _ => return Err(HeaderError),
    };
    Ok(Some(Header { length, connection }))
}

/// Two addresses of `N` bytes, then two ports.
fn v2_connection<const N: usize>(addresses: &[u8]) -> Result<Connection, HeaderError>
where
    IpAddr: From<[u8; N]>,
{
    let (source, rest) = addresses.split_first_chunk::<N>().ok_or(HeaderError)?;
    let (target, rest) = rest.split_first_chunk::<N>().ok_or(HeaderError)?;
    let &[a, b, c, d] = rest.first_chunk().ok_or(HeaderError)?;
    let address = |ip: &[u8; N], port| SocketAddr::new(IpAddr::from(*ip), u16::from_be_bytes(port));
    Ok(Connection { source: address(source, [a, b]), target: address(target, [c, d]) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&V2_SIGNATURE[..], &[0x20 | command, family], &length, rest].concat()
    }

    #[rstest]
    #[case(b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n", Some("192.0.2.1:1000"))]
    #[case(b"PROXY TCP6 2001:db8::1 ::1 1000 443\r\n", Some("[2001:db8::1]:1000"))]
    #[case(b"PROXY UNKNOWN\r\n", None)]
    #[case(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None)]
    fn headers_of_version_1_are_read(#[case] line: &[u8], #[case] source: Option<&str>) {
        let header = parse(&[line, b"rest"].concat()).unwrap().unwrap();
        assert_eq!(header.length, line.len());
        assert_eq!(header.connection.map(|connection| connection.source), source.map(|source| source.parse().unwrap()));
    }

    #[test]
    fn headers_of_version_2_are_read_with_their_extensions() {
        let v4 = v2(1, 0x11, &[192, 0, 2, 1, 192, 0, 2, 2, 3, 232, 1, 187, 4, 0, 1, 0]);
        let (source, target) = ("192.0.2.1:1000".parse().unwrap(), "192.0.2.2:443".parse().unwrap());
        let expected = Header { length: v4.len(), connection: Some(Connection { source, target }) };
        assert_eq!(parse(&v4), Ok(Some(expected)));
        let v6 = v2(1, 0x21, &[[0; 15].as_slice(), &[1], &[0; 16], &[3, 232, 1, 187]].concat());
        assert_eq!(parse(&v6).unwrap().unwrap().connection.unwrap().source, "[::1]:1000".parse().unwrap());
        assert_eq!(parse(&v2(0, 0, &[])).unwrap().unwrap().connection, None);
        assert_eq!(parse(&v2(1, 0, &[9; 3])).unwrap().unwrap().length, 19);
    }

    #[rstest]
    #[case(b"GET / HTTP/1.1\r\n")]
    #[case(b"PROXY TCP4 192.0.2.1 192.0.2.2 1000\r\n")]
    #[case(b"PROXY TCP4 2001:db8::1 ::1 1000 443\r\n")]
    #[case(b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 70000\r\n")]
    #[case(b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\n")]
    #[case(&[0x16, 3, 1, 2, 0])]
    fn other_bytes_are_refused(#[case] bytes: &[u8]) {
        assert_eq!(parse(bytes), Err(HeaderError));
    }

    #[test]
    fn a_line_without_end_and_a_header_too_long_are_refused() {
        assert_eq!(parse(&[b"PROXY ".as_slice(), &[b'x'; V1_MAX]].concat()), Err(HeaderError));
        assert_eq!(parse(&v2(1, 0x11, &[0; V2_MAX + 1])), Err(HeaderError));
        assert_eq!(parse(&v2(1, 0x11, &[0; 11])), Err(HeaderError));
        assert_eq!(parse(&v2(1, 0x12, &[0; 12])), Err(HeaderError));
    }

    proptest! {
        #[test]
        fn every_beginning_of_a_header_needs_more_bytes(ip: [u8; 4], port: u16, cut in 0..28_usize) {
            let v1 = format!("PROXY TCP4 {} 1.2.3.4 {port} 1\r\n", Ipv4Addr::from(ip));
            let v2 = v2(1, 0x11, &[&ip[..], &[1, 2, 3, 4], &port.to_be_bytes(), &[0, 1]].concat());
            for whole in [v1.as_bytes(), &v2] {
                prop_assert_eq!(parse(&whole[..cut.min(whole.len() - 1)]), Ok(None));
                let source = SocketAddr::new(ip.into(), port);
                let connection = Some(Connection { source, target: "1.2.3.4:1".parse().unwrap() });
                prop_assert_eq!(parse(whole), Ok(Some(Header { length: whole.len(), connection })));
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, rest: Vec<u8>) {
            let _ = parse(&bytes);
            let _ = parse(&[&V2_SIGNATURE[..], &rest].concat());
        }
    }
}
