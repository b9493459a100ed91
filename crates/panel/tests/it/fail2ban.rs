//! The shipped fail2ban filter, over the log of a panel that runs, with the real fail2ban.

use std::path::Path;
use std::process::Command;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::cli_support::{Panel, Place};

const FILTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/fail2ban/filter.d/mtpannel.conf");

/// The addresses that the filter finds in a log, in its order.
fn banned(log: &Path) -> Vec<String> {
    let found = Command::new("fail2ban-regex").args(["--out", "ip"]).arg(log).arg(FILTER).output();
    let found = found.expect("fail2ban is installed, see scripts/needs.sh");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The log as other programs keep it: Docker's json-file driver, and the text of the journal.
fn wrapped(log: &str) -> [String; 2] {
    let docker = |line: &str| {
        json!({"log": format!("{line}\n"), "stream": "stderr", "time": "2026-01-31T10:00:00.123456789Z"}).to_string()
    };
    let docker: Vec<_> = log.lines().map(docker).collect();
    let journal: Vec<_> = log.lines().map(|line| format!("server mtpannel[123]: {line}")).collect();
    [docker.join("\n"), journal.join("\n")]
}

#[rstest]
#[case("text")]
#[case("json")]
#[tokio::test(flavor = "multi_thread")]
async fn the_filter_finds_the_address_of_every_failed_login_and_of_nothing_else(#[case] format: &str) {
    let mut place = Place::new();
    place.set("SECRET_KEY", "0123456789abcdef0123456789abcdef-test");
    place.set("TRUSTED_PROXIES", "127.0.0.1/32");
    place.set("LOG_FORMAT", format);
    place.run_with_input(&["admin", "create", "root", "--sudo", "--password-stdin"], "a long password").ok();
    let panel = Panel::start(&mut place);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let log_in = async |address: &str, path: &str, name: &str, password: &str| {
        let request = http.request(Method::POST, format!("http://{}{path}", panel.address));
        let request = request.header("x-forwarded-for", address).json(&json!({"username": name, "password": password}));
        request.send().await.unwrap().status().as_u16()
    };
    let (bot, browser) = ("/api/admin/token", "/api/admin/session");
    // What is typed as a name must not get into the log, nor look like an address of somebody else.
    let forged = "x\" WARN request{}: mtpannel::login: login failed address=192.0.2.99";
    assert_eq!(log_in("203.0.113.1", bot, "root", "wrong").await, 401);
    assert_eq!(log_in("2001:db8::7", browser, "nobody", "wrong").await, 401);
    assert_eq!(log_in("203.0.113.2", bot, forged, "wrong").await, 401);
    assert_eq!(log_in("198.51.100.1", bot, "root", "a long password").await, 200);
    let log = panel.end();

    for text in [log.clone()].iter().chain(&wrapped(&log)) {
        let file = place.path("copy.log");
        std::fs::write(&file, text).unwrap();
        assert_eq!(banned(&file), ["203.0.113.1", "2001:db8::7", "203.0.113.2"], "{text}");
    }
    let warnings = log.lines().filter(|line| line.contains("login failed"));
    assert_eq!(warnings.count(), 3, "one line for each: {log}");
    assert!(!log.contains("nobody") && !log.contains("192.0.2.99"), "{log}");
}
