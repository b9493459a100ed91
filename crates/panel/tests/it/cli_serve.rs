//! `mtpannel serve` and the other commands beside it.

use std::net::TcpListener;
use std::process::Child;
use std::time::{Duration, Instant};

use crate::cli_support::Place;

/// A panel that ends with the test.
struct Panel(Child);

impl Drop for Panel {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_panel_serves_alone_and_the_command_line_works_beside_it() {
    let mut place = Place::new();
    place.set("SECRET_KEY", "5f0c8a9b7d6e4f3a2b1c0d9e8f7a6b5c4d3e2f1a");
    place.set("LISTEN", &free_address());
    place.set("PANEL_METRICS_LISTEN", &free_address());
    place.set("BASE_PATH", "/panel");
    let panel = Panel(place.command(&["serve"]).stderr(std::process::Stdio::null()).spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(20);
    while place.run(&["healthcheck"]).code != 0 || !place.path("config.toml").exists() {
        assert!(Instant::now() < deadline, "the panel did not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    place.run(&["admin", "create", "root", "--sudo"]).ok();
    place.run(&["backup", "copy.db"]).ok();
    place.run(&["config", "check"]).ok();
    assert_eq!(place.run(&["config", "render"]).ok(), std::fs::read_to_string(place.path("config.toml")).unwrap());
    for arguments in [&["serve"][..], &["restore", "copy.db"], &["import", "panel-db", "copy.db"]] {
        assert!(place.run(arguments).stderr.contains("is in use by another mtpannel"), "{arguments:?}");
    }
    drop(panel);
    place.run(&["healthcheck"]).failed();
    // Killed, it leaves a write-ahead log behind, which goes with the database that is kept.
    place.run(&["restore", "copy.db"]).ok();
    assert!(place.run(&["admin", "list"]).ok().contains("root"));
}

#[test]
fn the_description_of_the_api_is_printed_as_json() {
    let text = Place::new().run(&["openapi"]).ok();
    assert!(text.ends_with("}\n"));
    let description: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
}
