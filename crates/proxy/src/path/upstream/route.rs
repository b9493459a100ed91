//! One attempt to connect to an address by one route.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_socks::Error as SocksError;
use tokio_socks::tcp::Socks5Stream;

use crate::config::Route;

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The upstream server cannot be reached.
    #[error("the upstream server cannot be reached: {0}")]
    Upstream(io::Error),
    /// The upstream server refuses the name or the password.
    #[error("the upstream server refuses the login: {0}")]
    Login(SocksError),
    /// The address cannot be reached.
    #[error("{0}")]
    Address(#[from] io::Error),
}

/// The `host:port` of the SOCKS server of a route; `None` for a direct route.
pub(super) fn server(route: &Route) -> Option<&str> {
    match route {
        Route::Direct { .. } => None,
        Route::Socks5 { server, .. } => Some(server),
    }
}

/// Connects to `address` by `route`, until `deadline`.
pub(super) async fn connect(route: &Route, address: SocketAddr, deadline: Instant) -> Result<TcpStream, Failure> {
    match route {
        Route::Direct { bind } => Ok(in_time(deadline, connect_from(bind, address)).await?),
        Route::Socks5 { server, credentials } => {
            let server = in_time(deadline, TcpStream::connect(server.as_str())).await.map_err(Failure::Upstream)?;
            let asked = timeout_at(deadline, ask(server, credentials.as_ref(), address)).await;
            asked.map_err(|_| Failure::Address(io::ErrorKind::TimedOut.into()))?.map_err(|error| {
                if is_login(&error) { Failure::Login(error) } else { Failure::Address(io::Error::other(error)) }
            })
        }
    }
}

async fn in_time(deadline: Instant, connecting: impl Future<Output = io::Result<TcpStream>>) -> io::Result<TcpStream> {
    timeout_at(deadline, connecting).await.map_err(|_| io::ErrorKind::TimedOut)?
}

async fn connect_from(bind: &[IpAddr], address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(&ip) = bind.iter().find(|ip| ip.is_ipv4() == address.is_ipv4()) {
        socket.bind(SocketAddr::new(ip, 0))?;
    }
    socket.connect(address).await
}

/// Asks a SOCKS5 server for a connection to `address`.
async fn ask(
    server: TcpStream,
    credentials: Option<&(String, String)>,
    address: SocketAddr,
) -> Result<TcpStream, SocksError> {
    let connected = match credentials {
        Some((name, password)) => Socks5Stream::connect_with_password_and_socket(server, address, name, password).await,
        None => Socks5Stream::connect_with_socket(server, address).await,
    };
    connected.map(Socks5Stream::into_inner)
}

/// Whether the server refused the login, and not the address.
const fn is_login(error: &SocksError) -> bool {
    use SocksError::{
        AuthorizationRequired, InvalidAuthValues, NoAcceptableAuthMethods, PasswordAuthFailure, UnknownAuthMethod,
    };
    matches!(
        error,
        AuthorizationRequired
            | InvalidAuthValues(_)
            | NoAcceptableAuthMethods
            | PasswordAuthFailure(_)
            | UnknownAuthMethod
    )
}
