//! Parses the text of one variable; the error says what the value must be.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::ProxyKind;

/// Words that a key from a random source does not contain.
const WEAK_KEY_WORDS: [&str; 4] = ["changeme", "change-me", "secret", "password"];

pub(super) fn proxy_kind(word: &str, metrics_url: &str) -> Result<ProxyKind, &'static str> {
    match word.trim() {
        "external" => Ok(ProxyKind::External),
        "embedded" => {
            let url = metrics_url.trim().parse::<reqwest::Url>().ok();
            let metrics = url.and_then(|url| url.socket_addrs(|| None).ok()?.into_iter().next());
            let metrics = metrics.filter(|address| address.ip().is_loopback());
            metrics
                .map(|metrics| ProxyKind::Embedded { metrics })
                .ok_or("embedded needs TELEMT_METRICS_URL on this machine, such as http://127.0.0.1:9090/metrics")
        }
        _ => Err("must be embedded or external"),
    }
}

pub(super) fn config_path(path: &str) -> Result<PathBuf, &'static str> {
    if path.trim().is_empty() || path.ends_with('/') {
        return Err("must be the path of config.toml, in a directory that the proxy can read, too");
    }
    Ok(path.into())
}

pub(super) fn number<N>(text: &str, min: N, max: N) -> Result<N, String>
where
    N: Copy + std::str::FromStr + PartialOrd + std::fmt::Display,
{
    text.trim()
        .parse()
        .ok()
        .filter(|number| (&min..=&max).contains(&number))
        .ok_or_else(|| format!("must be a whole number from {min} to {max}"))
}

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.trim().parse().map_err(|_| "must be ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:8080")
}

pub(super) fn switch(text: &str) -> Result<bool, &'static str> {
    match text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false"),
    }
}

pub(super) fn http_url(text: &str) -> Result<String, &'static str> {
    match text.trim().parse::<reqwest::Url>() {
        Ok(url) if url.scheme() == "http" && url.has_host() => Ok(text.trim().to_owned()),
        _ => Err("must be an http:// address on the internal network"),
    }
}

pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse::<IpNet>()
                .or_else(|_| part.parse::<std::net::IpAddr>().map(IpNet::from))
                .map_err(|_| format!("'{part}' is neither an address nor a network such as 172.16.0.0/12"))
        })
        .collect()
}

pub(super) fn base_path(text: &str) -> Result<String, &'static str> {
    let path = text.trim().trim_end_matches('/');
    let well_formed = path.is_empty()
        || (path.starts_with('/')
            && !path.contains("//")
            && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b)));
    if well_formed { Ok(path.to_owned()) } else { Err("must be empty or a path such as /panel") }
}

/// Refuses keys that an attacker would guess first. The error never repeats the value.
pub(super) fn secret_key(key: Option<String>) -> Result<SecretString, &'static str> {
    const ADVICE: &str = "must be at least 32 random bytes; make one with: openssl rand -hex 32";
    let key = SecretString::from(key.ok_or(ADVICE)?);
    let text = key.expose_secret();
    let folded = text.to_lowercase();
    let uniform = text.bytes().all(|byte| Some(byte) == text.bytes().next());
    if text.len() < 32 || uniform || WEAK_KEY_WORDS.iter().any(|word| folded.contains(word)) {
        return Err(ADVICE);
    }
    Ok(key)
}

/// The exact value of a header. It may be a secret, so the error does not repeat it.
pub(super) fn header_value(value: Option<String>) -> Result<Option<SecretString>, &'static str> {
    match value {
        Some(value) if HeaderValue::from_str(&value).is_err() => {
            Err("must be the value of an Authorization header: letters, digits and signs of ASCII on one line")
        }
        value => Ok(value.map(SecretString::from)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(None)]
    #[case(Some("short"))]
    #[case(Some("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))]
    #[case(Some("please-ChangeMe-before-production-0123456789"))]
    #[case(Some("my-super-secret-key-0123456789-0123456789"))]
    fn weak_keys_are_refused_without_being_repeated(#[case] key: Option<&str>) {
        let error = secret_key(key.map(str::to_owned)).unwrap_err();
        assert!(key.is_none_or(|key| !error.contains(key)));
    }

    #[test]
    fn a_random_key_is_accepted() {
        assert!(secret_key(Some("5f0c8a9b7d6e4f3a2b1c0d9e8f7a6b5c4d3e2f1a".into())).is_ok());
    }

    #[rstest]
    #[case("", "")]
    #[case("/", "")]
    #[case("/panel/", "/panel")]
    #[case("/a/b", "/a/b")]
    fn base_paths_lose_their_last_slash(#[case] given: &str, #[case] expected: &str) {
        assert_eq!(base_path(given), Ok(expected.to_owned()));
    }

    #[rstest]
    #[case("panel")]
    #[case("//x")]
    #[case("/a b")]
    fn odd_base_paths_are_refused(#[case] given: &str) {
        assert!(base_path(given).is_err());
    }

    #[rstest]
    #[case("external", "http://mtpannel-telemt:9090/metrics", Some(ProxyKind::External))]
    #[case("embedded", "http://127.0.0.1:9191/metrics", Some(ProxyKind::Embedded { metrics: "127.0.0.1:9191".parse().unwrap() }))]
    #[case("embedded", "http://192.0.2.1:9090/metrics", None)]
    #[case("", "http://127.0.0.1:9090/metrics", None)]
    fn the_built_in_proxy_is_asked_on_this_machine_only(
        #[case] word: &str,
        #[case] url: &str,
        #[case] expected: Option<ProxyKind>,
    ) {
        assert_eq!(proxy_kind(word, url).ok(), expected);
    }

    #[test]
    fn networks_and_addresses_may_be_mixed() {
        let networks = networks("10.0.0.0/8, 127.0.0.1,::1").unwrap();
        assert_eq!(networks.len(), 3);
        assert!(super::networks("10.0.0.0/8,here").is_err());
    }

    #[test]
    fn a_header_holds_no_second_line() {
        let value = header_value(Some("Bearer x".into())).unwrap().unwrap();
        assert_eq!(value.expose_secret(), "Bearer x");
        assert!(header_value(Some("Bearer canary\nX: y".into())).is_err_and(|advice| !advice.contains("canary")));
        assert!(header_value(None).unwrap().is_none());
    }

    #[test]
    fn urls_outside_plain_http_are_refused() {
        assert!(http_url("https://x/metrics").is_err());
        assert!(http_url("ftp://x").is_err());
        assert!(http_url("http://mtpannel-telemt:9090/metrics").is_ok());
    }
}
