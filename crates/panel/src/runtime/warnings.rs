//! Warnings: conditions that stop nothing and that the operator should know of. They are not stored: each source finds its
//! warnings again after a restart.

pub mod endpoint;
mod proxy;
pub mod settings;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use mtpannel_core::exposition::Gap;
pub use proxy::ProxyWarning;

/// Which part of the program finds a warning, and withdraws it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The start: settings alone.
    Settings,
    /// Config sync: what the file says.
    File,
    /// Config sync: copies of the file that it has kept.
    Copies,
    /// The scraper.
    Proxy,
    /// The scraper: whether traffic can be counted.
    Accounting,
}

/// How urgent a warning is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing; nothing is wrong.
    Info,
    /// Something does not work as the operator expects.
    Warning,
}

impl Level {
    /// Its name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
        }
    }
}

/// A warning with its values. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// Links name another masking domain than the one that the proxy serves.
    #[error(
        "TLS_DOMAIN is {settings}, but censorship.tls_domain in config.toml is {file}: links do not work. Make both the same and restart panel and proxy"
    )]
    TlsDomainDiffers {
        /// The setting.
        settings: String,
        /// What the file says.
        file: String,
    },
    /// Links name another host than `general.links.public_host` in the file. Links follow the setting.
    #[error(
        "PROXY_HOST is {settings}, but general.links.public_host in config.toml is {file}. Links name {settings}; make both the same"
    )]
    PublicHostDiffers {
        /// The setting.
        settings: String,
        /// What the file says.
        file: String,
    },
    /// Links name another port than `general.links.public_port` in the file. Links follow the setting.
    #[error(
        "PROXY_PORT is {settings}, but general.links.public_port in config.toml is {file}. Links name {settings}; make both the same"
    )]
    PublicPortDiffers {
        /// The setting.
        settings: String,
        /// What the file says.
        file: String,
    },
    /// Nearly every client can pretend to have another address.
    #[error(
        "TRUSTED_PROXIES contains {network}: nearly everybody can pretend to be another client, so bounds on logins and connections do not hold. Name only the addresses of your reverse proxies"
    )]
    TrustedProxiesTooWide {
        /// The network.
        network: String,
    },
    /// A stolen access token serves the thief for long.
    #[error("JWT_EXPIRE_MINUTES is {minutes}, more than a day: a stolen access token works for as long")]
    TokensLiveLong {
        /// The setting.
        minutes: String,
    },
    /// Passwords cross the network in the clear.
    #[error(
        "LISTEN is {listen}: the panel speaks plain HTTP, so passwords can be read on the way. Set LISTEN=127.0.0.1:8080 and put a reverse proxy with HTTPS in front"
    )]
    PlainHttpIsPublic {
        /// The setting.
        listen: String,
    },
    /// Links name an IPv6 address, and the built-in proxy listens on IPv4 alone.
    #[error(
        "PROXY_HOST is the IPv6 address {settings}, but the proxy listens on IPv4 only: links do not work. Set listen_addr_ipv6 = \"::\" under [server] in config.toml and restart the proxy"
    )]
    NoIpv6Listener {
        /// The setting.
        settings: String,
    },
    /// Somebody else has changed users in the file, and the panel has overwritten that.
    #[error(
        "users in config.toml were changed outside the panel, and the panel has written over it. The former file is {copy}: make the changes in the panel, then delete it"
    )]
    FileChangesReplaced {
        /// Path of the copy.
        copy: String,
    },
    /// The proxy's metrics show that users have counters, and not those that are needed.
    #[error("{}", Gap::Missing { missing, shown })]
    CountersMissing {
        /// Metric that is missing.
        missing: &'static str,
        /// Metric that is there.
        shown: &'static str,
    },
    /// The operator has switched the proxy's counters of users off.
    #[error("{}", Gap::SwitchedOff)]
    CountersSwitchedOff,
    /// The proxy is newer than all versions that the panel was checked with.
    #[error("the proxy is telemt {version}; this panel was not checked with it. Watch whether traffic is counted")]
    ProxyVersionUntested {
        /// Version of the proxy.
        version: String,
    },
    /// The built-in proxy says that something does not work.
    #[error(transparent)]
    Proxy(ProxyWarning),
}

