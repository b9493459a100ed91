//! What a test needs around the proxy: a data centre, a masked site, the file, and a reader of the metrics.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ctr::cipher::{KeyIvInit, StreamCipher};
use mtpannel_proxy::Proxy;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::client::Cipher;

pub(crate) const ALICE: [u8; 16] = [0xa1; 16];
pub(crate) const BOB: [u8; 16] = [0xb0; 16];

/// Starts a data centre that sends back what it gets.
pub(crate) async fn data_centre() -> SocketAddr {
    echoing(TcpListener::bind("127.0.0.1:0").await.unwrap())
}

/// Starts such a data centre on a listener.
pub(crate) fn echoing(listener: TcpListener) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    });
    address
}

pub(crate) async fn echo(mut stream: TcpStream) -> Option<()> {
    let mut init = [0; 64];
    stream.read_exact(&mut init).await.ok()?;
    let mut reversed = init;
    reversed[8..56].reverse();
    let cipher = |init: &[u8; 64]| Cipher::new_from_slices(&init[8..40], &init[40..56]).unwrap();
    let (mut from_client, mut to_client) = (cipher(&init), cipher(&reversed));
    from_client.apply_keystream(&mut init);
    assert!(init[56..60].iter().all(|&byte| [0xef, 0xee, 0xdd].contains(&byte)));
    let mut buffer = vec![0; 65_536];
    loop {
        let read = stream.read(&mut buffer).await.ok().filter(|&read| read > 0)?;
        from_client.apply_keystream(&mut buffer[..read]);
        to_client.apply_keystream(&mut buffer[..read]);
        stream.write_all(&buffer[..read]).await.ok()?;
    }
}

/// Starts a site that sends `site:` first and then sends back what it gets.
pub(crate) async fn site() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.write_all(b"site:").await.ok()?;
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await.ok()
            });
        }
    });
    address
}

/// Starts a site that sends nothing and gives its connections to the test.
pub(crate) async fn quiet_site() -> (SocketAddr, UnboundedReceiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (visits, visited) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if visits.send(stream).is_err() {
                break;
            }
        }
    });
    (address, visited)
}

/// A running proxy with its file.
pub(crate) struct World {
    pub(crate) proxy: Proxy,
    pub(crate) directory: TempDir,
    base: String,
}

/// The table of users of a file.
pub(crate) fn users(all: &[(&str, [u8; 16])]) -> String {
    let lines = all.iter().map(|(name, secret)| format!("\"{name}\" = \"{}\"\n", hex::encode(secret)));
    format!("[access.users]\n{}", lines.collect::<String>())
}

impl World {
    /// Starts a proxy with these settings and users, a data centre and a masked site.
    pub(crate) async fn start(settings: &str, access: &str) -> Self {
        Self::with_site(site().await, settings, access).await
    }

    /// The same with this masked site.
    pub(crate) async fn with_site(site: SocketAddr, settings: &str, access: &str) -> Self {
        let centre = data_centre().await;
        let base = format!(
            "dc_overrides = {{ \"2\" = \"{centre}\" }}\n{settings}\n[censorship]\ntls_domain = \"mask.example\"\nmask_host = \"127.0.0.1\"\nmask_port = {}\n",
            site.port()
        );
        Self::with_base(base, access).await
    }

    pub(crate) async fn with_base(base: String, access: &str) -> Self {
        let base = if base.contains("[server]") { base } else { format!("{base}[server]\n") };
        let base = base.replace(
            "[server]",
            "[server]\nport = 0\nlisten_addr_ipv4 = \"127.0.0.1\"\nmetrics_listen = \"127.0.0.1:0\"",
        );
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("config.toml"), format!("{base}\n{access}")).unwrap();
        let proxy = Proxy::start(&directory.path().join("config.toml")).await.unwrap();
        Self { proxy, directory, base }
    }

    /// Stops the proxy and starts it again with the same file.
    pub(crate) async fn restarted(self) -> Self {
        let Self { proxy, directory, base } = self;
        proxy.stop().await;
        let proxy = Proxy::start(&directory.path().join("config.toml")).await.unwrap();
        Self { proxy, directory, base }
    }

    /// Starts a second proxy with the same file while the first runs. The first is then dropped without being stopped.
    pub(crate) async fn replaced_by_a_second_one(self) -> Self {
        let proxy = Proxy::start(&self.path()).await.unwrap();
        Self { proxy, ..self }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.proxy.addresses[0]
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("config.toml")
    }

    /// Replaces the users in the file by a rename, as the panel does, and returns the time of the rename.
    pub(crate) fn replace(&self, access: &str) -> Instant {
        self.replace_all(&self.text(access))
    }

    /// The text of the file with these users.
    pub(crate) fn text(&self, access: &str) -> String {
        format!("{}\n{access}", self.base)
    }

    pub(crate) fn replace_all(&self, text: &str) -> Instant {
        let new = self.directory.path().join(".new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, self.path()).unwrap();
        Instant::now()
    }

    /// Reads the metrics.
    pub(crate) async fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.proxy.metrics_address.unwrap()).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    /// Waits until the metrics have this line.
    pub(crate) async fn shows(&self, line: &str) {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let text = self.metrics().await;
            if text.lines().any(|found| found == line) {
                return;
            }
            assert!(Instant::now() < end, "no line {line:?} in\n{text}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
