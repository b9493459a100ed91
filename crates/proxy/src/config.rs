//! `config.toml` read into a typed [`Config`] (docs/contract-telemt.md, "config.toml").
//!
//! Reading is strict about values and generous about keys: a value that cannot be right refuses the whole file and names
//! its line and column; a key that this server does not know is listed in [`Config::ignored`].

mod bulk;
mod error;
pub(crate) mod files;
mod masking;
mod raw;
mod rules;
mod table;
#[cfg(test)]
mod tests;
mod values;

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use chrono::{DateTime, Utc};
pub use error::ConfigError;
use ipnet::IpNet;
use mtpannel_core::include::Source;
use mtpannel_core::user::Secret;
pub use raw::{Modes, UnknownSni};

/// Most unknown keys that are remembered by name.
const IGNORED_MAX: usize = 64;

/// Everything the file says that this server understands.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Kinds of clients that are served.
    pub modes: Modes,
    /// Where clients are accepted.
    pub listeners: Vec<Listener>,
    /// Networks whose PROXY headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Longest wait for a PROXY header.
    pub proxy_header_timeout: Duration,
    /// Connections served at once; `None` is no limit.
    pub max_connections: Option<u32>,
    /// Where metrics are served, if anywhere.
    pub metrics: Option<MetricsEndpoint>,
    /// What visitors see.
    pub masking: Masking,
    /// Longest waits.
    pub timeouts: Timeouts,
    /// Ways to the data centres; never empty.
    pub upstreams: Vec<Upstream>,
    /// Where the data centres are.
    pub data_centres: DataCentres,
    /// How replayed hellos are recognised.
    pub replay: Replay,
    /// Who is served, sorted by name; never empty. The only part that is applied hot.
    pub users: Vec<UserRule>,
    /// What stands in the file and is not used.
    pub ignored: Ignored,
    /// Rules that restrict, stand in the file and are not followed.
    pub rules_ignored: Vec<&'static str>,
}

/// Keys that this server does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored {
    /// The first 64, dotted.
    pub keys: Vec<String>,
    /// How many there are besides.
    pub more: usize,
}

/// An address on which clients are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// Address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Whether each connection must begin with a PROXY header.
    pub proxy_protocol: bool,
}

/// Where metrics are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsEndpoint {
    /// Address and port.
    pub address: SocketAddr,
    /// Networks that may read; empty lets everyone (docs/contract-telemt.md, trap 12).
    pub whitelist: Vec<IpNet>,
}

/// What those see who are not authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masking {
    /// Whether they are relayed at all; otherwise they are closed.
    pub enabled: bool,
    /// Names that valid clients use, lower case; the first is `tls_domain`.
    pub domains: Vec<String>,
    /// Whether a client that names one of [`Masking::domains`] is relayed to that name (`mask_dynamic`).
    pub by_sni: bool,
    /// Host of the masked site, if it is not the domain itself.
    pub host: Option<String>,
    /// Port of the masked site.
    pub port: u16,
    /// What happens to other names.
    pub unknown_sni: UnknownSni,
    /// Bytes in the first application record of our answer (`fake_cert_len`).
    pub first_record: usize,
    /// Most bytes that a visitor and the site may send each other in each direction (`mask_relay_max_bytes`).
    pub relay_bytes: usize,
    /// How long a visit may last (`mask_relay_timeout_ms`).
    pub relay_time: Duration,
    /// How long a visitor and the site may both say nothing (`mask_relay_idle_timeout_ms`).
    pub relay_idle: Duration,
}

/// Longest waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a whole handshake.
    pub handshake: Duration,
    /// Between the system's keep-alive probes; `None` is without them.
    pub keepalive: Option<Duration>,
    /// Until bytes that were sent must have been acknowledged.
    pub ack: Duration,
    /// For one attempt to reach a data centre.
    pub connect: Duration,
}

/// A way to the data centres.
#[derive(Clone, PartialEq, Eq)]
pub struct Upstream {
    /// How.
    pub route: Route,
    /// How often it is taken, compared with the others.
    pub weight: u16,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.route {
            Route::Direct { .. } => "Upstream(direct)",
            Route::Socks5 { .. } => "Upstream(socks5)",
        })
    }
}

/// How data centres are reached.
#[derive(Clone, PartialEq, Eq)]
pub enum Route {
    /// By a connection of our own, from one of these addresses if there are any of the right family.
    Direct {
        /// Local addresses.
        bind: Vec<IpAddr>,
    },
    /// Through a SOCKS5 server (RFC 1928).
    Socks5 {
        /// Its `host:port`.
        server: String,
        /// Its name and password (RFC 1929).
        credentials: Option<(String, String)>,
    },
}

