//! What the operator is told although everything runs.

use std::path::Path;

use mtpannel::settings::ProxyKind;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Answer as _, Engine, TestApp, eventually};

fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

async fn codes(app: &TestApp) -> Vec<String> {
    let stats = app.ask(&app.sudo, Method::GET, "/api/system/stats", &Value::Null).await.expect(StatusCode::OK).await;
    let warnings = stats["warnings"].as_array().unwrap().clone();
    warnings.iter().map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
}

async fn metrics(app: &TestApp) -> String {
    reqwest::get(format!("http://{}/metrics", app.running().metrics_address)).await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_serves_another_domain_is_told_until_it_is_mended() {
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| {
        let file = "[general.links]\npublic_host = \"old.example\"\npublic_port = 8443\n\
            [censorship]\ntls_domain = \"other.example\"\n";
        put(&settings.proxy.config_path, file);
    })
    .await;
    app.create_user("alice", Value::Null).await;
    assert_eq!(codes(&app).await, ["tls_domain_differs", "public_host_differs", "public_port_differs"]);
    let stats = app.ask(&app.sudo, Method::GET, "/api/system/stats", &Value::Null).await.expect(StatusCode::OK).await;
    assert_eq!(stats["warnings"][0]["params"], json!({"settings": "example.com", "file": "other.example"}));
    assert!(stats["warnings"][0]["detail"].as_str().unwrap().contains("Make both the same"));
    let text = metrics(&app).await;
    assert!(text.contains("mtpannel_warning{code=\"tls_domain_differs\"} 1"), "{text}");

    let mended = app.config().replace("other.example", "example.com").replace("8443", "443");
    std::fs::write(app.config_path(), mended.replace("old.example", "proxy.example.com")).unwrap();
    app.create_user("bob", Value::Null).await;
    eventually("the warnings are gone", async || codes(&app).await.is_empty()).await;
    assert!(metrics(&app).await.contains("mtpannel_warning{code=\"tls_domain_differs\"} 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_built_in_proxy_without_ipv6_is_told_where_links_name_an_ipv6_address() {
    let start = async |file: &'static str| {
        TestApp::start_with(Engine::Sqlite, move |_, settings| {
            settings.proxy.endpoint.host = "2001:db8::1".parse().unwrap();
            settings.proxy.kind = ProxyKind::Embedded { metrics: "127.0.0.1:0".parse().unwrap() };
            put(&settings.proxy.config_path, file);
        })
        .await
    };
    let four =
        start("[server]\nport = 0\nlisten_addr_ipv4 = \"127.0.0.1\"\n[censorship]\ntls_domain = \"example.com\"\n");
    let four = four.await;
    four.create_user("alice", Value::Null).await;
    assert_eq!(codes(&four).await, ["no_ipv6_listener"]);
    let both = start("[server]\nport = 0\n[censorship]\ntls_domain = \"example.com\"\n").await;
    both.create_user("alice", Value::Null).await;
    assert_eq!(codes(&both).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_proxy_says_that_does_not_work_is_told_until_it_works() {
    let app = TestApp::start(Engine::Sqlite).await;
    let says = |lines: &str| {
        let text = format!("telemt_uptime_seconds 1\n{lines}");
        app.proxy.change(|figures| figures.raw = Some((StatusCode::OK, text)));
    };
    says(
        "mtproxy_warning{code=\"rule_ignored\",subject=\"access.user_rate_limits\"} 1\n\
         mtproxy_warning{code=\"dc_unreachable\",subject=\"4\"} 1\n\
         mtproxy_warning{code=\"clock_wrong\",subject=\"server\"} 1\n\
         mtproxy_warning{code=\"of_a_newer_proxy\",subject=\"x\"} 1\n",
    );
    eventually("the warnings", async || codes(&app).await == ["rule_ignored", "dc_unreachable", "clock_wrong"]).await;
    let stats = app.ask(&app.sudo, Method::GET, "/api/system/stats", &Value::Null).await.expect(StatusCode::OK).await;
    assert_eq!(stats["warnings"][0]["params"], json!({"rule": "access.user_rate_limits"}));
    assert_eq!(stats["warnings"][1]["params"], json!({"dc": "4"}));
    assert_eq!(stats["warnings"][2]["level"], "warning");
    assert!(stats["warnings"][2]["detail"].as_str().unwrap().contains("Set the clock"));
    let text = metrics(&app).await;
    assert!(text.contains("mtpannel_warning{code=\"dc_unreachable\"} 1"), "{text}");
    assert!(text.contains("mtpannel_warning{code=\"upstream_login\"} 0"), "{text}");
    says("mtproxy_warning{code=\"dc_unreachable\",subject=\"4\"} 1\n");
    eventually("one is left", async || codes(&app).await == ["dc_unreachable"]).await;
    says("");
    eventually("none is left", async || codes(&app).await.is_empty()).await;
}
