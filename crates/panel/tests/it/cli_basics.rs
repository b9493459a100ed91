//! Help, usage, settings, `.env`, `migrate`, `healthcheck`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use rstest::rstest;
use sqlx::{Connection as _, Executor as _};

use crate::cli_support::Place;

#[rstest]
#[case(&[])]
#[case(&["serve"])]
#[case(&["admin"])]
#[case(&["admin", "create"])]
#[case(&["admin", "list"])]
#[case(&["admin", "set-password"])]
#[case(&["admin", "delete"])]
#[case(&["user"])]
#[case(&["user", "list"])]
#[case(&["user", "links"])]
#[case(&["config"])]
#[case(&["config", "render"])]
#[case(&["config", "check"])]
#[case(&["config", "template"])]
#[case(&["config", "set-domain"])]
#[case(&["import"])]
#[case(&["import", "panel-db"])]
#[case(&["backup"])]
#[case(&["restore"])]
#[case(&["migrate"])]
#[case(&["openapi"])]
#[case(&["healthcheck"])]
fn every_command_has_help_and_every_leaf_an_example(#[case] command: &[&str]) {
    let help = Place::new().run(&[command, &["--help"]].concat()).ok();
    assert!(help.contains("Usage: mtpannel"), "{help}");
    assert!(help.contains("Commands:") || help.contains("Examples:"), "{help}");
}

#[test]
fn help_shows_settings_only_where_they_matter() {
    let place = Place::new();
    assert!(place.run(&["serve", "--help"]).ok().contains("--proxy-host"));
    assert!(place.run(&["config", "render", "--help"]).ok().contains("--proxy-host"));
    assert!(!place.run(&["admin", "list", "--help"]).ok().contains("--proxy-host"));
    assert!(!place.run(&["user", "list", "--help"]).ok().contains("--proxy-host"));
    assert!(!place.run(&["proxy", "--help"]).ok().contains("--proxy-host"));
}

