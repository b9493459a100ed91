//! Whether the client of a connection still answers. The kernel knows that from keep-alives and from bytes that are not
//! acknowledged, and is asked through `sock_diag(7)` (Linux).

use std::io::{self, Read as _, Write as _};
use std::net::IpAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::accounts::Ends;

/// Numbers of the kernel's interface (`linux/netlink.h`, `linux/sock_diag.h`, `linux/inet_diag.h`).
const NETLINK: i32 = 16;
const SOCK_DIAG: i32 = 4;
const BY_FAMILY: u16 = 20;
const ERROR: u16 = 2;
const NO_SUCH: i32 = -2;
const REQUEST: u16 = 1;
const TCP: u8 = 6;
const INET: u8 = 2;
const INET6: u8 = 10;
const HEADER: usize = 16;
/// Offset of `idiag_expires` in an `inet_diag_msg`.
const EXPIRES: usize = 52;
/// Bytes of a request: the header and an `inet_diag_req_v2`.
const ASK: usize = HEADER + 56;

/// States of TCP in which a client may still answer.
const ESTABLISHED: u8 = 1;
const CLOSE_WAIT: u8 = 8;
/// Timers of a connection: for a retransmission, for a keep-alive, for a probe of a window that was full.
const RETRANSMITS: u8 = 1;
const KEEPALIVE: u8 = 2;
const ZERO_WINDOW: u8 = 4;

/// Retransmissions after which a client counts as gone. They take at least about 3 s.
const SENT_AGAIN: u8 = 4;
/// Longest wait for the answer to a keep-alive.
const ANSWER: Duration = Duration::from_secs(2);
/// Longest wait for the kernel.
const WAIT: Duration = Duration::from_millis(100);

/// A socket on which the kernel is asked about connections.
#[derive(Debug)]
pub(crate) struct SocketDiag {
    socket: Socket,
    /// Time between two keep-alives, if they are on.
    keepalive: Option<Duration>,
}

impl SocketDiag {
    pub(crate) fn new(keepalive: Option<Duration>) -> io::Result<Self> {
        let socket = Socket::new(Domain::from(NETLINK), Type::DGRAM, Some(Protocol::from(SOCK_DIAG)))?;
        socket.set_read_timeout(Some(WAIT))?;
        Ok(Self { socket, keepalive })
    }

    /// Whether the client of the connection between these ends answers. If the kernel cannot say, it counts as answering.
    pub(crate) fn answers(&self, ends: Ends) -> bool {
        let mut reply = [0; 512];
        let asked = (&self.socket).write_all(&build_request(ends)).and_then(|()| (&self.socket).read(&mut reply));
        asked.ok().and_then(|read| self.read(&reply[..read])).unwrap_or(true)
    }

    /// Whether the client answers, according to a reply; `None` if the reply cannot be read.
    fn read(&self, reply: &[u8]) -> Option<bool> {
        let kind = u16::from_ne_bytes(*reply.get(4..)?.first_chunk()?);
        if kind == ERROR {
            return (i32::from_ne_bytes(*reply.get(HEADER..)?.first_chunk()?) == NO_SUCH).then_some(false);
        }
        let &[_, state, timer, repeated] = reply.get(HEADER..)?.first_chunk()?;
        let expires = u32::from_ne_bytes(*reply.get(HEADER + EXPIRES..)?.first_chunk()?);
        Some(match timer {
            _ if state != ESTABLISHED && state != CLOSE_WAIT => false,
            RETRANSMITS | ZERO_WINDOW => repeated < SENT_AGAIN,
            KEEPALIVE => self.keepalive.is_none_or(|interval| !is_overdue(repeated, expires, interval)),
            _ => true,
        })
    }
}

/// Whether the answer to a keep-alive is overdue. The next keep-alive is sent in `expires` milliseconds.
fn is_overdue(unanswered: u8, expires: u32, interval: Duration) -> bool {
    let since = interval.saturating_sub(Duration::from_millis(expires.into()));
    unanswered > 1 || unanswered == 1 && since >= ANSWER.min(interval / 2)
}

/// A request about the connection between these ends.
fn build_request((ours, theirs): Ends) -> Vec<u8> {
    let family = if ours.is_ipv4() { INET } else { INET6 };
    let mut bytes = Vec::with_capacity(ASK);
    bytes.extend(u32::try_from(ASK).unwrap_or_default().to_ne_bytes());
    bytes.extend([BY_FAMILY, REQUEST].map(u16::to_ne_bytes).concat());
    bytes.extend([0; 8]);
    bytes.extend([family, TCP, 0, 0]);
    bytes.extend(u32::MAX.to_ne_bytes());
    bytes.extend([ours, theirs].map(|end| end.port().to_be_bytes()).concat());
    bytes.extend([ours, theirs].map(|end| padded(end.ip())).concat());
    bytes.extend([0; 4]);
    // Any cookie.
    bytes.extend([0xff; 8]);
    bytes
}

fn padded(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&ip.octets());
            bytes
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_connection_answers_as_long_as_both_ends_are_open() {
        let diag = SocketDiag::new(Some(Duration::from_secs(15))).unwrap();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, _) = listener.accept().unwrap();
            let ends = (server.local_addr().unwrap(), server.peer_addr().unwrap());
            assert!(diag.answers(ends), "{address}");
            drop((server, client));
            // The listener is still there and is not mistaken for the connection.
            assert!(!diag.answers(ends), "{address}");
        }
    }

    #[test]
    fn a_keepalive_is_given_time_for_its_answer() {
        let interval = Duration::from_secs(15);
        assert!(!is_overdue(0, 1, interval));
        assert!(!is_overdue(1, 15_000, interval));
        assert!(!is_overdue(1, 13_001, interval));
        assert!(is_overdue(1, 13_000, interval));
        assert!(is_overdue(2, 15_000, interval));
        assert!(is_overdue(1, 500, Duration::from_secs(1)));
    }
}
