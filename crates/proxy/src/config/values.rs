//! Types of values that several keys of the file have.

use std::fmt;
use std::net::{AddrParseError, IpAddr};

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Whether a value of any type is set: `false`, 0, and empty texts, lists and tables are not.
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
