//! `mtpannel healthcheck`: asks the panel on this machine whether it works.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;

use crate::settings::RawSettings;

const TIMEOUT: Duration = Duration::from_secs(3);

/// The part of the readiness that a restart of the panel may repair: the database. Other causes, such as a proxy that is
/// down, are not a reason to restart the panel.
#[derive(Deserialize)]
struct Ready {
    database: bool,
    database_writable: bool,
}

pub(super) async fn run(settings: &RawSettings) -> anyhow::Result<()> {
    let (listen, base_path) = settings.own_address()?;
    let url = format!("http://{}{base_path}/health", reachable(listen));
    let client = Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .context("the HTTP client cannot be created")?;
    let status = ask(&client, &url).await?.status();
    ensure!(status == StatusCode::OK, "{url} answered {status}");
    let url = format!("{url}/ready");
    let ready = ask(&client, &url).await?.json::<Ready>().await.map_err(reqwest::Error::without_url);
    let Ready { database, database_writable } =
        ready.with_context(|| format!("cannot read the readiness from {url}"))?;
    ensure!(database, "the database does not answer");
    ensure!(database_writable, "the database takes no writes; the log tells why");
    Ok(())
}

async fn ask(client: &Client, url: &str) -> anyhow::Result<Response> {
    let answer = client.get(url).send().await.map_err(reqwest::Error::without_url);
    answer.with_context(|| format!("no answer from {url}"))
}

/// The address at which this machine reaches a service that listens on `listen`.
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
