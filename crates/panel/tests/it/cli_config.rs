//! `mtpannel config`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rstest::rstest;
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
    let text = FILE.replace("[timeouts]", "[censorship]\r\ntls_domain = \"example.com\"\r\n\r\n[timeouts]");
    fs::write(place.path("config.toml"), text).unwrap();
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

/// A place where no panel has ever started.
fn fresh_place() -> Place {
    let mut place = Place::new();
    place.set("SECRET_KEY", KEY);
    place
}

#[test]
fn before_the_first_start_check_and_render_work_from_the_settings_alone() {
    let place = fresh_place();
    let fine = place.run(&["config", "check"]).ok();
    assert!(fine.starts_with("settings: fine\nconfig.toml: there is no such file yet"), "{fine}");
    assert!(place.run(&["config", "render"]).ok().contains("tls_domain = \"example.com\""));
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0, "a look leaves nothing behind");
}

#[test]
fn before_the_first_start_the_users_of_a_file_that_is_there_are_shown() {
    let place = fresh_place();
    fs::write(
        place.path("config.toml"),
        FILE.replace("[timeouts]", "[censorship]\r\ntls_domain='example.com'\r\n[timeouts]"),
    )
    .unwrap();
    let fine = place.run(&["config", "check"]).ok();
    assert!(fine.contains("config.toml: parses; the panel takes over its users"), "{fine}");
    assert!(place.run(&["config", "render"]).ok().contains("\"carol\""));
    assert!(!place.database().exists());
    fs::write(place.path("config.toml"), "[access.users]\n\"a b\" = \"20112233445566778899aabbccddeeff\"\n").unwrap();
    assert!(place.run(&["config", "check"]).failed().contains("cannot be taken over"));
    place.run(&["config", "render"]).failed();
}

#[test]
fn every_problem_is_told_once() {
    let mut place = place();
    place.set("TLS_DOMAIN", "192.0.2.256");
    let once = |error: &str, part: &str| assert_eq!(error.matches(part).count(), 1, "{part} in {error}");
    once(&place.run(&["config", "check"]).stderr, "TLS_DOMAIN: ");
    once(&place.run(&["config", "render"]).stderr, "TLS_DOMAIN: ");
    place.set("TLS_DOMAIN", "example.com");
    fs::write(place.path("config.toml"), "[server]\nport = \n").unwrap();
    once(&place.run(&["config", "check"]).stderr, "line 2, column 8");
    once(&place.run(&["config", "render"]).stderr, "line 2, column 8");
    fs::write(place.path("config.toml"), "[access.users]\n\"a b\" = 5\n").unwrap();
    once(&place.run(&["config", "check"]).stderr, "\"a b\" may hold only");
    fs::remove_file(place.path("config.toml")).unwrap();
    fs::create_dir(place.path("config.toml")).unwrap();
    once(&place.run(&["config", "check"]).stderr, "s a directory");
}

#[rstest]
#[case::another_domain("[censorship]\ntls_domain = 'other.example'\n", 1, "error: TLS_DOMAIN is example.com")]
#[case::the_default_domain("[server]\nport = 443\n", 1, "error: TLS_DOMAIN is example.com")]
#[case::another_host(
    "[general.links]\npublic_host = 'old.example'\n[censorship]\ntls_domain = 'example.com'\n",
    0,
    "warning: PROXY_HOST is proxy.example.com"
)]
#[case::another_port(
    "[general.links]\npublic_port = 8443\n[censorship]\ntls_domain = 'example.com'\n",
    0,
    "warning: PROXY_PORT is 443"
)]
#[case::the_same_in_another_spelling(
    "[general.links]\npublic_host = 'Proxy.Example.com'\n[censorship]\ntls_domain = 'EXAMPLE.com'\n",
    0,
    ""
)]
#[case::one_domain_of_several("[censorship]\ntls_domain = 'other.example'\ntls_domains = ['example.com']\n", 0, "")]
fn check_compares_the_links_with_the_file(#[case] file: &str, #[case] code: i32, #[case] told: &str) {
    let place = fresh_place();
    fs::write(place.path("config.toml"), file).unwrap();
    let run = place.run(&["config", "check"]);
    assert_eq!(run.code, code, "{run:?}");
    if told.is_empty() {
        assert_eq!(run.stderr, "");
    } else {
        assert!(run.stderr.contains(told), "{run:?}");
    }
}

#[rstest]
#[case("-")]
#[case("192.0.2.256")]
#[case("１２３")]
#[case("proxy_1.example.com")]
#[case("proxy.example.com:443")]
fn what_is_no_host_is_refused_as_a_setting(#[case] host: &str) {
    let mut place = fresh_place();
    place.set("PROXY_HOST", host);
    assert!(place.run(&["config", "check"]).failed().contains("PROXY_HOST: must be the name or IP address"));
}

#[test]
fn an_international_host_stands_in_the_file_as_punycode() {
    let mut place = fresh_place();
    place.set("PROXY_HOST", "прокси.рф");
    assert!(place.run(&["config", "render"]).ok().contains("public_host = \"xn--h1adldfi.xn--p1ai\""));
}

