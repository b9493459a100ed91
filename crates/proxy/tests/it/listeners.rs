//! The addresses on which the proxy listens.

use mtpannel_core::template::{Direct, Template};
use mtpannel_proxy::Proxy;
use tokio::net::TcpStream;

use crate::peers::{ALICE, users};

/// Starts a proxy with this file, connects to each listener, and returns their number.
async fn listeners(file: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, format!("{file}\n{}", users(&[("alice", ALICE)]))).unwrap();
    let proxy = Proxy::start(&path).await.unwrap();
    for address in &proxy.addresses {
        let loopback = if address.is_ipv6() { "::1" } else { "127.0.0.1" };
        TcpStream::connect((loopback, address.port())).await.unwrap();
    }
    proxy.addresses.len()
}

#[tokio::test]
async fn a_new_file_is_served_on_both_address_families() {
    let domain = "mask.example".parse().unwrap();
    let direct = Direct { port: 0, metrics: "127.0.0.1:0".parse().unwrap() };
    let template = Template { direct: Some(direct), ..Template::new("proxy.example", 443, &domain) };
    assert_eq!(listeners(&template.text()).await, 2);
}

#[tokio::test]
async fn a_file_without_addresses_is_served_on_both_families_and_one_with_an_address_only_there() {
    assert_eq!(listeners("[server]\nport = 0\n").await, 2);
    assert_eq!(listeners("[server]\nport = 0\nlisten_addr_ipv4 = \"127.0.0.1\"\n").await, 1);
    assert_eq!(listeners("[server]\nport = 0\nlisten_addr_ipv6 = \"::1\"\n").await, 1);
}
