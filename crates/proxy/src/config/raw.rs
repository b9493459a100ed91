//! `config.toml` as it is written: its keys, with the defaults of telemt 3.4.25 (docs/contract-telemt.md, "config.toml").

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use mtpannel_core::user::Secret;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::value::Datetime;

use super::table::Table;
use super::values::{Given, Source};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct File {
    pub(super) general: General,
    pub(super) network: Network,
    pub(super) server: Server,
    pub(super) timeouts: Timeouts,
    pub(super) censorship: Censorship,
    pub(super) upstreams: Vec<Upstream>,
    pub(super) dc_overrides: HashMap<DcKey, OneOrMany>,
    pub(super) default_dc: Option<i16>,
    pub(super) access: Access,
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct General {
    pub(super) modes: Modes,
    /// Seconds for one attempt to reach a data centre.
    pub(super) tg_connect: u64,
}

impl Default for General {
    fn default() -> Self {
        Self { modes: Modes::default(), tg_connect: 10 }
    }
}

/// The kinds of clients that are served (`general.modes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Modes {
    /// Obfuscated without padding, without TLS.
    pub classic: bool,
    /// Obfuscated with padding (`dd`), without TLS.
    pub secure: bool,
    /// `FakeTLS` (`ee`).
    pub tls: bool,
}

