//! Files that the proxy's file includes: their users are taken over, and a table is never written twice.

use std::path::Path;

use mtpannel::settings::Settings;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::cli_support::Place;
use crate::common::{Answer, Engine, TestApp, eventually};

const A: &str = "6384e2b2184bcbf58eccf10ca7a6563c";
const B: &str = "0123456789abcdef0123456789abcdef";

/// Writes files into the folder of the proxy's file.
fn put(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("AAA", A).replace("BBB", B)).unwrap();
    }
}

fn folder(settings: &Settings) -> &Path {
    settings.proxy.config_path.parent().unwrap()
}

async fn config_sync(app: &TestApp) -> Value {
    app.get("/api/system/stats").await.expect(StatusCode::OK).await["config_sync"].clone()
}

async fn start(files: &'static [(&'static str, &'static str)], engine: Engine) -> TestApp {
    TestApp::start_with(engine, |_, settings| put(folder(settings), files)).await
}

const MAIN: &str = "[server]\nport = 443\ninclude = \"users.toml\"\n";
const USERS: &str = "[access.users]\nalice = \"AAA\"\nbob = \"BBB\"\n\n[access.user_data_quota]\nbob = 77\n";

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn users_of_an_included_file_are_taken_over_and_no_table_is_written_twice(#[case] engine: Engine) {
    let app = start(&[("config.toml", MAIN), ("users.toml", USERS)], engine).await;
    eventually("the take-over", async || app.get("/api/users/bob").await.status() == StatusCode::OK).await;
    assert_eq!(app.user("bob").await["data_limit"], 77);
    let created = app.create_user("carol", json!({})).await;
    assert_eq!(created["config_sync"]["state"], "pending", "{created}");
    let why = created["config_sync"]["detail"].as_str().unwrap();
    for part in ["users.toml", "line 1", "[access.users]", "include line"] {
        assert!(why.contains(part), "{part} in {why}");
    }
    assert!(!why.contains(A) && !why.contains(B), "{why}");
    assert_eq!(config_sync(&app).await["state"], "pending");
    assert_eq!(app.config(), MAIN);
    // Once the operator has removed the tables there, the panel writes them here, without being asked.
    put(folder(&app.settings), &[("users.toml", "# moved into the panel\n")]);
    eventually("the file", async || app.config().contains("\"carol\"")).await;
    eventually("the state", async || config_sync(&app).await["state"] == "applied").await;
    assert!(app.config().starts_with(MAIN) && app.config().matches("[access.users]").count() == 1);
    assert_eq!(std::fs::read_to_string(folder(&app.settings).join("users.toml")).unwrap(), "# moved into the panel\n");
}

/// Every place where a managed table may stand in an included file.
#[rstest]
#[case::in_a_table("[access]\ninclude = \"part.toml\"\n", "users.alice = \"AAA\"\n", "part.toml, line 1")]
#[case::inside_the_managed_table(
    "[access.users]\ninclude=\"part.toml\"\n",
    "# c\n\nalice = \"AAA\"\n",
    "part.toml, line 3"
)]
#[case::without_quotes("  include =part.toml  \n", "[access.users]\nalice = \"AAA\"", "part.toml, line 1")]
#[case::with_windows_line_ends(
    "\r\ninclude = \"part.toml\"\r\n",
    "\r\n[access.users]\r\nalice = \"AAA\"\r\n",
    "part.toml, line 2"
)]
#[case::after_a_byte_order_mark(
    "\u{feff}\ninclude = \"part.toml\"\n",
    "access.users.alice = \"AAA\"\n",
    "part.toml, line 1"
)]
#[case::inline("include = \"part.toml\"\n", "x = 1\naccess = { users = { alice = \"AAA\" } }\n", "part.toml, line 2")]
#[case::nested("include = \"sub/next.toml\"\n", "[access.users]\nalice = \"AAA\"\n", "part.toml, line 1")]
#[case::header_in_one_and_rows_in_the_other(
    "include = \"part.toml\"\nalice = \"AAA\"\n",
    "[access.users]\n",
    "part.toml, line 1"
)]
#[tokio::test(flavor = "multi_thread")]
async fn a_managed_table_in_an_included_file_is_named_with_its_place(
    #[case] main: &str,
    #[case] part: &str,
    #[case] place: &str,
) {
    let main = main.to_owned();
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| {
        put(
            folder(settings),
            &[("config.toml", &main), ("part.toml", part), ("sub/next.toml", "include = \"../part.toml\"")],
        );
    })
    .await;
    eventually("the take-over", async || app.get("/api/users/alice").await.status() == StatusCode::OK).await;
    let before = app.config();
    let created = app.create_user("carol", json!({})).await;
    let why = created["config_sync"]["detail"].as_str().unwrap_or_default();
    assert!(why.contains(place), "{created}");
    assert_eq!(app.config(), before);
}

