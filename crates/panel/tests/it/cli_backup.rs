//! `mtpannel backup` and `mtpannel restore`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use mtpannel::store::InstanceLock;
use sqlx::{Connection as _, Executor as _};

use crate::cli_support::{Place, connect};

const USER: &str = "INSERT INTO users (username, secret, status, data_used, created_at, updated_at, usage_base) VALUES \
    ('alice', '00112233445566778899aabbccddeeff', 'active', 77, '2026-01-01T00:00:00+00:00', \
    '2026-01-01T00:00:00+00:00', 5)";
const METER: &str = "INSERT INTO usage_meters (node_id, username, last_from, last_to, epoch, lifetime_from, lifetime_to) VALUES \
    (1, 'alice', 1, 2, 3, 40, 42)";
const LOG: &str = "INSERT INTO traffic_logs (user_id, octets_from, octets_to, recorded_at) VALUES \
    (1, 7, 70, '2026-01-01T00:00:00+00:00')";

/// A database with an administrator, a user, their meter and their traffic.
async fn filled() -> Place {
    let place = Place::new();
    place.run(&["admin", "create", "root", "--sudo"]).ok();
    let mut conn = place.connect().await;
    for statement in [USER, METER, LOG] {
        conn.execute(statement).await.unwrap();
    }
    conn.close().await.unwrap();
    place
}

/// Everything that must survive.
async fn state(place: &Place) -> Vec<String> {
    let mut conn = place.connect().await;
    let texts = [
        "SELECT username || secret || status || data_used || usage_base FROM users",
        "SELECT username || last_from || ',' || last_to || ',' || epoch || ',' || lifetime_from || ',' || lifetime_to \
         FROM usage_meters",
        "SELECT user_id || ',' || octets_from || ',' || octets_to || recorded_at FROM traffic_logs",
        "SELECT username || hashed_password || is_sudo FROM admins",
        // Backups and lists, which stand in the log as well, have no target.
        "SELECT actor || action || target FROM audit_log WHERE target IS NOT NULL",
    ];
    let mut state = Vec::new();
    for text in texts {
        let rows: Vec<(String,)> = sqlx::query_as(text).fetch_all(&mut conn).await.unwrap();
        state.extend(rows.into_iter().map(|(row,)| row));
    }
    conn.close().await.unwrap();
    state
}

fn names(place: &Place) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_restored_backup_gives_everything_back_and_voids_logins() {
    let place = filled().await;
    let before = state(&place).await;
    place.run(&["backup", "copy.db"]).ok();
    assert_eq!(fs::metadata(place.path("copy.db")).unwrap().permissions().mode() & 0o777, 0o600);
    let mut conn = place.connect().await;
    conn.execute("DELETE FROM users").await.unwrap();
    conn.execute("UPDATE usage_meters SET lifetime_to = 999").await.unwrap();
    conn.close().await.unwrap();
    place.run(&["admin", "create", "intruder", "--sudo"]).ok();
    let changed = state(&place).await;

    let run = place.run(&["restore", "copy.db"]);
    assert!(run.stderr.contains("users: 1, administrators: 1"), "{run:?}");
    run.ok();
    assert_eq!(state(&place).await, before);
    let (epoch,): (i64,) =
        sqlx::query_as("SELECT token_epoch FROM admins").fetch_one(&mut place.connect().await).await.unwrap();
    assert!(epoch > 1_000_000_000, "{epoch}");

    // The database before is whole, too.
    let kept = names(&place).into_iter().find(|name| name.starts_with("panel.db.before-restore-")).unwrap();
    assert!(!place.path("panel.db-wal").exists() || fs::metadata(place.path("panel.db-wal")).unwrap().len() == 0);
    place.run(&["restore", &kept]).ok();
    assert_eq!(state(&place).await, changed);
    assert!(!names(&place).iter().any(|name| name.starts_with(".mtpannel-copy-")));
}

#[tokio::test]
async fn a_backup_holds_what_is_only_in_the_write_ahead_log_and_replaces_no_file() {
    let place = filled().await;
    let mut open = place.connect().await;
    open.execute("PRAGMA wal_autocheckpoint = 0").await.unwrap();
    open.execute("UPDATE users SET data_used = 78").await.unwrap();
    place.run(&["backup", "copy.db"]).ok();
    let mut copy = connect(&place.path("copy.db")).await;
    let (used,): (i64,) = sqlx::query_as("SELECT data_used FROM users").fetch_one(&mut copy).await.unwrap();
    assert_eq!(used, 78);
    let bytes = fs::read(place.path("copy.db")).unwrap();
    assert!(place.run(&["backup", "copy.db"]).failed().contains("exists already"));
    assert_eq!(fs::read(place.path("copy.db")).unwrap(), bytes);
}

