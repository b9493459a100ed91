//! Whether links lead to a proxy that serves them: the settings against what the proxy's file says.
//!
//! Links follow the settings, the proxy follows its file, and neither changes the other.

use mtpannel_core::document::FileEndpoint;
use mtpannel_core::link::{Endpoint, Host};

use super::Warning;
use crate::settings::{ProxyKind, ProxySettings};

/// Everything in which the file differs from the settings.
pub fn differences(settings: &ProxySettings, file: &FileEndpoint) -> Vec<Warning> {
    let Endpoint { host, port, domain } = &settings.endpoint;
    let mut warnings = Vec::new();
    let is_served = file.tls_domain == domain.as_str() || file.tls_domains.iter().any(|other| other == domain.as_str());
    if !is_served {
        warnings
            .push(Warning::TlsDomainDiffers { settings: domain.as_str().to_owned(), file: file.tls_domain.clone() });
    }
    // A host that does not parse is no host of a link either; it is shown as it stands.
    if let Some(public) = file.public_host.as_ref().filter(|public| !public.is_empty())
        && !public.parse::<Host>().is_ok_and(|public| public == *host)
    {
        warnings.push(Warning::PublicHostDiffers { settings: host.to_string(), file: public.clone() });
    }
    if let Some(public) = file.public_port.filter(|public| *public != i64::from(*port)) {
        warnings.push(Warning::PublicPortDiffers { settings: port.to_string(), file: public.to_string() });
    }
    if host.is_ipv6() && !file.listens_on_ipv6 && matches!(settings.kind, ProxyKind::Embedded { .. }) {
        warnings.push(Warning::NoIpv6Listener { settings: host.to_string() });
    }
    warnings
}