#[test]
fn the_version_is_printed() {
    assert_eq!(Place::new().run(&["--version"]).ok(), format!("mtpannel {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn bad_usage_ends_with_2() {
    let place = Place::new();
    for arguments in [&["admin", "create"][..], &["no-such"], &["admin", "create", "ab"], &["serve", "--no-such"]] {
        assert_eq!(place.run(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn all_settings_that_do_not_fit_are_told_at_once_without_their_secrets() {
    let mut place = Place::new();
    place.set("SECRET_KEY", "too-short-canary");
    place.set("DATABASE_URL", "mysql://me:canary@host/name");
    place.set("PROXY_HOST", "http://x");
    place.set("PROXY_PORT", "70000");
    place.set("LISTEN", "8080");
    place.set("BASE_PATH", "panel");
    place.set("LOG_FORMAT", "xml");
    place.set("RUST_LOG", "mtpannel=canary");
    place.set("TELEMT_API_AUTH", "Bearer canary\nof two lines");
    std::fs::write(place.path(".env"), "a canary\nMETRICS_SCRAPE_INTERVAL_SECONDS=0\nanother canary\n").unwrap();
    let first =
        ["SECRET_KEY", "DATABASE_URL", "PROXY_HOST", "PROXY_PORT", "LISTEN", "BASE_PATH", "LOG_FORMAT", "RUST_LOG"];
    let others = ["TELEMT_API_AUTH", "METRICS_SCRAPE_INTERVAL_SECONDS", ".env: line 1", ".env: line 3"];
    for command in [&["serve"][..], &["config", "check"]] {
        let error = place.run(command).failed();
        for variable in first.iter().chain(&others) {
            assert!(error.contains(&format!("\n  {variable}")), "{variable} in {error}");
        }
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn a_flag_goes_before_the_environment_and_the_environment_before_the_env_file() {
    let mut place = Place::new();
    std::fs::write(place.path(".env"), "PROXY_PORT=1111\nPROXY_HOST=from-file.example\n").unwrap();
    place.run(&["migrate"]).ok();
    let render = |place: &Place, flags: &[&str]| place.run(&[&["config", "render"], flags].concat()).ok();
    let text = render(&place, &[]);
    assert!(text.contains("public_host = \"proxy.example.com\"\npublic_port = 1111\n"), "{text}");
    place.set("PROXY_PORT", "2222");
    assert!(render(&place, &[]).contains("public_port = 2222\n"));
    assert!(render(&place, &["--proxy-port", "3333"]).contains("public_port = 3333\n"));
}

#[test]
fn an_env_file_that_does_not_parse_is_told_by_line_without_its_text() {
    let place = Place::new();
    std::fs::write(place.path(".env"), "PROXY_PORT=443\nSECRET KEY=canary canary\n").unwrap();
    let error = place.run(&["migrate"]).failed();
    assert!(error.contains(".env: line 2 "), "{error}");
    assert!(!error.contains("canary"), "{error}");
}

#[rstest]
#[case("DATABASE_URL=sqlite:///a$b${PROXY_HOST}.db\n")]
#[case("DATABASE_URL='sqlite:///a$b${PROXY_HOST}.db' # comment\n")]
#[case("\u{feff}export DATABASE_URL = \"sqlite:///a$b${PROXY_HOST}.db\"\r\n")]
fn a_dollar_in_the_env_file_stands_for_itself(#[case] text: &str) {
    let place = Place::new();
    std::fs::write(place.path(".env"), text).unwrap();
    let output = place.command(&["migrate"]).env_remove("DATABASE_URL").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(place.path("a$b${PROXY_HOST}.db").exists());
}

#[test]
fn the_last_of_two_lines_of_the_env_file_counts_and_that_is_told_without_its_text() {
    let place = Place::new();
    std::fs::write(place.path(".env"), "PROXY_PORT=1111\nRUST_LOG=warn\nexport PROXY_PORT='2222'\n").unwrap();
    place.run(&["migrate"]).ok();
    let run = place.run(&["config", "render"]);
    assert!(run.stderr.contains(".env sets PROXY_PORT in line 1 and again in line 3"), "{run:?}");
    assert!(!run.stderr.contains("1111") && !run.stderr.contains("2222"), "{run:?}");
    assert!(run.ok().contains("public_port = 2222\n"));
}

#[test]
fn a_database_address_is_read_from_a_file_without_its_line_end() {
    let place = Place::new();
    std::fs::write(place.path("url"), "sqlite:///from-file.db\r\n").unwrap();
    let mut command = place.command(&["migrate"]);
    let output = command.env_remove("DATABASE_URL").env("DATABASE_URL_FILE", "url").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(place.path("from-file.db").exists());
}

#[test]
fn secrets_in_files_are_judged_like_those_in_variables() {
    let mut place = Place::new();
    for (name, text) in [("key", "5f0c8a9b7d6e4f3a2b1c0d9e8f7a6b5c4d3e2f1a\n"), ("weak", "canary\n"), ("empty", "\n")] {
        std::fs::write(place.path(name), text).unwrap();
    }
    place.set("PROXY_HOST", "http://x");
    place.set("SECRET_KEY_FILE", "key");
    place.set("TELEMT_API_AUTH_FILE", "empty");
    let error = place.run(&["serve"]).failed();
    assert!(!error.contains("SECRET_KEY") && !error.contains("TELEMT_API_AUTH"), "{error}");
    place.set("SECRET_KEY_FILE", "weak");
    place.set("DATABASE_URL", "");
    place.set("DATABASE_URL_FILE", "empty");
    place.set("TELEMT_API_AUTH_FILE", "missing");
    let error = place.run(&["serve"]).failed();
    for problem in
        ["\n  SECRET_KEY: must be", "\n  DATABASE_URL_FILE: empty is empty", "\n  TELEMT_API_AUTH_FILE: missing cannot"]
    {
        assert!(error.contains(problem), "{problem} in {error}");
    }
    assert!(!error.contains("canary"), "{error}");
}

#[test]
fn a_secret_that_is_given_twice_is_refused() {
    let mut place = Place::new();
    for name in ["SECRET_KEY", "DATABASE_URL", "TELEMT_API_AUTH"] {
        place.set(name, "canary");
        place.set(&format!("{name}_FILE"), "file");
    }
    let error = place.run(&["serve"]).failed();
    for name in ["SECRET_KEY", "DATABASE_URL", "TELEMT_API_AUTH"] {
        assert!(error.contains(&format!("\n  {name}_FILE: is set, and so is {name}; keep one")), "{error}");
    }
    assert!(!error.contains("canary"), "{error}");
}

#[test]
fn what_only_reads_makes_no_empty_database() {
    let place = Place::new();
    for arguments in [&["user", "list"][..], &["admin", "list"], &["backup", "copy.db"]] {
        assert!(place.run(arguments).failed().contains("there is no database panel.db"), "{arguments:?}");
    }
    // Before the first start these work from the settings alone.
    place.run(&["config", "render"]).ok();
    assert!(!place.database().exists());
}

#[test]
fn migrate_makes_the_database_for_its_owner_only_and_may_be_repeated() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    for _ in 0..2 {
        assert!(place.run(&["migrate"]).ok().starts_with("the database has schema version "));
    }
    assert_eq!(std::fs::metadata(place.database()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let place = Place::new();
    place.run(&["migrate"]).ok();
    let mut conn = place.connect().await;
    conn.execute("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 2").await.unwrap();
    conn.close().await.unwrap();
    let error = place.run(&["user", "list"]).failed();
    assert!(error.contains("schema version 9999") && error.contains("newer program"), "{error}");
}

const WELL: &str = r#"{"ready": false, "database": true, "database_writable": true, "config_sync": false}"#;
const AWAY: &str = r#"{"ready": false, "database": false, "database_writable": true}"#;
const FULL: &str = r#"{"ready": false, "database": true, "database_writable": false}"#;

#[rstest]
#[case(&[("200 OK", ""), ("200 OK", WELL)], 0)]
// What is not well has its cause elsewhere.
#[case(&[("200 OK", ""), ("503 Service Unavailable", WELL)], 0)]
#[case(&[("200 OK", ""), ("503 Service Unavailable", AWAY)], 1)]
#[case(&[("200 OK", ""), ("503 Service Unavailable", FULL)], 1)]
#[case(&[("503 Service Unavailable", "")], 1)]
fn healthcheck_asks_below_the_base_path_and_tells_by_its_code(
    #[case] answers: &'static [(&'static str, &'static str)],
    #[case] code: i32,
) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let answer = |(status, body): &(&str, &str)| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1_024];
            let length = stream.read(&mut request).unwrap();
            let length_of_body = body.len();
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length_of_body}\r\nConnection: close\r\n\r\n{body}")
                .unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        answers.iter().map(answer).collect::<Vec<_>>()
    });
    let mut place = Place::new();
    place.set("LISTEN", &format!("0.0.0.0:{port}"));
    place.set("BASE_PATH", "/panel");
    place.set("http_proxy", "http://127.0.0.1:1");
    let run = place.run(&["healthcheck"]);
    assert_eq!(run.code, code, "{run:?}");
    let paths = ["GET /panel/health HTTP/1.1\r\n", "GET /panel/health/ready HTTP/1.1\r\n"];
    let requests = server.join().unwrap();
    assert_eq!(requests.len(), answers.len());
    for (request, path) in requests.iter().zip(paths) {
        assert!(request.starts_with(path), "{request}");
    }
}

#[test]
fn healthcheck_fails_if_nobody_answers() {
    let mut place = Place::new();
    place.set("LISTEN", "127.0.0.1:1");
    assert!(place.run(&["healthcheck"]).failed().contains("no answer from http://127.0.0.1:1/health"));
}

#[test]
fn an_unknown_log_format_is_refused() {
    let mut place = Place::new();
    place.set("LOG_FORMAT", "xml");
    assert!(place.run(&["migrate"]).failed().contains("LOG_FORMAT: must be text or json"));
    place.run(&["migrate", "--log-format", "text", "--rust-log", "mtpannel=debug"]).ok();
    assert!(place.run(&["migrate", "--rust-log", "a=b=c"]).failed().contains("RUST_LOG: must be a level"));
}