#[tokio::test]
async fn a_backup_can_be_restored_where_there_is_no_database() {
    let mut place = filled().await;
    place.run(&["backup", "copy.db"]).ok();
    let before = state(&place).await;
    place.set("DATABASE_URL", "sqlite:///new/panel.db");
    place.run(&["restore", "copy.db"]).ok();
    place.set("DATABASE_URL", "sqlite:///panel.db");
    fs::rename(place.path("new/panel.db"), place.database()).unwrap();
    assert_eq!(state(&place).await, before);
}

#[tokio::test]
async fn what_cannot_be_the_database_changes_nothing() {
    let place = filled().await;
    place.run(&["backup", "copy.db"]).ok();
    let before = state(&place).await;

    fs::write(place.path("garbage"), "no database at all, but long enough to be one").unwrap();
    let whole = fs::read(place.path("copy.db")).unwrap();
    fs::write(place.path("half"), &whole[..whole.len() / 2]).unwrap();
    fs::copy(place.path("copy.db"), place.path("newer")).unwrap();
    connect(&place.path("newer"))
        .await
        .execute("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 2")
        .await
        .unwrap();
    fs::copy(place.path("copy.db"), place.path("changed")).unwrap();
    connect(&place.path("changed")).await.execute("UPDATE _sqlx_migrations SET checksum = x'00'").await.unwrap();
    fs::copy(place.path("copy.db"), place.path("dangling")).unwrap();
    let mut dangling = connect(&place.path("dangling")).await;
    dangling.execute("PRAGMA foreign_keys = OFF").await.unwrap();
    dangling.execute("DELETE FROM users").await.unwrap();
    dangling.close().await.unwrap();
    connect(&place.path("foreign")).await.execute("CREATE TABLE something (id INTEGER)").await.unwrap();
    let mut older = connect(&place.path("older")).await;
    for table in ["admins", "users", "traffic_logs"] {
        older.execute(sqlx::AssertSqlSafe(format!("CREATE TABLE {table} (id INTEGER)"))).await.unwrap();
    }
    older.close().await.unwrap();

    for (file, reason) in [
        ("missing", "No such file"),
        ("garbage", "is not an SQLite database"),
        ("half", "is damaged"),
        ("newer", "schema version 9999"),
        ("changed", "step 1 of its schema"),
        ("dangling", "rows that are missing"),
        ("foreign", "it has no table admins"),
        ("older", "import panel-db"),
        ("panel.db", "is the database itself"),
    ] {
        let error = place.run(&["restore", file]).failed();
        assert!(error.contains(reason), "{file}: {error}");
        assert_eq!(state(&place).await, before, "{file}");
    }
    assert!(!names(&place).iter().any(|name| name.contains("before-restore") || name.starts_with(".mtpannel-copy-")));
}

#[tokio::test]
async fn restore_is_refused_while_a_panel_serves_or_somebody_has_the_database_open() {
    let place = filled().await;
    place.run(&["backup", "copy.db"]).ok();
    let before = state(&place).await;
    let lock = InstanceLock::acquire(&place.database()).unwrap();
    assert!(place.run(&["restore", "copy.db"]).failed().contains("is in use by another mtpannel"));
    // Everything else goes on.
    place.run(&["backup", "other.db"]).ok();
    place.run(&["user", "list"]).ok();
    drop(lock);
    let mut open = place.connect().await;
    open.execute("SELECT * FROM users").await.unwrap();
    assert!(place.run(&["restore", "copy.db"]).failed().contains("is in use by another mtpannel"));
    open.close().await.unwrap();
    assert_eq!(state(&place).await, before);
    place.run(&["restore", "copy.db"]).ok();
}

#[tokio::test]
async fn a_damaged_database_is_replaced_and_kept_with_its_log() {
    let place = filled().await;
    let before = state(&place).await;
    place.run(&["backup", "copy.db"]).ok();
    fs::write(place.database(), "damaged").unwrap();
    fs::write(place.path("panel.db-wal"), "stale").unwrap();
    place.run(&["restore", "copy.db"]).ok();
    assert_eq!(state(&place).await, before);
    let kept =
        names(&place).into_iter().find(|name| name.contains("before-restore-") && !name.ends_with("-wal")).unwrap();
    assert_eq!(fs::read_to_string(place.path(&kept)).unwrap(), "damaged");
}

#[test]
fn postgres_is_left_to_its_own_tools_without_the_password() {
    let mut place = Place::new();
    place.set("DATABASE_URL", "postgres://panel:canary@db.example.com:5433/mtp");
    let options = "--host='db.example.com' --port=5433 --username='panel' --dbname='mtp'";
    for (command, tool) in [("backup", "pg_dump"), ("restore", "pg_restore")] {
        let error = place.run(&[command, "copy.db"]).failed();
        assert!(error.contains(tool) && error.contains(options) && !error.contains("canary"), "{error}");
    }
}
