//! What the built-in proxy says that does not work.

use mtpannel_core::exposition::Trouble;

/// One thing that does not work. Its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyWarning {
    /// A rule of the file that restricts is not followed.
    #[error(
        "config.toml holds {0}, a rule that the built-in proxy does not follow: it restricts nobody. Remove it, or use telemt"
    )]
    RuleIgnored(String),
    /// Neither IPv4 nor IPv6 may be used.
    #[error(
        "network.ipv4 and network.ipv6 are both false in config.toml: no data centre can be reached. Switch one on"
    )]
    NoAddressFamily,
    /// Clients ask for a data centre that the proxy does not know.
    #[error(
        "clients ask for data centre {0}, which the proxy does not know; they are refused. Name its address in [dc_overrides]"
    )]
    DcUnknown(String),
    /// A data centre was not reached.
    #[error("data centre {0} is not reached. Check the network, and [[upstreams]] in config.toml")]
    DcUnreachable(String),
    /// An upstream refuses the login.
    #[error("the SOCKS5 server {0} refuses the login. Correct username and password of [[upstreams]], and restart")]
    UpstreamLogin(String),
    /// An upstream was not reached.
    #[error("the SOCKS5 server {0} is not reached. Start it, or correct its address in [[upstreams]]")]
    UpstreamUnreachable(String),
    /// Most right clients have another time.
    #[error("most clients have another time than the proxy's server and are refused. Set the clock of the server")]
    ClockWrong,
}

impl ProxyWarning {
    /// Every code.
    pub const CODES: [&'static str; 7] = [
        "rule_ignored",
        "no_address_family",
        "dc_unknown",
        "dc_unreachable",
        "upstream_login",
        "upstream_unreachable",
        "clock_wrong",
    ];

    /// What the proxy says, if this panel knows the code.
    pub fn read(Trouble { code, subject }: &Trouble) -> Option<Self> {
        let subject = subject.clone();
        Some(match code.as_str() {
            "rule_ignored" => Self::RuleIgnored(subject),
            "no_address_family" => Self::NoAddressFamily,
            "dc_unknown" => Self::DcUnknown(subject),
            "dc_unreachable" => Self::DcUnreachable(subject),
            "upstream_login" => Self::UpstreamLogin(subject),
            "upstream_unreachable" => Self::UpstreamUnreachable(subject),
            "clock_wrong" => Self::ClockWrong,
            _ => return None,
        })
    }

    /// Its name in answers and metrics: the one that the proxy uses.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RuleIgnored(_) => "rule_ignored",
            Self::NoAddressFamily => "no_address_family",
            Self::DcUnknown(_) => "dc_unknown",
            Self::DcUnreachable(_) => "dc_unreachable",
            Self::UpstreamLogin(_) => "upstream_login",
            Self::UpstreamUnreachable(_) => "upstream_unreachable",
            Self::ClockWrong => "clock_wrong",
        }
    }

    /// What it is about, by name.
    pub fn param(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::RuleIgnored(rule) => Some(("rule", rule)),
            Self::DcUnknown(dc) | Self::DcUnreachable(dc) => Some(("dc", dc)),
            Self::UpstreamLogin(server) | Self::UpstreamUnreachable(server) => Some(("server", server)),
            Self::NoAddressFamily | Self::ClockWrong => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_proxy_is_read_and_keeps_its_name() {
        for code in ProxyWarning::CODES {
            let trouble = Trouble { code: code.to_owned(), subject: "x".to_owned() };
            assert_eq!(ProxyWarning::read(&trouble).unwrap().code(), code);
        }
        assert_eq!(ProxyWarning::read(&Trouble { code: "newer".to_owned(), subject: String::new() }), None);
    }
}
