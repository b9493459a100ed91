//! The servers that are measured, and their data centre and masked site.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Users whose connections are cut when a file without them is applied.
pub(crate) const CANARIES: [u32; 2] = [u32::MAX - 1, u32::MAX];

pub(crate) fn secret(number: u32) -> [u8; 16] {
    let mut secret = [0x55; 16];
    secret[..4].copy_from_slice(&number.to_be_bytes());
    secret
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server process; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    async fn start(command: &mut Command, port: u16) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < end, "{command:?} does not listen");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { child, address }
    }
}

fn ourselves() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// Starts the plain relay.
pub(crate) async fn relay(target: SocketAddr) -> Server {
    let port = free_port();
    Server::start(ourselves().args(["relay", &port.to_string(), &target.to_string()]), port).await
}

/// The servers to which proxies and relays connect.
pub(crate) struct Peers {
    /// The data centre of proxies: it expects an init first.
    pub(crate) centre: SocketAddr,
    /// The data centre of the relay, without an init.
    pub(crate) raw_centre: SocketAddr,
    site: SocketAddr,
}

impl Peers {
    pub(crate) async fn start() -> Self {
        Self { centre: centre(true).await, raw_centre: centre(false).await, site: site().await }
    }
}

/// Starts a data centre. The number of bytes in the first read after the init chooses what it does: with 1 it sends
/// without end, with 2 it answers each read with one byte, with more it only reads. The bytes themselves are encrypted,
/// so they cannot choose.
async fn centre(init: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                if init {
                    stream.read_exact(&mut [0; 64]).await.ok()?;
                }
                let mut buffer = vec![0; 1 << 18];
                let first = stream.read(&mut buffer).await.ok().filter(|&read| read > 0)?;
                loop {
                    match first {
                        1 => stream.write_all(&buffer).await.ok()?,
                        2 => {
                            stream.write_all(&buffer[..1]).await.ok()?;
                            stream.read(&mut buffer).await.ok().filter(|&read| read > 0)?;
                        }
                        _ => {
                            stream.read(&mut buffer).await.ok().filter(|&read| read > 0)?;
                        }
                    }
                }
                #[expect(unreachable_code, reason = "tells the type")]
                Some(())
            });
        }
    });
    address
}

/// Starts a masked site that sends an alert and closes.
async fn site() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.read(&mut [0; 4_096]).await.ok().filter(|&read| read > 0)?;
                stream.write_all(b"\x15\x03\x03\x00\x02\x02\x28").await.ok()
            });
        }
    });
    address
}

/// A proxy with its file.
pub(crate) struct Proxy {
    server: Server,
    directory: TempDir,
    settings: String,
}

impl Proxy {
    /// Starts this proxy, or another binary, with so many users and the canaries.
    pub(crate) async fn start(binary: Option<&OsStr>, peers: &Peers, users: u32) -> Self {
        let (port, metrics, api) = (free_port(), free_port(), free_port());
        let settings = format!(
            "[general]\nuse_middle_proxy = false\nmiddle_proxy_nat_probe = false\n\
             [general.modes]\nclassic = false\nsecure = false\ntls = true\n[general.links]\nshow = []\n\
             [network]\nipv6 = false\nstun_use = false\nstun_servers = []\nhttp_ip_detect_urls = []\n\
             [server]\nport = {port}\nlisten_addr_ipv4 = \"127.0.0.1\"\nmax_connections = 0\n\
             metrics_listen = \"127.0.0.1:{metrics}\"\n\
             [server.conntrack_control]\ninline_conntrack_control = false\n\
             [server.api]\nlisten = \"127.0.0.1:{api}\"\n\
             [[server.listeners]]\nip = \"127.0.0.1\"\n\
             [censorship]\ntls_domain = \"mask.example\"\nmask = true\nmask_host = \"127.0.0.1\"\n\
             mask_port = {}\ntls_emulation = false\n\
             [[upstreams]]\ntype = \"direct\"\nbind_addresses = [\"127.0.0.1\"]\n\
             [dc_overrides]\n\"2\" = \"{}\"\n",
            peers.site.port(),
            peers.centre
        );
        let directory = TempDir::new().unwrap();
        write(&directory, &settings, &(0..users).chain(CANARIES));
        let path = directory.path().join("config.toml");
        let mut command = match binary {
            Some(binary) => Command::new(binary),
            None => ourselves(),
        };
        if binary.is_none() {
            command.arg("proxy");
        }
        let server = Server::start(command.arg(path).current_dir(directory.path()), port).await;
        Self { server, directory, settings }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Replaces the file by one with these users, and returns the time of the rename.
    pub(crate) fn replace(&self, users: &(impl Iterator<Item = u32> + Clone)) -> Instant {
        write(&self.directory, &self.settings, users)
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
    }
}

fn write(directory: &TempDir, settings: &str, users: &(impl Iterator<Item = u32> + Clone)) -> Instant {
    let mut text = settings.to_owned();
    let tables: [(&str, &dyn Fn(u32) -> String); 5] = [
        ("users", &|number| format!("\"{}\"", hex::encode(secret(number)))),
        ("user_max_tcp_conns", &|_| "100000".to_owned()),
        ("user_data_quota", &|_| "1000000000000000".to_owned()),
        ("user_expirations", &|_| "\"2050-01-01T00:00:00Z\"".to_owned()),
        ("user_max_unique_ips", &|_| "5".to_owned()),
    ];
    for (table, value) in tables {
        writeln!(text, "[access.{table}]").unwrap();
        for number in users.clone() {
            writeln!(text, "\"user-{number:010}\" = {}", value(number)).unwrap();
        }
    }
    let new: PathBuf = directory.path().join(".new");
    std::fs::write(&new, text).unwrap();
    let since = Instant::now();
    std::fs::rename(&new, directory.path().join("config.toml")).unwrap();
    since
}
