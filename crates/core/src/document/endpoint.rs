//! What a file says of the address and the masking domain in links.

use toml_edit::{Document, Item, TableLike};

use super::{BOM, Layout};

/// What telemt serves when a file names no masking domain.
const DEFAULT_DOMAIN: &str = "petrovich.ru";

/// The keys of a file that have to agree with the links that users get. Text is as the file has it; `None` is absent or
/// of another type, which the proxy refuses by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEndpoint {
    /// `censorship.tls_domain`, in lower case; the proxy's default if the file has none.
    pub tls_domain: String,
    /// `censorship.tls_domains`, in lower case: domains that are served besides.
    pub tls_domains: Vec<String>,
    /// `general.links.public_host`.
    pub public_host: Option<String>,
    /// `general.links.public_port`.
    pub public_port: Option<i64>,
    /// Whether the built-in proxy listens on an IPv6 address with this file.
    pub listens_on_ipv6: bool,
}

impl Layout {
    /// Reads the keys from the text that the panel does not manage.
    pub fn endpoint(&self) -> FileEndpoint {
        if let Some(endpoint) = &self.with_includes {
            return endpoint.clone();
        }
        let text = [self.head.trim_start_matches(BOM), self.tail.as_str()].concat();
        // What a layout keeps was valid before; should it not be any more, nothing is known of the file.
        FileEndpoint::of(Document::parse(text.as_str()).ok().as_ref())
    }
}

impl FileEndpoint {
    pub(super) fn of(document: Option<&Document<&str>>) -> Self {
        let table = |name: &str| document?.get(name)?.as_table_like();
        let censorship = table("censorship");
        let links = table("general").and_then(|general| general.get("links")?.as_table_like());
        let domain = |item: &Item| item.as_str().map(str::to_ascii_lowercase);
        let domains = censorship.and_then(|table| table.get("tls_domains")?.as_array());
        Self {
            tls_domain: censorship
                .and_then(|table| domain(table.get("tls_domain")?))
                .unwrap_or_else(|| DEFAULT_DOMAIN.to_owned()),
            tls_domains: domains
                .into_iter()
                .flatten()
                .filter_map(|value| value.as_str().map(str::to_ascii_lowercase))
                .collect(),
            public_host: links.and_then(|links| links.get("public_host")?.as_str().map(str::to_owned)),
            public_port: links.and_then(|links| links.get("public_port")?.as_integer()),
            listens_on_ipv6: listens_on_ipv6(table("server")),
        }
    }
}

/// Without any address in the file the built-in proxy listens on both families; otherwise on those that are named.
fn listens_on_ipv6(server: Option<&dyn TableLike>) -> bool {
    let Some(server) = server else { return true };
    let is_ipv6 = |item: Option<&Item>| item.and_then(Item::as_str).is_some_and(|address| address.contains(':'));
    if let Some(listeners) = server.get("listeners").and_then(Item::as_array_of_tables) {
        return listeners.iter().any(|listener| is_ipv6(listener.get("ip")));
    }
    let [four, six] = ["listen_addr_ipv4", "listen_addr_ipv6"].map(|key| server.get(key));
    is_ipv6(six) || (four.is_none() && six.is_none())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn endpoint(text: &str) -> FileEndpoint {
        Layout::parse(text).unwrap().endpoint()
    }

    #[test]
    fn the_keys_are_found_before_and_behind_the_managed_tables() {
        let file = endpoint(
            "\u{feff}[general.links]\npublic_host = 'Old.example'\npublic_port = 8443\n[access.users]\n\
             \"alice\" = \"00112233445566778899aabbccddeeff\"\n[censorship]\ntls_domain = 'Mask.Example'\n\
             tls_domains = ['Second.example', 5]\n",
        );
        assert_eq!(file.tls_domain, "mask.example");
        assert_eq!(file.tls_domains, ["second.example"]);
        assert_eq!((file.public_host.as_deref(), file.public_port), (Some("Old.example"), Some(8443)));
    }

    #[test]
    fn inline_tables_and_dotted_keys_are_read_too() {
        let file = endpoint("censorship = { tls_domain = 'a.example' }\ngeneral.links.public_host = 'b.example'\n");
        assert_eq!((file.tls_domain.as_str(), file.public_host.as_deref()), ("a.example", Some("b.example")));
    }

    #[test]
    fn a_file_without_the_keys_serves_the_domain_that_telemt_has_by_default() {
        let file = endpoint("");
        assert_eq!((file.tls_domain.as_str(), file.public_host, file.public_port), (DEFAULT_DOMAIN, None, None));
    }

    #[rstest]
    #[case("", true)]
    #[case("[server]\nlisten_addr_ipv4 = '0.0.0.0'\n", false)]
    #[case("[server]\nlisten_addr_ipv4 = '0.0.0.0'\nlisten_addr_ipv6 = '::'\n", true)]
    #[case("[server]\nlisten_addr_ipv6 = '::'\n", true)]
    #[case("[server]\nlisten_addr_ipv6 = '::'\n[[server.listeners]]\nip = '0.0.0.0'\n", false)]
    #[case("[[server.listeners]]\nip = '0.0.0.0'\n[[server.listeners]]\nip = '2001:db8::1'\n", true)]
    fn the_families_are_those_of_the_listeners(#[case] text: &str, #[case] six: bool) {
        assert_eq!(endpoint(text).listens_on_ipv6, six);
    }
}
