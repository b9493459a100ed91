//! The file that a first start writes where there is none.

use toml_edit::Value;

use crate::access::Table;
use crate::link::MaskDomain;

/// Networks that may read the proxy's metrics by default: the machine itself and private networks, in one of which the
/// panel's container is.
pub const PRIVATE_NETWORKS: [&str; 6] =
    ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// What differs between installations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template<'a> {
    /// Host name or address in the proxy's links.
    pub public_host: &'a str,
    /// Port in the proxy's links.
    pub public_port: u16,
    /// Domain that the proxy pretends to be.
    pub mask_domain: &'a MaskDomain,
    /// Port on which the proxy itself listens.
    pub listen_port: u16,
    /// Address and port of the metrics.
    pub metrics_listen: &'a str,
    /// Networks, as `address/length`, that may read them; an empty list lets everyone.
    pub metrics_whitelist: &'a [&'a str],
}

impl<'a> Template<'a> {
    /// A template for a proxy behind a router: it listens on port 1234, with metrics on port 9090 of all addresses, open
    /// to [`PRIVATE_NETWORKS`].
    pub const fn new(public_host: &'a str, public_port: u16, mask_domain: &'a MaskDomain) -> Self {
        let (metrics_listen, metrics_whitelist) = ("0.0.0.0:9090", &PRIVATE_NETWORKS);
        Self { public_host, public_port, mask_domain, listen_port: 1234, metrics_listen, metrics_whitelist }
    }

    /// The text of a whole `config.toml` without managed tables; [`crate::document::Layout`] adds those. The proxy's
    /// control API answers on loopback only, for its health check, and changes nothing: it would rewrite this file.
    pub fn text(&self) -> String {
        let tables = Table::ALL.map(Table::key).join(", ");
        let whitelist = self.metrics_whitelist.iter().map(|network| quoted(network)).collect::<Vec<_>>().join(", ");
        format!(
            r#"# Configuration of the proxy. mtpannel rewrites the tables of users and their limits under [access]:
# {tables}.
# Everything else, with its comments, is yours and stays as you leave it.

[general]
log_level = "normal"

[general.modes]
classic = false
secure = false
tls = true

# The panel shows the links; the proxy keeps them out of its log.
[general.links]
show = []
public_host = {host}
public_port = {port}

[server]
port = {listen_port}
listen_addr_ipv4 = "0.0.0.0"
listen_addr_ipv6 = "::"
max_connections = 10000
metrics_listen = {metrics}
metrics_whitelist = [{whitelist}]

# Loopback and read-only: the proxy's own control API rewrites this file.
[server.api]
enabled = true
listen = "127.0.0.1:9091"
whitelist = ["127.0.0.0/8"]
read_only = true

[censorship]
tls_domain = {domain}
mask = true
mask_port = 443
tls_emulation = true
tls_front_dir = "tlsfront"

[timeouts]
client_handshake = 60
client_keepalive = 15
client_ack = 90

[[upstreams]]
type = "direct"
weight = 1
enabled = true

[access]
replay_check_len = 65536
replay_window_secs = 120
ignore_time_skew = false
"#,
            host = quoted(self.public_host),
            port = self.public_port,
            listen_port = self.listen_port,
            metrics = quoted(self.metrics_listen),
            domain = quoted(self.mask_domain.as_str()),
        )
    }
}

/// A TOML string, with what needs an escape escaped.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Layout, read_users};
    use toml_edit::DocumentMut;

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
        assert_eq!(document["server"]["metrics_whitelist"].as_array().unwrap().len(), PRIVATE_NETWORKS.len());
        assert_eq!(document["access"]["replay_check_len"].as_integer(), Some(65536));
        assert_eq!(document["access"]["replay_window_secs"].as_integer(), Some(120));
        assert_eq!(document["access"]["ignore_time_skew"].as_bool(), Some(false));
    }

    #[test]
    fn what_the_operator_gives_is_quoted() {
        let domain = domain();
        let template = Template {
            metrics_listen: "[::1]:9090",
            metrics_whitelist: &["10.0.0.0/8"],
            ..Template::new("a\"b\\c\nd", 8443, &domain)
        };
        let document: DocumentMut = template.text().parse().unwrap();
        assert_eq!(document["general"]["links"]["public_host"].as_str(), Some("a\"b\\c\nd"));
        assert_eq!(document["general"]["links"]["public_port"].as_integer(), Some(8443));
        assert_eq!(document["server"]["metrics_listen"].as_str(), Some("[::1]:9090"));
        let networks: Vec<_> = document["server"]["metrics_whitelist"].as_array().unwrap().iter().collect();
        assert_eq!(networks[0].as_str(), Some("10.0.0.0/8"));
        assert_eq!(networks.len(), 1);
    }
}