#[test]
fn settings_that_are_valid_and_unsafe_are_told_by_the_check_and_at_start() {
    let mut place = place();
    let safe = place.run(&["config", "check"]);
    assert!(!safe.stderr.contains("warning: "), "{}", safe.stderr);
    place.set("TRUSTED_PROXIES", "0.0.0.0/0,::/0,10.0.0.0/8");
    place.set("JWT_EXPIRE_MINUTES", "1441");
    let words = ["TRUSTED_PROXIES contains 0.0.0.0/0", "TRUSTED_PROXIES contains ::/0", "JWT_EXPIRE_MINUTES is 1441"];
    let check = place.run(&["config", "check"]);
    let log = crate::cli_support::Panel::start(&mut place).end();
    for word in words {
        assert!(check.stderr.contains(word), "{word} in {}", check.stderr);
        assert!(log.contains(word), "{word} in {log}");
    }
    place.set("TRUSTED_PROXIES", "127.0.0.1");
    for listen in ["0.0.0.0:8080", "[::]:8080", "203.0.113.7:8080"] {
        place.set("LISTEN", listen);
        let check = place.run(&["config", "check"]);
        assert!(check.stderr.contains(&format!("LISTEN is {listen}")), "{}", check.stderr);
    }
    for (listen, trusted) in [("127.0.0.1:8080", ""), ("10.0.0.5:8080", ""), ("0.0.0.0:8080", "172.29.43.2")] {
        place.set("LISTEN", listen);
        place.set("TRUSTED_PROXIES", trusted);
        let check = place.run(&["config", "check"]);
        assert!(!check.stderr.contains("LISTEN is"), "{}", check.stderr);
    }
}

#[test]
fn the_panel_listens_on_this_machine_alone_unless_it_is_told_otherwise() {
    let place = place();
    let help = place.run(&["help", "serve"]).ok();
    assert!(help.contains("[default: 127.0.0.1:8080]"), "{help}");
    for (value, fits) in [("true", true), ("false", true), ("yes", false), ("", false)] {
        let mut place = Place::new();
        place.set("SECRET_KEY", KEY);
        place.set("API_DOCS", value);
        let check = place.run(&["config", "check"]);
        assert_eq!(!check.stderr.contains("API_DOCS: must be true or false"), fits, "{value}: {}", check.stderr);
    }
}

#[test]
fn the_template_is_the_file_for_these_settings_without_users() {
    let mut place = fresh_place();
    place.set("PROXY_PORT", "8443");
    let template = place.run(&["config", "template"]).ok();
    for line in ["public_host = \"proxy.example.com\"", "public_port = 8443", "port = 1234", "mask_port = 443"] {
        assert!(template.lines().any(|present| present == line), "{line} in {template}");
    }
    assert!(!template.contains("access.users]") && !template.contains("mask_host"), "{template}");
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0, "nothing is written");
    let template =
        place.run(&["config", "template", "--router", "192.0.2.1", "--mask-site", "[2001:db8::7]:8444"]).ok();
    for line in ["proxy_protocol_trusted_cidrs = [\"192.0.2.1/32\"]", "mask_host = \"2001:db8::7\"", "mask_port = 8444"]
    {
        assert!(template.lines().any(|present| present == line), "{line} in {template}");
    }
    assert_eq!(place.run(&["config", "template", "--mask-site", "2001:db8::7:8444"]).code, 2);
    place.set("PROXY", "embedded");
    place.set("TELEMT_METRICS_URL", "http://127.0.0.1:9191/metrics");
    let template = place.run(&["config", "template"]).ok();
    for line in ["port = 8443", "metrics_listen = \"127.0.0.1:9191\""] {
        assert!(template.lines().any(|present| present == line), "{line} in {template}");
    }
}

#[test]
fn another_masking_domain_changes_that_and_nothing_else() {
    let place = fresh_place();
    let file = place.path("config.toml");
    let before = FILE.replace("[timeouts]", "[censorship]\r\n  tls_domain = 'old.example' # mine\r\n[timeouts]");
    fs::write(&file, &before).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o604)).unwrap();
    assert_eq!(place.run(&["config", "set-domain", "New.Example"]).ok(), "config.toml: changed\n");
    let after = before.replace("'old.example'", "\"new.example\"");
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o604);
    assert_eq!(place.run(&["config", "set-domain", "new.example"]).ok(), "config.toml: says this already\n");
    place.run(&["config", "set-domain", "new.example", "--mask-site", "192.0.2.7:8444"]).ok();
    let lines = "# mine\r\n  mask_host = \"192.0.2.7\"\r\n  mask_port = 8444\r\n[timeouts]";
    assert_eq!(fs::read_to_string(&file).unwrap(), after.replace("# mine\r\n[timeouts]", lines));
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[rstest]
#[case("[server]\nport = 443\n", "config.toml: line 1, column 1: there is no censorship.tls_domain here")]
#[case(
    "include = \"other.toml\"\n",
    "in the included file other.toml, line 2, column 14: this stands in an included file"
)]
#[case("[censorship]\ntls_domain = \n", "config.toml: line 2, column 14")]
fn a_file_in_which_the_masking_domain_cannot_be_changed_is_left_as_it_is(#[case] text: &str, #[case] why: &str) {
    let place = fresh_place();
    fs::write(place.path("other.toml"), "[censorship]\ntls_domain = 'old.example'\n").unwrap();
    fs::write(place.path("config.toml"), text).unwrap();
    let error = place.run(&["config", "set-domain", "new.example"]).failed();
    assert!(error.contains(why), "{error}");
    assert_eq!(fs::read_to_string(place.path("config.toml")).unwrap(), text);
}

#[test]
fn without_a_file_there_is_no_masking_domain_to_change() {
    let place = fresh_place();
    let error = place.run(&["config", "set-domain", "new.example"]).failed();
    assert!(error.contains("config.toml: cannot read the file"), "{error}");
    assert_eq!(place.run(&["config", "set-domain", "new example"]).code, 2);
}
