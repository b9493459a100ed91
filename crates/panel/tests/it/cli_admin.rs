//! `mtpannel admin` and `mtpannel user`.

use mtpannel::runtime::password::{Passwords, Verdict};
use sqlx::Executor as _;

use crate::cli_support::Place;

const PASSWORD: &str = "canary of ten or more";

async fn verdict(place: &Place, name: &str, password: &str) -> Verdict {
    let (hash,): (String,) = sqlx::query_as("SELECT hashed_password FROM admins WHERE username = $1")
        .bind(name)
        .fetch_one(&mut place.connect().await)
        .await
        .unwrap();
    Passwords::default().verify(password.into(), Some(hash), None).await
}

#[tokio::test]
async fn without_a_terminal_a_password_is_made_and_is_all_that_stdout_shows() {
    let place = Place::new();
    let run = place.run(&["admin", "create", "root", "--sudo"]);
    let password = run.stdout.trim_end().to_owned();
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!((run.stdout.lines().count(), password.len()), (1, 24));
    assert!(!run.stderr.contains(&password));
    assert_eq!(verdict(&place, "root", &password).await, Verdict::Right);
}

#[tokio::test]
async fn a_password_from_standard_input_is_used_and_shown_nowhere() {
    let place = Place::new();
    let run = place.run_with_input(&["admin", "create", "alice", "--password-stdin"], &format!("{PASSWORD}\r\n"));
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
    assert!(!run.stderr.contains("canary"));
    assert_eq!(verdict(&place, "alice", PASSWORD).await, Verdict::Right);
}

#[test]
fn passwords_that_do_not_fit_are_refused_and_not_repeated() {
    let place = Place::new();
    for input in ["", "short", "canary-one-line\ncanary-two-lines\n"] {
        let error = place.run_with_input(&["admin", "create", "alice", "--password-stdin"], input).failed();
        assert!(!error.contains("canary") && !error.contains("short\n"), "{error}");
    }
    assert!(!place.run(&["admin", "list"]).ok().contains("alice"));
}

#[test]
fn administrators_are_listed_by_name_with_their_role() {
    let place = Place::new();
    place.run(&["admin", "create", "Root", "--sudo"]).ok();
    place.run(&["admin", "create", "alice"]).ok();
    let list = place.run(&["admin", "list"]).ok();
    let words: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(words, [["NAME", "ROLE"], ["alice", "admin"], ["Root", "sudo"]]);
}

#[test]
fn a_name_exists_once_in_any_case() {
    let place = Place::new();
    place.run(&["admin", "create", "root", "--sudo"]).ok();
    assert!(place.run(&["admin", "create", "ROOT"]).failed().contains("an administrator 'ROOT' already"));
}

#[test]
fn unless_any_does_nothing_when_there_is_an_administrator() {
    let place = Place::new();
    assert!(!place.run(&["admin", "create", "admin", "--sudo", "--unless-any"]).ok().is_empty());
    let again = place.run(&["admin", "create", "other", "--sudo", "--unless-any"]);
    assert!(again.stderr.contains("already"), "{again:?}");
    assert_eq!(again.ok(), "");
    assert!(!place.run(&["admin", "list"]).ok().contains("other"));
}

#[tokio::test]
async fn a_replaced_password_counts_and_voids_older_logins() {
    let place = Place::new();
    place.run(&["admin", "create", "root", "--sudo"]).ok();
    place.run_with_input(&["admin", "set-password", "root", "--password-stdin"], PASSWORD).ok();
    assert_eq!(verdict(&place, "root", PASSWORD).await, Verdict::Right);
    let (epoch,): (i64,) =
        sqlx::query_as("SELECT token_epoch FROM admins").fetch_one(&mut place.connect().await).await.unwrap();
    assert_eq!(epoch, 1);
    assert!(place.run(&["admin", "set-password", "nobody"]).failed().contains("no administrator 'nobody'"));
}

#[test]
fn the_last_sudo_administrator_cannot_be_deleted() {
    let place = Place::new();
    place.run(&["admin", "create", "root", "--sudo"]).ok();
    place.run(&["admin", "create", "alice"]).ok();
    assert!(place.run(&["admin", "delete", "root"]).failed().contains("last sudo administrator"));
    place.run(&["admin", "delete", "Alice"]).ok();
    assert!(place.run(&["admin", "delete", "alice"]).failed().contains("no administrator 'alice'"));
    assert_eq!(place.run(&["admin", "list"]).ok().lines().count(), 2);
}

#[tokio::test]
async fn actions_of_the_command_line_are_in_the_audit_log_without_passwords() {
    let place = Place::new();
    place.run_with_input(&["admin", "create", "root", "--sudo", "--password-stdin"], PASSWORD).ok();
    let (actor, action, after): (String, String, String) = sqlx::query_as("SELECT actor, action, after FROM audit_log")
        .fetch_one(&mut place.connect().await)
        .await
        .unwrap();
    assert_eq!((actor.as_str(), action.as_str()), ("command line", "admin.create"));
    assert!(!after.contains("canary"));
}

#[tokio::test]
async fn users_are_listed_with_the_status_of_this_moment_and_their_links_are_printed() {
    let place = Place::new();
    place.run(&["migrate"]).ok();
    place
        .connect()
        .await
        .execute(
            "INSERT INTO users (username, secret, status, data_limit, data_used, expire_at, created_at, updated_at, \
             usage_base) VALUES \
             ('Zoe', '00112233445566778899aabbccddeeff', 'active', 2147483648, 1073741824, NULL, \
              '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', 0), \
             ('bob', '10112233445566778899aabbccddeeff', 'active', NULL, 0, '2020-01-01T00:00:00+00:00', \
              '2019-01-01T00:00:00+00:00', '2019-01-01T00:00:00+00:00', 0)",
        )
        .await
        .unwrap();
    let list = place.run(&["user", "list"]).ok();
    let lines: Vec<String> = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            "NAME STATUS USED / LIMIT EXPIRES",
            "bob expired 0 B / no limit 2020-01-01T00:00:00Z",
            "Zoe active 1.00 GiB / 2.00 GiB never",
        ]
    );
    let printed = place.run(&["user", "links", "ZOE"]).ok();
    let secret = "ee00112233445566778899aabbccddeeff6578616d706c652e636f6d";
    assert_eq!(
        printed,
        format!(
            "tg://proxy?server=proxy.example.com&port=443&secret={secret}\n\
             https://t.me/proxy?server=proxy.example.com&port=443&secret={secret}\n"
        )
    );
    let with_code = place.run(&["user", "links", "zoe", "--qr"]).ok();
    let code: Vec<&str> = with_code.strip_prefix(&printed).expect("the links come first").lines().collect();
    let widths: std::collections::BTreeSet<_> = code.iter().map(|line| line.chars().count()).collect();
    // A version has 17 and 4 for each; there are 4 light ones at each side, and two rows in a line.
    let width = *widths.first().unwrap();
    assert!(widths.len() == 1 && (width - 8 - 17) % 4 == 0 && code.len() == width.div_ceil(2), "{with_code}");
    assert!(code.concat().chars().all(|c| " ▀▄█".contains(c)) && code[1].starts_with("██"), "{with_code}");
    assert!(place.run(&["user", "links", "nobody"]).failed().contains("no user \"nobody\""));
}