#[rstest]
#[case::missing("[server]\ninclude = \"away.toml\"\n", "line 2")]
#[case::a_user_of_that_name("[access.users]\ninclude = \"AAA\"\n", "line 2")]
#[case::a_cycle("include = \"config.toml\"\n", "levels deep")]
#[case::a_comment_that_belongs_to_the_path("include = \"users.toml\" # mine\n", "line 1")]
#[case::no_toml("include = \"broken.toml\"\n", "broken.toml, line 2")]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_include_the_proxy_refuses_is_left_alone_until_it_is_mended(
    #[case] main: &str,
    #[case] why: &str,
) {
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| {
        put(folder(settings), &[("config.toml", main), ("users.toml", USERS), ("broken.toml", "\nx = = 1\n")]);
    })
    .await;
    let before = app.config();
    let created = app.create_user("carol", json!({})).await;
    assert_eq!(created["config_sync"]["state"], "pending", "{created}");
    let detail = created["config_sync"]["detail"].as_str().unwrap();
    assert!(detail.contains(why) && detail.contains("config.toml") && !detail.contains(B), "{detail}");
    assert_eq!(app.config(), before);
    std::fs::write(app.config_path(), "[server]\n").unwrap();
    eventually("the file", async || app.config().contains("\"carol\"")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn includes_without_managed_tables_survive_and_are_read_where_they_stand() {
    // Twice the same line is no TOML, and each is replaced by its file.
    let main = "include = \"a.toml\"\ninclude = \"b.toml\"\n[access]\nreplay_check_len = 5\ninclude = \"c.toml\"\n\
        [access.users]\n# before\ninclude = \"none.toml\"\n\"alice\" = \"AAA\"\n[access.user_enabled]\nalice = true\n\
        include = \"d.toml\"\nuse_middle_proxy = false\n";
    let files: [(&str, &str); 6] = [
        ("config.toml", main),
        ("a.toml", "x = 1\n"),
        ("b.toml", "y = 1"),
        ("c.toml", "ignore_time_skew = true\n[access.user_rate_limits]\nalice = { up_bps = 1, down_bps = 1 }\n"),
        ("d.toml", "[general]\n"),
        ("none.toml", "\n# nothing\n"),
    ];
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| put(folder(settings), &files)).await;
    let created = app.create_user("carol", json!({})).await;
    assert_eq!(created["config_sync"]["state"], "applied", "{created}");
    let text = app.config();
    for line in main.lines().filter(|line| line.starts_with("include")) {
        assert!(text.lines().any(|kept| kept == line), "{line} in {text}");
    }
    // What the proxy reads then.
    let expanded: String = text
        .lines()
        .map(|line| {
            let included = line.strip_prefix("include = ").map(|path| path.trim_matches('"'));
            included.map_or(line.to_owned(), |path| std::fs::read_to_string(folder(&app.settings).join(path)).unwrap())
                + "\n"
        })
        .collect();
    let data: toml_edit::DocumentMut = expanded.parse().unwrap();
    let access = &data["access"];
    assert_eq!(access["users"].as_table().unwrap().len(), 2, "{expanded}");
    assert_eq!(access["users"]["alice"].as_str(), Some(A));
    assert_eq!(access["user_rate_limits"]["alice"]["up_bps"].as_integer(), Some(1));
    assert_eq!(data["general"]["use_middle_proxy"].as_bool(), Some(false));
    assert_eq!((data["x"].as_integer(), data["y"].as_integer()), (Some(1), Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_included_file_that_gets_a_managed_table_later_stops_the_writing_at_once() {
    let app = start(&[("config.toml", MAIN), ("users.toml", "[general]\n")], Engine::Sqlite).await;
    assert_eq!(app.create_user("alice", json!({})).await["config_sync"]["state"], "applied");
    let before = app.config();
    put(folder(&app.settings), &[("users.toml", "[general]\n[access.user_enabled]\nbob = false\n")]);
    let created = app.create_user("bob", json!({})).await;
    let why = created["config_sync"]["detail"].as_str().unwrap_or_default();
    assert!(why.contains("users.toml, line 2"), "{created}");
    assert_eq!(app.config(), before);
}

#[test]
fn the_command_line_understands_includes() {
    let mut place = Place::new();
    place.set("SECRET_KEY", "5f0c8a9b7d6e4f3a2b1c0d9e8f7a6b5c4d3e2f1a");
    place.run(&["migrate"]).ok();
    put(place.folder.path(), &[("config.toml", MAIN), ("users.toml", USERS)]);
    for command in [["config", "check"], ["config", "render"]] {
        let why = place.run(&command).failed();
        assert!(why.contains("users.toml, line 1") && !why.contains(B), "{why}");
    }
    // What the proxy serves may stand in an included file, too.
    put(place.folder.path(), &[("users.toml", "[censorship]\ntls_domain = \"example.com\"\n")]);
    let text = place.run(&["config", "render"]).ok();
    assert!(text.starts_with(MAIN) && text.contains("[access.users]"), "{text}");
    std::fs::write(place.path("config.toml"), text).unwrap();
    assert!(place.run(&["config", "check"]).ok().contains("says what the database says"));
}
