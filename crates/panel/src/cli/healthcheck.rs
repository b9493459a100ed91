//! `mtpannel healthcheck`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::{Client, StatusCode};

use crate::settings::RawSettings;

const TIMEOUT: Duration = Duration::from_secs(3);

pub(super) async fn run(settings: &RawSettings) -> anyhow::Result<()> {
    let (listen, base_path) = settings.own_address()?;
    let url = format!("http://{}{base_path}/health", reachable(listen));
    let client = Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .context("the HTTP client cannot be made")?;
    let answer = client.get(&url).send().await.map_err(reqwest::Error::without_url);
    let status = answer.with_context(|| format!("no answer from {url}"))?.status();
    ensure!(status == StatusCode::OK, "{url} answered {status}");
    Ok(())
}

/// The address under which a service that listens on `listen` is reached from this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::reachable;
    use rstest::rstest;

    #[rstest]
    #[case("0.0.0.0:8080", "127.0.0.1:8080")]
    #[case("[::]:8080", "[::1]:8080")]
    #[case("192.0.2.7:80", "192.0.2.7:80")]
    fn every_address_is_asked_over_the_loopback(#[case] listen: &str, #[case] asked: &str) {
        assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
    }
}