impl Default for Modes {
    fn default() -> Self {
        Self { classic: false, secure: false, tls: true }
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Network {
    pub(super) ipv4: bool,
    pub(super) ipv6: Option<bool>,
    pub(super) prefer: u8,
}

impl Default for Network {
    fn default() -> Self {
        Self { ipv4: true, ipv6: None, prefer: 4 }
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) listen_addr_ipv4: Option<IpAddr>,
    pub(super) listen_addr_ipv6: Option<IpAddr>,
    pub(super) listeners: Vec<Listener>,
    pub(super) proxy_protocol: bool,
    pub(super) proxy_protocol_header_timeout_ms: u64,
    pub(super) proxy_protocol_trusted_cidrs: Option<Vec<IpNet>>,
    pub(super) max_connections: u32,
    pub(super) metrics_port: Option<u16>,
    pub(super) metrics_listen: Option<SocketAddr>,
    pub(super) metrics_whitelist: Option<Vec<IpNet>>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            port: 443,
            listen_addr_ipv4: None,
            listen_addr_ipv6: None,
            listeners: Vec::new(),
            proxy_protocol: false,
            proxy_protocol_header_timeout_ms: 500,
            proxy_protocol_trusted_cidrs: None,
            max_connections: 10_000,
            metrics_port: None,
            metrics_listen: None,
            metrics_whitelist: None,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Listener {
    pub(super) ip: IpAddr,
    pub(super) port: Option<u16>,
    pub(super) proxy_protocol: Option<bool>,
    #[serde(default)]
    pub(super) synlimit: Given,
}

#[derive(Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "as the file calls them")]
pub(super) struct Timeouts {
    /// Longest time for a handshake, in seconds.
    pub(super) client_handshake: u64,
    /// Seconds between keep-alive probes of the kernel; 0 switches them off.
    pub(super) client_keepalive: u64,
    /// Longest time until bytes that were sent are acknowledged, in seconds.
    pub(super) client_ack: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { client_handshake: 60, client_keepalive: 15, client_ack: 90 }
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Censorship {
    pub(super) tls_domain: String,
    pub(super) tls_domains: Vec<String>,
    pub(super) mask: bool,
    pub(super) mask_dynamic: bool,
    pub(super) mask_host: Option<String>,
    pub(super) mask_port: u16,
    pub(super) unknown_sni_action: UnknownSni,
    pub(super) fake_cert_len: usize,
    pub(super) mask_relay_max_bytes: usize,
    pub(super) mask_relay_timeout_ms: Option<u64>,
    pub(super) mask_relay_idle_timeout_ms: Option<u64>,
}

impl Default for Censorship {
    fn default() -> Self {
        Self {
            tls_domain: "petrovich.ru".to_owned(),
            tls_domains: Vec::new(),
            mask: true,
            mask_dynamic: true,
            mask_host: None,
            mask_port: 443,
            unknown_sni_action: UnknownSni::default(),
            fake_cert_len: 2048,
            mask_relay_max_bytes: 5 << 20,
            mask_relay_timeout_ms: None,
            mask_relay_idle_timeout_ms: None,
        }
    }
}

/// What happens to a TLS client that does not name a masking domain (`censorship.unknown_sni_action`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownSni {
    /// The connection is closed.
    Drop,
    /// The connection is relayed to the masked site, like any other visitor.
    #[default]
    Mask,
    /// The client is served if its secret is valid.
    Accept,
    /// The client gets the alert `unrecognized_name` (RFC 6066, section 3), as from a server that rejects unknown names.
    RejectHandshake,
}

#[derive(Deserialize)]
pub(super) struct Upstream {
    #[serde(rename = "type")]
    pub(super) kind: UpstreamKind,
    #[serde(default = "one")]
    pub(super) weight: u16,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) bind_addresses: Vec<IpAddr>,
    pub(super) address: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    #[serde(default)]
    pub(super) scopes: Given,
    #[serde(default)]
    pub(super) interface: Given,
    #[serde(default, alias = "force_bind")]
    pub(super) bindtodevice: Given,
    pub(super) ipv4: Option<bool>,
    pub(super) ipv6: Option<bool>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum UpstreamKind {
    Direct,
    Socks5,
}

const fn one() -> u16 {
    1
}

const fn yes() -> bool {
    true
}

/// The index of a data centre, a key such as `"-4"`.
#[derive(PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct DcKey(pub(super) i16);

impl TryFrom<String> for DcKey {
    type Error = &'static str;

    fn try_from(key: String) -> Result<Self, Self::Error> {
        key.parse().map(Self).map_err(|_| "a data centre must be a number such as \"2\" or \"-4\"")
    }
}

/// One `address:port` or a list of them.
pub(super) struct OneOrMany(pub(super) Vec<SocketAddr>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Addresses;
        impl<'de> Visitor<'de> for Addresses {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"address:port\" or a list of them")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<OneOrMany, E> {
                let address = text.parse().map_err(|_| E::custom("must be \"address:port\""))?;
                Ok(OneOrMany(vec![address]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut addresses = Vec::new();
                while let Some(address) = list.next_element()? {
                    addresses.push(address);
                }
                Ok(OneOrMany(addresses))
            }
        }
        deserializer.deserialize_any(Addresses)
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct Access {
    pub(super) users: Table<SecretText>,
    pub(super) user_enabled: Table<bool>,
    pub(super) user_max_tcp_conns: Table<u64>,
    pub(super) user_max_tcp_conns_global_each: u64,
    pub(super) user_expirations: Table<Instant>,
    pub(super) user_data_quota: Table<u64>,
    pub(super) user_max_unique_ips: Table<u64>,
    pub(super) user_max_unique_ips_global_each: u64,
    pub(super) user_max_unique_ips_mode: Option<String>,
    pub(super) user_source_deny: Table<Vec<Source>>,
    pub(super) user_rate_limits: Given,
    pub(super) cidr_rate_limits: Given,
    pub(super) replay_check_len: usize,
    pub(super) replay_window_secs: u64,
    pub(super) ignore_time_skew: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            users: Table::default(),
            user_enabled: Table::default(),
            user_max_tcp_conns: Table::default(),
            user_max_tcp_conns_global_each: 0,
            user_expirations: Table::default(),
            user_data_quota: Table::default(),
            user_max_unique_ips: Table::default(),
            user_max_unique_ips_global_each: 0,
            user_max_unique_ips_mode: None,
            user_source_deny: Table::default(),
            user_rate_limits: Given::default(),
            cidr_rate_limits: Given::default(),
            replay_check_len: 65_536,
            replay_window_secs: 120,
            ignore_time_skew: false,
        }
    }
}

impl Access {
    /// Adds the users' tables of `other`, whose entries replace those of the same name.
    pub(super) fn extend(&mut self, other: Self) {
        self.users.extend(other.users);
        self.user_enabled.extend(other.user_enabled);
        self.user_max_tcp_conns.extend(other.user_max_tcp_conns);
        self.user_expirations.extend(other.user_expirations);
        self.user_data_quota.extend(other.user_data_quota);
        self.user_max_unique_ips.extend(other.user_max_unique_ips);
    }
}

/// A secret in hexadecimal digits. Errors never quote the value.
pub(super) struct SecretText(pub(super) Secret);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = SecretText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("32 hex digits in quotes")
            }

            fn visit_str<E: Error>(self, digits: &str) -> Result<SecretText, E> {
                digits.parse().map(SecretText).map_err(|_| E::custom("a secret must be 32 hex digits"))
            }
        }
        deserializer.deserialize_str(Digits).map_err(|_| D::Error::custom("a secret must be 32 hex digits in quotes"))
    }
}

/// A date and time with an offset (RFC 3339), as a string or as a native value of TOML.
pub(super) struct Instant(pub(super) DateTime<Utc>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rfc3339;
        impl<'de> Visitor<'de> for Rfc3339 {
            type Value = Instant;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date and time with an offset, such as 2030-01-01T00:00:00Z")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Instant, E> {
                let parsed = DateTime::parse_from_rfc3339(text);
                let instant = parsed.map_err(|_| E::custom("must be a date and time with an offset (RFC 3339)"))?;
                Ok(Instant(instant.with_timezone(&Utc)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Instant, A::Error> {
                let native = Datetime::deserialize(MapAccessDeserializer::new(map))?;
                self.visit_str(&native.to_string())
            }
        }
        deserializer.deserialize_any(Rfc3339)
    }
}
