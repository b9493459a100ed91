//! Sockets: how many may be open, how they are bound, and their options.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

use crate::config::Timeouts;

/// Connections that the kernel queues until they are accepted.
const BACKLOG: i32 = 1_024;

/// Raises the soft limit of open files to the hard limit, and returns how many files may be open. Each connection needs
/// two, and the usual soft limit is only 1,024.
pub(crate) fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            current.unwrap_or(u64::MAX)
        }
    }
}

/// Whether an address could not be bound because the kernel does not support its family.
pub(crate) fn is_without_family(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

/// Binds a listener, and returns it with its address. An IPv6 listener accepts no IPv4 connections, so that a listener
/// for each family can have the same port.
pub(crate) fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// Sets the options of a connection to a client or a data centre: packets are sent at once, and a peer that is gone is
/// noticed.
pub(crate) fn tune(stream: &TcpStream, timeouts: &Timeouts) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    if let Some(keepalive) = timeouts.keepalive {
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(keepalive).with_interval(keepalive))?;
    }
    socket.set_tcp_user_timeout(Some(timeouts.ack))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn a_peer_that_does_not_acknowledge_is_given_up_after_the_time_of_the_file() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let [keepalive, ack] = [15, 90].map(Duration::from_secs);
        tune(&stream, &Timeouts { handshake: ack, keepalive: Some(keepalive), ack, connect: ack }).unwrap();
        assert_eq!(SockRef::from(&stream).tcp_user_timeout().unwrap(), Some(ack));
    }

    #[tokio::test]
    async fn a_keepalive_of_zero_is_off_and_any_other_is_on() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for (seconds, on) in [(0, false), (1, true), (9_999, true)] {
            let text =
                format!("[timeouts]\nclient_keepalive = {seconds}\n[access.users]\na = \"{}\"\n", "1".repeat(32));
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            tune(&stream, &Config::parse(&text).unwrap().timeouts).unwrap();
            assert_eq!(SockRef::from(&stream).keepalive().unwrap(), on, "{seconds}");
        }
    }
}
