//! `mtpannel import telemt-config`.

use std::fs;
use std::time::{Duration, Instant};

use sqlx::Executor as _;

use crate::cli_support::{Panel, Place};
use crate::common::Engine;

const ALICE: &str = "00112233445566778899aabbccddeeff";
const BOB: &str = "10112233445566778899aabbccddeeff";

fn place_with(file: &str) -> Place {
    let mut place = Place::new();
    place.set("SECRET_KEY", "5f0c8a9b7d6e4f3a2b1c0d9e8f7a6b5c4d3e2f1a");
    place.run(&["migrate"]).ok();
    fs::write(place.path("other.toml"), file).unwrap();
    place
}

async fn names(place: &Place) -> Vec<(String, String)> {
    sqlx::query_as("SELECT username, secret FROM users ORDER BY username")
        .fetch_all(&mut place.connect().await)
        .await
        .unwrap()
}

fn row(name: &str, secret: &str) -> (String, String) {
    (name.to_owned(), secret.to_owned())
}

#[tokio::test]
async fn users_of_a_file_come_with_their_limits_to_those_who_are_here() {
    let file = format!(
        "[access.users]\n# from the second server\nalice = \"{ALICE}\"\nbob = \"{BOB}\"\n[access.user_data_quota]\nalice = 1000\n\
         [access.user_enabled]\nbob = false\n"
    );
    let place = place_with(&file);
    let first = place.run(&["import", "telemt-config", "other.toml"]).ok();
    assert_eq!(first, "imported: users: 2\nnew: alice\nnew: bob\n");
    let (note, limit, status): (String, i64, String) = sqlx::query_as(
        "SELECT u.note, u.data_limit, b.status FROM users u, users b WHERE u.username = 'alice' AND b.username = 'bob'",
    )
    .fetch_one(&mut place.connect().await)
    .await
    .unwrap();
    assert_eq!((note.as_str(), limit, status.as_str()), ("from the second server", 1_000, "disabled"));
    let again = place.run(&["import", "telemt-config", "other.toml"]).ok();
    assert_eq!(
        again,
        "imported: users: 0\nhere already with the same secret, unchanged: alice\n\
         here already with the same secret, unchanged: bob\n"
    );
}

#[tokio::test]
async fn users_of_included_files_come_too() {
    let place = place_with("include = \"users/all.toml\"\n");
    fs::create_dir(place.path("users")).unwrap();
    fs::write(place.path("users/all.toml"), format!("[access.users]\nalice = \"{ALICE}\"\n")).unwrap();
    place.run(&["import", "telemt-config", "other.toml"]).ok();
    assert_eq!(names(&place).await, [row("alice", ALICE)]);
}

#[tokio::test]
async fn names_of_others_and_names_outside_the_rule_get_new_ones_or_nothing_is_imported() {
    let place = place_with(&format!("[access.users]\nAlice = \"{ALICE}\"\n\"my phone\" = \"{BOB}\"\n"));
    let run = |extra: &[&str]| place.run(&[&["import", "telemt-config", "other.toml"], extra].concat());
    place.connect().await.execute(
        "INSERT INTO users (username, secret, status, created_at, updated_at, usage_base) VALUES \
         ('alice', '20112233445566778899aabbccddeeff', 'active', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', 0)",
    )
    .await
    .unwrap();
    let rule = run(&[]).failed();
    assert!(rule.contains("line 3, column 1: [access.users] \"my phone\" may hold only"), "{rule}");
    let taken = run(&["--rename", "my phone=my-phone"]).failed();
    assert!(taken.contains("belong to users with other secrets: Alice; give them new names with --rename"), "{taken}");
    assert!(run(&["--rename", "nobody=somebody"]).failed().contains("nobody is called nobody"));
    let same = run(&["--rename", "my phone=carol", "--rename", "Alice=Carol"]).failed();
    assert!(same.contains("differs from another name only by case"), "{same}");
    assert!(!taken.contains(BOB) && !rule.contains(BOB));
    assert_eq!(names(&place).await.len(), 1);
    let both = ["--rename", "my phone=my-phone", "--rename", "Alice=alice-2"];
    let rehearsed = run(&[&both[..], &["--dry-run"]].concat()).ok();
    assert_eq!(rehearsed, "nothing was imported; it would be: users: 2\nnew: alice-2\nnew: my-phone\n");
    assert_eq!(names(&place).await.len(), 1);
    run(&both).ok();
    assert_eq!(names(&place).await[1..], [row("alice-2", ALICE), row("my-phone", BOB)]);
}

#[tokio::test]
async fn postgres_takes_users_of_a_file_too() {
    let mut place = place_with(&format!("[access.users]\nalice = \"{ALICE}\"\n"));
    place.set("DATABASE_URL", &Engine::Postgres.fresh(place.folder.path()).await);
    assert!(place.run(&["import", "telemt-config", "other.toml"]).ok().contains("new: alice"));
    assert!(place.run(&["user", "list"]).ok().contains("alice"));
}

#[test]
fn a_file_that_is_missing_or_broken_imports_nothing() {
    let place = place_with("[access.users\n");
    assert!(place.run(&["import", "telemt-config", "none.toml"]).failed().contains("there is no such file"));
    assert!(place.run(&["import", "telemt-config", "other.toml"]).failed().contains("line 1, column"));
}

#[test]
fn a_panel_that_runs_serves_imported_users() {
    let mut place = place_with(&format!("[access.users]\nalice = \"{ALICE}\"\n"));
    let panel = Panel::start(&mut place);
    place.run(&["import", "telemt-config", "other.toml"]).ok();
    // A change over the API comes at once; this one is found at the next look, which comes every 30 s.
    let deadline = Instant::now() + Duration::from_mins(1);
    while !fs::read_to_string(place.path("config.toml")).unwrap().contains(ALICE) {
        assert!(Instant::now() < deadline, "the file does not have them: {}", panel.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    panel.end();
}