/// Where the data centres are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataCentres {
    /// Addresses that replace those of the public table.
    pub overrides: HashMap<i16, Vec<SocketAddr>>,
    /// Which one serves an index that nobody knows; without it such an index is refused.
    pub default: Option<i16>,
    /// Whether IPv4 is used.
    pub ipv4: bool,
    /// Whether IPv6 is used.
    pub ipv6: bool,
    /// Whether IPv6 goes first.
    pub prefer_ipv6: bool,
}

/// How replayed hellos are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// Hellos remembered.
    pub capacity: usize,
    /// How long each is remembered at least.
    pub window: Duration,
    /// Whether time stamps are not checked.
    pub ignore_time_skew: bool,
}

/// What the file says of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRule {
    /// Their name, which need not follow the panel's rule.
    pub name: String,
    /// Their secret.
    pub secret: Secret,
    /// Whether they are served.
    pub enabled: bool,
    /// Connections that they may hold at once.
    pub max_connections: Option<u64>,
    /// Addresses that they may come from at once.
    pub max_ips: Option<u64>,
    /// Bytes that they may move in both directions together; 0 blocks them (docs/contract-telemt.md, trap 5).
    pub quota: Option<u64>,
    /// End of their time.
    pub expires: Option<DateTime<Utc>>,
    /// Networks from which the user is not served.
    pub source_deny: Vec<IpNet>,
}

impl UserRule {
    /// Whether the user is not served from this address.
    pub(crate) fn denies(&self, address: IpAddr) -> bool {
        self.source_deny.iter().any(|network| network.contains(&address))
    }
}

impl Config {
    /// Reads the text of `config.toml`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
        let short = bulk::split(bare).and_then(|(rest, access)| Self::parse_toml(&rest, access).ok());
        short.map_or_else(|| Self::parse_toml(bare, raw::Access::default()), Ok)
    }

    /// Reads `config.toml` with the files that it includes.
    pub fn parse_source(source: &Source) -> Result<Self, ConfigError> {
        Self::parse(source.text()).map_err(|error| match error.position {
            Some((line, column)) if !source.included().is_empty() => error.at(source.place_of_line(line), column),
            _ => error,
        })
    }

    /// Reads TOML; `taken` are users' tables that were read before.
    fn parse_toml(text: &str, taken: raw::Access) -> Result<Self, ConfigError> {
        let refused = |error: toml::de::Error| ConfigError::of_toml(&error, text);
        let mut ignored = Ignored::default();
        let document = toml::Deserializer::parse(text).map_err(refused)?;
        let mut file: raw::File = serde_ignored::deserialize(document, |path| {
            if ignored.keys.len() < IGNORED_MAX {
                ignored.keys.push(path.to_string());
            } else {
                ignored.more += 1;
            }
        })
        .map_err(refused)?;
        file.access.extend(taken);
        Self::from_file(file, ignored)
    }

    /// The same settings for comparison with others: without users and unknown keys.
    pub(crate) fn without_users(&self) -> Self {
        Self { users: Vec::new(), ignored: Ignored::default(), rules_ignored: Vec::new(), ..self.clone() }
    }

    fn from_file(file: raw::File, ignored: Ignored) -> Result<Self, ConfigError> {
        if file.access.users.is_empty() {
            return Err(ConfigError::new("no users in [access.users]; a proxy without users is never meant"));
        }
        let rules_ignored = rules::ignored(&file);
        let keepalive = Some(file.timeouts.client_keepalive).filter(|&seconds| seconds > 0);
        let timeouts = Timeouts {
            handshake: Duration::from_secs(file.timeouts.client_handshake.clamp(1, 600)),
            keepalive: keepalive.map(|seconds| Duration::from_secs(seconds.min(3_600))),
            ack: Duration::from_secs(file.timeouts.client_ack.clamp(1, 3_600)),
            connect: Duration::from_secs(file.general.tg_connect.clamp(1, 120)),
        };
        let replay = Replay {
            capacity: file.access.replay_check_len,
            window: Duration::from_secs(file.access.replay_window_secs),
            ignore_time_skew: file.access.ignore_time_skew,
        };
        let data_centres = DataCentres {
            overrides: file.dc_overrides.into_iter().map(|(key, addresses)| (key.0, addresses.0)).collect(),
            default: file.default_dc.filter(|dc| (1..=5).contains(dc)),
            ipv4: file.network.ipv4,
            ipv6: file.network.ipv6.unwrap_or(true),
            prefer_ipv6: file.network.prefer == 6,
        };
        Ok(Self {
            modes: file.general.modes,
            listeners: listeners(&file.server)?,
            proxy_header_timeout: Duration::from_millis(file.server.proxy_protocol_header_timeout_ms.clamp(1, 60_000)),
            max_connections: Some(file.server.max_connections).filter(|&most| most > 0),
            metrics: metrics(&file.server),
            trusted_proxies: file.server.proxy_protocol_trusted_cidrs.unwrap_or_else(everyone),
            masking: masking::masking(file.censorship)?,
            timeouts,
            upstreams: upstreams(file.upstreams)?,
            data_centres,
            replay,
            users: users(file.access),
            ignored,
            rules_ignored,
        })
    }
}

