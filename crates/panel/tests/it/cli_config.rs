//! `mtpannel config`.

use std::fs;

use sqlx::Executor as _;

use crate::cli_support::Place;

const KEY: &str = "5f0c8a9b7d6e4f3a2b1c0d9e8f7a6b5c4d3e2f1a";
const FILE: &str = "# mine\r\n[server]\r\nport = 443 # here\r\n\r\n[access.users]\r\n\"carol\" = \
    \"20112233445566778899aabbccddeeff\"\r\n\r\n[timeouts]\r\nx=1";

fn place() -> Place {
    let mut place = Place::new();
    place.set("SECRET_KEY", KEY);
    place.run(&["migrate"]).ok();
    place
}

async fn add_alice(place: &Place) {
    place
        .connect()
        .await
        .execute(
            "INSERT INTO users (username, secret, status, data_limit, created_at, updated_at, usage_base) VALUES \
             ('alice', '00112233445566778899aabbccddeeff', 'active', 1000, '2026-01-01T00:00:00+00:00', \
             '2026-01-01T00:00:00+00:00', 24)",
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn render_prints_the_file_as_it_would_be_written_and_writes_nothing() {
    let place = place();
    add_alice(&place).await;
    fs::write(place.path("config.toml"), FILE).unwrap();
    let expected = "# mine\r\n[server]\r\nport = 443 # here\r\n\r\n[access.users]\r\n\"alice\" = \
        \"00112233445566778899aabbccddeeff\"\r\n\"carol\" = \"20112233445566778899aabbccddeeff\"\r\n\r\n\
        [access.user_data_quota]\r\n\"alice\" = 1024\r\n\r\n[timeouts]\r\nx=1";
    // Twice, because the file's own users are taken over in what is printed, not in the database.
    for _ in 0..2 {
        assert_eq!(place.run(&["config", "render"]).ok(), expected);
    }
    assert_eq!(fs::read_to_string(place.path("config.toml")).unwrap(), FILE);
    assert!(!place.run(&["user", "list"]).ok().contains("carol"));
    place.connect().await.execute("UPDATE panel_state SET file_imported = TRUE").await.unwrap();
    assert!(!place.run(&["config", "render"]).ok().contains("carol"));
}

#[tokio::test]
async fn without_a_file_the_template_is_printed_with_the_users() {
    let place = place();
    add_alice(&place).await;
    let text = place.run(&["config", "render"]).ok();
    assert!(text.contains("tls_domain = \"example.com\"") && text.ends_with("\"alice\" = 1024\n"), "{text}");
    assert!(!place.path("config.toml").exists());
}

#[tokio::test]
async fn check_is_content_only_with_a_file_that_says_what_the_database_says() {
    let place = place();
    add_alice(&place).await;
    assert!(place.run(&["config", "check"]).stderr.contains("there is no such file"));
    fs::write(place.path("config.toml"), FILE).unwrap();
    let differs = place.run(&["config", "check"]);
    assert_eq!(differs.code, 1);
    assert!(differs.stderr.contains("does not say what the database says"), "{differs:?}");
    let text = place.run(&["config", "render"]).ok();
    fs::write(place.path("config.toml"), text).unwrap();
    let fine = place.run(&["config", "check"]).ok();
    assert_eq!(fine, "settings: fine\nconfig.toml: parses, and says what the database says\n");
}

#[test]
fn check_tells_where_the_file_does_not_parse_and_which_settings_do_not_fit() {
    let mut place = place();
    place.set("SECRET_KEY", "short");
    place.set("METRICS_SCRAPE_INTERVAL_SECONDS", "0");
    fs::write(place.path("config.toml"), "[server]\nport = \n").unwrap();
    let run = place.run(&["config", "check"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    for part in ["SECRET_KEY: ", "METRICS_SCRAPE_INTERVAL_SECONDS: ", "config.toml: line 2, column 8"] {
        assert!(run.stderr.contains(part), "{part} in {}", run.stderr);
    }
}

#[test]
fn a_file_whose_users_cannot_be_taken_over_is_told() {
    let place = place();
    fs::write(place.path("config.toml"), "[access.users]\n\"a b\" = \"20112233445566778899aabbccddeeff\"\n").unwrap();
    assert!(place.run(&["config", "check"]).stderr.contains("cannot be taken over"));
    place.run(&["config", "render"]).failed();
}
