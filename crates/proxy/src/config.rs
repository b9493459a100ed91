//! Reads `config.toml` into a typed [`Config`] (docs/contract-telemt.md, "config.toml").
//!
//! An invalid value refuses the whole file, with line and column. A key that this server does not know is only listed in
//! [`Config::ignored`].

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

/// All settings of the file that this server knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The kinds of clients that are served.
    pub modes: Modes,
    /// The addresses on which clients are accepted.
    pub listeners: Vec<Listener>,
    /// Networks whose PROXY headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Longest wait for a PROXY header.
    pub proxy_header_timeout: Duration,
    /// Most connections that may be open at once; `None` is no limit.
    pub max_connections: Option<u32>,
    /// Where metrics are served, if they are.
    pub metrics: Option<MetricsEndpoint>,
    /// The masked site, which visitors see.
    pub masking: Masking,
    /// Timeouts of connections.
    pub timeouts: Timeouts,
    /// The routes to the data centres; never empty.
    pub upstreams: Vec<Upstream>,
    /// The addresses of the data centres.
    pub data_centres: DataCentres,
    /// How replayed hellos are recognised.
    pub replay: Replay,
    /// The users, sorted by name; never empty. Only they are applied without a restart.
    pub users: Vec<UserRule>,
    /// Keys in the file that this server does not use.
    pub ignored: Ignored,
    /// Restrictions in the file that this server does not apply.
    pub rules_ignored: Vec<&'static str>,
}

/// Keys that this server does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored {
    /// The first 64, such as `general.log_level`.
    pub keys: Vec<String>,
    /// Number of further keys.
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
    /// Networks that may read; empty means everybody (docs/contract-telemt.md, trap 12).
    pub whitelist: Vec<IpNet>,
}

/// What visitors see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masking {
    /// Whether visitors are relayed; if not, they are closed.
    pub enabled: bool,
    /// The masking domains, in lower case; the first is `tls_domain`.
    pub domains: Vec<String>,
    /// Whether a client that names one of [`Masking::domains`] is relayed to that name (`mask_dynamic`).
    pub by_sni: bool,
    /// Host of the masked site, if it is not the masking domain itself.
    pub host: Option<String>,
    /// Port of the masked site.
    pub port: u16,
    /// What happens to clients that name another domain.
    pub unknown_sni: UnknownSni,
    /// Bytes in the first application record of the answer to a hello (`fake_cert_len`).
    pub first_record: usize,
    /// Most bytes that a visitor and the site may send each other in each direction (`mask_relay_max_bytes`).
    pub relay_bytes: usize,
    /// How long a visit may last (`mask_relay_timeout_ms`).
    pub relay_time: Duration,
    /// How long a visitor and the site may both be silent (`mask_relay_idle_timeout_ms`).
    pub relay_idle: Duration,
}

/// Timeouts of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Longest time for a whole handshake.
    pub handshake: Duration,
    /// Time between keep-alive probes of the kernel; `None` switches them off.
    pub keepalive: Option<Duration>,
    /// Longest time until bytes that were sent are acknowledged.
    pub ack: Duration,
    /// Longest time for one attempt to reach a data centre.
    pub connect: Duration,
}

/// A route to the data centres, with its weight.
#[derive(Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The route.
    pub route: Route,
    /// How often the route is used, relative to the others.
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
    /// By a direct connection, from one of these addresses if there is one of the same family.
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

/// The addresses of the data centres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataCentres {
    /// Addresses that replace those of the public table.
    pub overrides: HashMap<i16, Vec<SocketAddr>>,
    /// The data centre that serves unknown indexes; without it they are refused.
    pub default: Option<i16>,
    /// Whether IPv4 is used.
    pub ipv4: bool,
    /// Whether IPv6 is used.
    pub ipv6: bool,
    /// Whether IPv6 is tried first.
    pub prefer_ipv6: bool,
}

/// How replayed hellos are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// Most hellos that are remembered.
    pub capacity: usize,
    /// Shortest time for which each is remembered.
    pub window: Duration,
    /// Whether the time in a hello is not checked.
    pub ignore_time_skew: bool,
}

/// The entries of one user in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRule {
    /// The user's name. It need not follow the panel's rules for names.
    pub name: String,
    /// The user's secret.
    pub secret: Secret,
    /// Whether the user is served.
    pub enabled: bool,
    /// Most connections at once.
    pub max_connections: Option<u64>,
    /// Most addresses at once.
    pub max_ips: Option<u64>,
    /// Most bytes in both directions together; 0 blocks the user (docs/contract-telemt.md, trap 5).
    pub quota: Option<u64>,
    /// When the user expires.
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
    /// Parses the text of `config.toml`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
        let short = bulk::split(bare).and_then(|(rest, access)| Self::parse_toml(&rest, access).ok());
        short.map_or_else(|| Self::parse_toml(bare, raw::Access::default()), Ok)
    }

    /// Parses `config.toml` with the files that it includes. Errors name the file and line.
    pub fn parse_source(source: &Source) -> Result<Self, ConfigError> {
        Self::parse(source.text()).map_err(|error| match error.position {
            Some((line, column)) if !source.included().is_empty() => error.at(source.place_of_line(line), column),
            _ => error,
        })
    }

    /// Parses TOML; `taken` are users' tables that were read before ([`bulk`]).
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

    /// The settings that need a restart, for comparison: without users and unknown keys.
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
            trusted_proxies: file.server.proxy_protocol_trusted_cidrs.unwrap_or_else(all_networks),
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

fn all_networks() -> Vec<IpNet> {
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
        // Both families, as in telemt.
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
