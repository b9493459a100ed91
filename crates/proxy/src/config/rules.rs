//! Restrictions of telemt that this server does not apply. They are reported, because an operator who wrote one relies on
//! it.

use super::raw;

/// How telemt counts the addresses of a user by default. This server knows only this mode.
const MODE: &str = "active_window";

/// The keys of the restrictions in `file` that are not applied, each once.
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

/// Longest masking domain that clients accept in a FakeTLS link, in characters.
const DOMAIN_MAX: usize = 182;

/// Checks that clients can use this masking domain; says what is wrong if they cannot.
pub(super) fn check_domain(domain: &str) -> Result<(), &'static str> {
    if domain.is_empty() || !domain.is_ascii() || domain.contains(char::is_whitespace) {
        Err("censorship.tls_domain and tls_domains must be host names in ASCII")
    } else if domain.len() > DOMAIN_MAX {
        Err("censorship.tls_domain and tls_domains must have at most 182 characters; clients refuse longer ones")
    } else {
        Ok(())
    }
}
