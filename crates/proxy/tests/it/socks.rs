//! A SOCKS5 server (RFC 1928) that takes the place of all data centres and remembers the addresses that it was asked for.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::peers::echo;

/// What the server does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The data centre answers.
    Reached,
    /// The server never answers.
    Silent,
    /// The server answers that the host cannot be reached.
    Unreachable,
}

/// The server.
pub(crate) struct Socks {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<SocketAddr>>>,
    /// The password (RFC 1929) that the server requires, if any; a test may change it.
    pub(crate) password: Arc<Mutex<Option<&'static str>>>,
}

impl Socks {
    pub(crate) async fn start(answer: fn(SocketAddr) -> Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let socks = Self { address, asked: Arc::default(), password: Arc::default() };
        let (asked, password) = (Arc::clone(&socks.asked), Arc::clone(&socks.password));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer, Arc::clone(&asked), *password.lock().unwrap()));
            }
        });
        socks
    }

    /// The `[[upstreams]]` of a file that uses this server.
    pub(crate) fn upstream(&self) -> String {
        format!("[[upstreams]]\ntype = \"socks5\"\naddress = \"{}\"\n", self.address)
    }

    /// The addresses that the server was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<SocketAddr> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: fn(SocketAddr) -> Answer,
    asked: Arc<Mutex<Vec<SocketAddr>>>,
    password: Option<&'static str>,
) -> Option<()> {
    let mut methods = vec![0; usize::from(head::<2>(&mut stream).await?[1])];
    stream.read_exact(&mut methods).await.ok()?;
    let method = if password.is_some() || !methods.contains(&0) { 2 } else { 0 };
    stream.write_all(&[5, method]).await.ok()?;
    if method == 2 {
        let mut name = vec![0; usize::from(head::<2>(&mut stream).await?[1])];
        stream.read_exact(&mut name).await.ok()?;
        let mut given = vec![0; usize::from(head::<1>(&mut stream).await?[0])];
        stream.read_exact(&mut given).await.ok()?;
        let right = password.is_none_or(|password| given == password.as_bytes());
        stream.write_all(&[1, u8::from(!right)]).await.ok()?;
        right.then_some(())?;
    }
    let ip = match head::<4>(&mut stream).await?[3] {
        1 => IpAddr::from(head::<4>(&mut stream).await?),
        _ => IpAddr::from(head::<16>(&mut stream).await?),
    };
    let target = SocketAddr::new(ip, u16::from_be_bytes(head(&mut stream).await?));
    asked.lock().unwrap().push(target);
    match answer(target) {
        Answer::Reached => {
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
            echo(stream).await
        }
        Answer::Silent => {
            let _ = stream.read_u8().await;
            None
        }
        Answer::Unreachable => {
            stream.write_all(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
            None
        }
    }
}

async fn head<const N: usize>(stream: &mut TcpStream) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.ok()?;
    Some(bytes)
}