impl From<&Gap> for Warning {
    fn from(gap: &Gap) -> Self {
        match *gap {
            Gap::SwitchedOff => Self::CountersSwitchedOff,
            Gap::Missing { missing, shown } => Self::CountersMissing { missing, shown },
        }
    }
}

impl Warning {
    /// The codes of what the panel itself finds out.
    const OWN_CODES: [&'static str; 11] = [
        "tls_domain_differs",
        "public_host_differs",
        "public_port_differs",
        "no_ipv6_listener",
        "trusted_proxies_too_wide",
        "tokens_live_long",
        "plain_http_is_public",
        "file_changes_replaced",
        "counters_missing",
        "counters_switched_off",
        "proxy_version_untested",
    ];

    /// Every code.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        Self::OWN_CODES.into_iter().chain(ProxyWarning::CODES)
    }

    /// Its name in answers and metrics. It does not change between versions.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TlsDomainDiffers { .. } => "tls_domain_differs",
            Self::PublicHostDiffers { .. } => "public_host_differs",
            Self::PublicPortDiffers { .. } => "public_port_differs",
            Self::NoIpv6Listener { .. } => "no_ipv6_listener",
            Self::TrustedProxiesTooWide { .. } => "trusted_proxies_too_wide",
            Self::TokensLiveLong { .. } => "tokens_live_long",
            Self::PlainHttpIsPublic { .. } => "plain_http_is_public",
            Self::FileChangesReplaced { .. } => "file_changes_replaced",
            Self::CountersMissing { .. } => "counters_missing",
            Self::CountersSwitchedOff => "counters_switched_off",
            Self::ProxyVersionUntested { .. } => "proxy_version_untested",
            Self::Proxy(warning) => warning.code(),
        }
    }

    /// How urgent it is.
    pub const fn level(&self) -> Level {
        match self {
            Self::ProxyVersionUntested { .. } => Level::Info,
            _ => Level::Warning,
        }
    }

    /// Whether links that were given out do not work.
    pub const fn breaks_links(&self) -> bool {
        matches!(self, Self::TlsDomainDiffers { .. } | Self::NoIpv6Listener { .. })
    }

    /// Its values by name, for texts in other languages.
    pub fn params(&self) -> BTreeMap<&'static str, String> {
        let params: &[(&'static str, &str)] = match self {
            Self::TlsDomainDiffers { settings, file }
            | Self::PublicHostDiffers { settings, file }
            | Self::PublicPortDiffers { settings, file } => &[("settings", settings), ("file", file)],
            Self::NoIpv6Listener { settings } => &[("settings", settings)],
            Self::TrustedProxiesTooWide { network } => &[("network", network)],
            Self::TokensLiveLong { minutes } => &[("minutes", minutes)],
            Self::PlainHttpIsPublic { listen } => &[("listen", listen)],
            Self::FileChangesReplaced { copy } => &[("copy", copy)],
            Self::CountersMissing { missing, shown } => &[("missing", missing), ("shown", shown)],
            Self::CountersSwitchedOff => &[],
            Self::ProxyVersionUntested { version } => &[("version", version)],
            Self::Proxy(warning) => {
                return warning.param().map(|(name, value)| (name, value.to_owned())).into_iter().collect();
            }
        };
        params.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }
}

/// The warnings in force.
#[derive(Debug, Default)]
pub struct Warnings(Mutex<BTreeMap<Source, Vec<Warning>>>);

impl Warnings {
    /// Replaces all warnings of `source` by these. Those that are new are logged once.
    pub fn replace(&self, source: Source, warnings: Vec<Warning>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.insert(source, Vec::new()).unwrap_or_default();
        for warning in warnings.iter().filter(|warning| !before.contains(warning)) {
            match warning.level() {
                Level::Info => tracing::info!(code = warning.code(), "{warning}"),
                Level::Warning => tracing::warn!(code = warning.code(), "{warning}"),
            }
        }
        all.insert(source, warnings);
    }

    /// All of them, by source.
    pub fn all(&self) -> Vec<Warning> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().flatten().cloned().collect()
    }
}
