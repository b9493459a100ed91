//! The first `config.toml`, where there is none.

use std::net::{IpAddr, SocketAddr};

use toml_edit::{Array, DocumentMut, value};

use crate::link::MaskDomain;

/// The file for a proxy behind a router: it listens on port 1234 and shows its metrics to private networks, in one of
/// which the panel's container is. `install.sh` fills it in by itself where only telemt is installed.
const TEXT: &str = include_str!("template.toml");

/// What differs between installations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template<'a> {
    /// Host name or address in the proxy's links.
    pub public_host: &'a str,
    /// Port in the proxy's links.
    pub public_port: u16,
    /// Domain that the proxy pretends to be.
    pub mask_domain: &'a MaskDomain,
    /// The router that connections come through and that names the client in the PROXY protocol.
    pub router: Option<IpAddr>,
    /// Where a proxy without a router listens.
    pub direct: Option<Direct>,
}

/// Where a proxy listens that clients reach without a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Direct {
    /// Port of all addresses.
    pub port: u16,
    /// Address and port of the metrics, which only this machine may read.
    pub metrics: SocketAddr,
}

impl<'a> Template<'a> {
    /// A template for a proxy in a container of its own.
    pub const fn new(public_host: &'a str, public_port: u16, mask_domain: &'a MaskDomain) -> Self {
        Self { public_host, public_port, mask_domain, router: None, direct: None }
    }

    /// The text of a whole `config.toml` without managed tables; [`crate::document::Layout`] adds those. The proxy's
    /// control API answers on loopback only, for its health check, and changes nothing: it would rewrite this file.
    pub fn text(&self) -> String {
        let Ok(mut file) = TEXT.parse::<DocumentMut>() else { unreachable!("the template is valid TOML") };
        file["general"]["links"]["public_host"] = value(self.public_host);
        file["general"]["links"]["public_port"] = value(i64::from(self.public_port));
        file["censorship"]["tls_domain"] = value(self.mask_domain.as_str());
        let server = &mut file["server"];
        if let Some(Direct { port, metrics }) = self.direct {
            server["port"] = value(i64::from(port));
            server["metrics_listen"] = value(metrics.to_string());
            server["metrics_whitelist"] = value(Array::from_iter(["127.0.0.0/8", "::1/128"]));
        }
        if let Some(router) = self.router {
            let network = format!("{router}/{}", if router.is_ipv4() { 32 } else { 128 });
            server["proxy_protocol"] = value(true);
            server["proxy_protocol_trusted_cidrs"] = value(Array::from_iter([network]));
            if let Some(mut key) = server.as_table_mut().and_then(|server| server.key_mut("proxy_protocol")) {
                key.leaf_decor_mut().set_prefix("# The router names the client; nobody else is believed.\n");
            }
        }
        file.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Layout, read_users};

    fn domain() -> MaskDomain {
        "mask.example".parse().unwrap()
    }

    #[test]
    fn the_template_is_a_file_without_users_that_takes_the_managed_tables() {
        let domain = domain();
        let text = Template::new("proxy.example.com", 443, &domain).text();
        assert!(Layout::parse(&text).is_ok());
        assert_eq!(read_users(&text), Ok(vec![]));
        let document: DocumentMut = text.parse().unwrap();
        assert_eq!(document["general"]["links"]["public_host"].as_str(), Some("proxy.example.com"));
        assert_eq!(document["general"]["links"]["public_port"].as_integer(), Some(443));
        assert!(document["general"]["links"]["show"].as_array().unwrap().is_empty());
        assert_eq!(document["censorship"]["tls_domain"].as_str(), Some("mask.example"));
        assert_eq!(document["server"]["port"].as_integer(), Some(1234));
        assert_eq!(document["server"]["listen_addr_ipv4"].as_str(), Some("0.0.0.0"));
        assert_eq!(document["server"]["listen_addr_ipv6"].as_str(), Some("::"));
        assert_eq!(document["server"]["metrics_listen"].as_str(), Some("0.0.0.0:9090"));
        assert_eq!(document["server"]["metrics_whitelist"].as_array().unwrap().len(), 6);
        assert_eq!(document["access"]["replay_check_len"].as_integer(), Some(65536));
        assert_eq!(document["access"]["replay_window_secs"].as_integer(), Some(120));
        assert_eq!(document["access"]["ignore_time_skew"].as_bool(), Some(false));
    }

    #[test]
    fn all_but_what_is_given_is_the_text_of_the_template_file() {
        assert_eq!(Template::new("proxy.example", 443, &domain()).text(), TEXT);
    }

    #[test]
    fn what_the_operator_gives_is_quoted() {
        let domain = domain();
        let direct = Direct { port: 8443, metrics: "[::1]:9090".parse().unwrap() };
        let template = Template { direct: Some(direct), ..Template::new("a\"b\\c\nd", 8443, &domain) };
        let document: DocumentMut = template.text().parse().unwrap();
        assert_eq!(document["general"]["links"]["public_host"].as_str(), Some("a\"b\\c\nd"));
        assert_eq!(document["general"]["links"]["public_port"].as_integer(), Some(8443));
        assert_eq!(document["server"]["port"].as_integer(), Some(8443));
        assert_eq!(document["server"]["metrics_listen"].as_str(), Some("[::1]:9090"));
        let networks: Vec<_> = document["server"]["metrics_whitelist"].as_array().unwrap().iter().collect();
        assert_eq!(
            networks.iter().map(|network| network.as_str().unwrap()).collect::<Vec<_>>(),
            ["127.0.0.0/8", "::1/128"]
        );
    }

    #[test]
    fn only_the_router_may_name_the_client() {
        let domain = domain();
        let with = |router: &str| {
            let template = Template::new("proxy.example", 443, &domain);
            Template { router: Some(router.parse().unwrap()), ..template }.text()
        };
        let lines = |network: &str| {
            format!(
                "fc00::/7\"]\n# The router names the client; nobody else is believed.\nproxy_protocol = true\nproxy_protocol_trusted_cidrs = [\"{network}\"]\n\n# Loopback"
            )
        };
        for (router, network) in [("172.29.43.2", "172.29.43.2/32"), ("2001:db8::1", "2001:db8::1/128")] {
            assert!(with(router).contains(&lines(network)), "{}", with(router));
        }
    }
}
