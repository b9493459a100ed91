//! `mtpannel healthcheck`

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use crate::settings::RawSettings;

const TIMEOUT: Duration = Duration::from_secs(3);

pub(super) async fn run(settings: &RawSettings) -> anyhow::Result<ExitCode> {
    let address = reachable(settings.own_address()?.0);
    let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
    match client.get(format!("http://{address}/health")).send().await {
        Ok(answer) if answer.status() == reqwest::StatusCode::OK => Ok(ExitCode::SUCCESS),
        Ok(answer) => {
            eprintln!("the panel answered {}", answer.status());
            Ok(ExitCode::FAILURE)
        }
        Err(error) => {
            eprintln!("the panel does not answer: {error}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Where a listener on all addresses is reached from the machine itself.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
