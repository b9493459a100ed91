//! Rules of telemt that restrict and that this server does not follow. They are named, because an operator who wrote one
//! relies on it.

use std::fmt;
use std::net::{AddrParseError, IpAddr};

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::raw;

/// What telemt does by default with the addresses of a user, as this server does.
const MODE: &str = "active_window";

/// Whether a value says anything: not if it is empty, `false` or 0.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Given(pub(super) bool);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Given, E> {
                Ok(Given(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Given, E> {
                Ok(Given(value != 0))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Given, E> {
                Ok(Given(value != 0.0))
            }

            fn visit_str<E>(self, value: &str) -> Result<Given, E> {
                Ok(Given(!value.trim().is_empty()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given, A::Error> {
                let mut given = false;
                while list.next_element::<Given>()?.is_some() {
                    given = true;
                }
                Ok(Given(given))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
                let mut given = false;
                while map.next_entry::<String, Given>()?.is_some() {
                    given = true;
                }
                Ok(Given(given))
            }
        }
        deserializer.deserialize_any(Anything)
    }
}

/// Names of the rules in `file` that are not followed, each once.
pub(super) fn ignored(file: &raw::File) -> Vec<&'static str> {
    let access = &file.access;
    let limiter = |listener: &raw::Listener| listener.synlimit.0;
    let upstream = |rule: fn(&raw::Upstream) -> bool| file.upstreams.iter().filter(|one| one.enabled).any(rule);
    let mode = access.user_max_unique_ips_mode.as_deref().unwrap_or(MODE);
    let rules = [
        ("access.user_rate_limits", access.user_rate_limits.0),
        ("access.cidr_rate_limits", access.cidr_rate_limits.0),
        ("access.user_max_unique_ips_mode", mode != MODE),
        ("server.listeners.synlimit", file.server.listeners.iter().any(limiter)),
        ("upstreams.scopes", upstream(|one| one.scopes.0)),
        ("upstreams.interface", upstream(|one| one.interface.0)),
        ("upstreams.bindtodevice", upstream(|one| one.bindtodevice.0)),
        ("upstreams.ipv4", upstream(|one| one.ipv4 == Some(false))),
        ("upstreams.ipv6", upstream(|one| one.ipv6 == Some(false))),
    ];
    rules.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
}

/// A network such as `192.0.2.0/24`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source(pub(super) IpNet);

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let network = text.parse().or_else(|_| text.parse().map(|ip: IpAddr| ip.into()));
        network.map(Self).map_err(|_: AddrParseError| D::Error::custom("must be an address or a network"))
    }
}

/// Longest name that clients accept in a `FakeTLS` link.
const DOMAIN_MAX: usize = 182;

/// Whether clients can use this masking domain.
pub(super) fn is_usable_domain(domain: &str) -> Result<(), &'static str> {
    if domain.is_empty() || !domain.is_ascii() || domain.contains(char::is_whitespace) {
        Err("censorship.tls_domain and tls_domains must be host names in ASCII")
    } else if domain.len() > DOMAIN_MAX {
        Err("censorship.tls_domain and tls_domains must have at most 182 characters; clients refuse longer ones")
    } else {
        Ok(())
    }
}