fn everyone() -> Vec<IpNet> {
    vec![IpNet::V4(ipnet::Ipv4Net::default()), IpNet::V6(ipnet::Ipv6Net::default())]
}

fn listeners(server: &raw::Server) -> Result<Vec<Listener>, ConfigError> {
    let general = |ip| Listener { address: SocketAddr::new(ip, server.port), proxy_protocol: server.proxy_protocol };
    let mut all: Vec<Listener> = server
        .listeners
        .iter()
        .map(|listener| Listener {
            address: SocketAddr::new(listener.ip, listener.port.unwrap_or(server.port)),
            proxy_protocol: listener.proxy_protocol.unwrap_or(server.proxy_protocol),
        })
        .collect();
    if all.is_empty() {
        all.extend([server.listen_addr_ipv4, server.listen_addr_ipv6].into_iter().flatten().map(general));
    }
    if all.is_empty() {
        // As telemt does when a file names no address.
        all.extend([Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()].map(general));
    }
    let mut addresses: Vec<_> = all.iter().map(|l| l.address).filter(|address| address.port() != 0).collect();
    addresses.sort_unstable();
    if addresses.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(ConfigError::new("[[server.listeners]] names the same address twice"));
    }
    Ok(all)
}

fn metrics(server: &raw::Server) -> Option<MetricsEndpoint> {
    let on_loopback = |port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    let address = server.metrics_listen.or(server.metrics_port.map(on_loopback))?;
    let local = || vec![IpNet::from(IpAddr::from([127, 0, 0, 1])), IpNet::from(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]))];
    Some(MetricsEndpoint { address, whitelist: server.metrics_whitelist.clone().unwrap_or_else(local) })
}

fn upstreams(all: Vec<raw::Upstream>) -> Result<Vec<Upstream>, ConfigError> {
    let none = all.is_empty();
    let used = all.into_iter().filter(|upstream| upstream.enabled && upstream.weight > 0);
    let mut used = used.map(upstream).collect::<Result<Vec<_>, _>>()?;
    if none {
        used.push(Upstream { route: Route::Direct { bind: Vec::new() }, weight: 1 });
    }
    if used.is_empty() { Err(ConfigError::new("every one of the [[upstreams]] is switched off")) } else { Ok(used) }
}

fn upstream(upstream: raw::Upstream) -> Result<Upstream, ConfigError> {
    let route = match upstream.kind {
        raw::UpstreamKind::Direct => Route::Direct { bind: upstream.bind_addresses },
        raw::UpstreamKind::Socks5 => Route::Socks5 {
            server: upstream.address.ok_or_else(|| ConfigError::new("a socks5 upstream needs an address"))?,
            credentials: upstream.username.map(|name| (name, upstream.password.unwrap_or_default())),
        },
    };
    Ok(Upstream { route, weight: upstream.weight })
}

fn users(access: raw::Access) -> Vec<UserRule> {
    let limit = |own: Option<&u64>, global: u64| {
        Some(own.copied().unwrap_or(0)).filter(|&n| n > 0).or(Some(global)).filter(|&most| most > 0)
    };
    let (each_conns, each_ips) = (access.user_max_tcp_conns_global_each, access.user_max_unique_ips_global_each);
    let (mut enabled, mut expirations) = (access.user_enabled.in_order(), access.user_expirations.in_order());
    let (mut conns, mut ips) = (access.user_max_tcp_conns.in_order(), access.user_max_unique_ips.in_order());
    let (mut quotas, mut denied) = (access.user_data_quota.in_order(), access.user_source_deny.in_order());
    let users = access.users.into_iter().map(|(name, secret)| UserRule {
        secret: secret.0,
        enabled: enabled(&name).copied().unwrap_or(true),
        max_connections: limit(conns(&name), each_conns),
        max_ips: limit(ips(&name), each_ips),
        quota: quotas(&name).copied(),
        expires: expirations(&name).map(|instant| instant.0),
        source_deny: denied(&name).into_iter().flatten().map(|source| source.0.trunc()).collect(),
        name,
    });
    users.collect()
}
