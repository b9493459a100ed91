//! `mtpannel import panel-db`.

use std::collections::HashMap;
use std::fs;

use mtpannel::runtime::password::{Passwords, Verdict};
use mtpannel::store::{NodeId, Store, admins, meters, system, traffic, users};
use mtpannel_core::user::{Limits, Status};
use sqlx::{Connection as _, Executor as _};

use crate::cli_support::{Place, connect};
use crate::common::{Engine, FakeProxy};

/// As the old panel makes them.
const TABLES: [&str; 4] = [
    "CREATE TABLE admins (id INTEGER NOT NULL, username VARCHAR(64) NOT NULL, hashed_password VARCHAR(256) NOT NULL, \
     is_sudo BOOLEAN NOT NULL, created_at DATETIME DEFAULT (CURRENT_TIMESTAMP), PRIMARY KEY (id))",
    "CREATE TABLE users (id INTEGER NOT NULL, username VARCHAR(32) NOT NULL, secret VARCHAR(32) NOT NULL, \
     status VARCHAR(32) NOT NULL, data_limit BIGINT, data_used BIGINT NOT NULL, max_connections INTEGER, \
     max_unique_ips INTEGER, expire_at DATETIME, note TEXT, created_at DATETIME DEFAULT (CURRENT_TIMESTAMP), \
     created_by_admin_id INTEGER, last_seen_at DATETIME, PRIMARY KEY (id))",
    "CREATE TABLE traffic_logs (id INTEGER NOT NULL, user_id INTEGER NOT NULL, octets_from BIGINT NOT NULL, \
     octets_to BIGINT NOT NULL, recorded_at DATETIME DEFAULT (CURRENT_TIMESTAMP), PRIMARY KEY (id))",
    "CREATE TABLE system_stats (id INTEGER NOT NULL, uptime FLOAT NOT NULL, total_connections INTEGER NOT NULL, \
     bad_connections INTEGER NOT NULL, recorded_at DATETIME DEFAULT (CURRENT_TIMESTAMP), PRIMARY KEY (id))",
];

/// Three users: one whose log tells their usage, one who is disabled and over the limit, one whose admin is gone.
async fn old_panel(place: &Place) -> sqlx::SqliteConnection {
    let mut conn = connect(&place.path("old.db")).await;
    for table in TABLES {
        conn.execute(table).await.unwrap();
    }
    sqlx::query("INSERT INTO admins VALUES (4, 'boss', $1, 1, '2025-01-01 00:00:00'), (9, 'helper', $1, 0, '2025-01-02 00:00:00')")
        .bind(bcrypt::hash("the old password", 4).unwrap())
        .execute(&mut conn)
        .await
        .unwrap();
    conn.execute(
        "INSERT INTO users (id, username, secret, status, data_limit, data_used, max_connections, max_unique_ips, \
         expire_at, note, created_at, created_by_admin_id) VALUES \
         (10, 'alice', '00112233445566778899AABBCCDDEEFF', 'active', 1000, 300, 3, 2, '2999-01-02 03:04:05.678901', \
          'нота', '2025-06-01 10:00:00.123456', 9), \
         (11, 'Bob', '10112233445566778899aabbccddeeff', 'disabled', 5, 50, NULL, NULL, NULL, NULL, \
          '2025-06-02 10:00:00', 4), \
         (15, 'carol', '20112233445566778899aabbccddeeff', 'active', NULL, 0, NULL, NULL, '2025-07-01T00:00:00+03:00', '', \
          '2025-06-03 10:00:00', 77)",
    )
    .await
    .unwrap();
    conn.execute(
        "INSERT INTO traffic_logs (user_id, octets_from, octets_to, recorded_at) VALUES \
         (10, 100, 150, '2026-01-01 00:00:00.5'), (10, 10, 40, '2026-01-01 00:00:30.5'), \
         (11, 20, -5, '2026-01-01 00:00:30.6'), (99, 1, 2, '2026-01-01 00:00:30.7')",
    )
    .await
    .unwrap();
    conn.execute("INSERT INTO system_stats VALUES (1, 12.5, 7, 2, '2026-01-01 00:00:30.5'), (2, 13, 8, 2, '2026-01-01 00:01:00')")
        .await
        .unwrap();
    conn
}

async fn counts(place: &Place) -> (i64, i64) {
    let mut conn = place.connect().await;
    sqlx::query_as("SELECT (SELECT COUNT(*) FROM admins), (SELECT COUNT(*) FROM users)")
        .fetch_one(&mut conn)
        .await
        .unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the moment does not matter here")]
async fn open(url: &str) -> Store {
    Store::open(&url.parse().unwrap(), chrono::Utc::now()).await.unwrap()
}

async fn takes_over_everything(engine: Engine) {
    let mut place = Place::new();
    let url = engine.fresh(place.folder.path()).await;
    place.set("DATABASE_URL", &url);
    old_panel(&place).await.close().await.unwrap();
    let told = place.run(&["import", "panel-db", "old.db"]);
    assert!(told.stderr.contains("metrics at TELEMT_METRICS_URL could not be read"), "{told:?}");
    assert!(told.stderr.contains("Restart the proxy"), "{told:?}");
    assert_eq!(
        told.ok(),
        "imported: administrators: 2, users: 3, traffic rows: 3, rows of proxy figures: 2\n\
         users without an owner, because theirs is gone: 1\n\
         traffic rows of deleted users, now in the totals only: 1\n\
         negative numbers in traffic rows, now 0: 1\n"
    );

    let store = open(&url).await;
    let mut conn = store.read().await.unwrap();
    let alice = users::by_name(conn.db(), "alice", None).await.unwrap().unwrap();
    assert_eq!(alice.secret.to_hex(), "00112233445566778899aabbccddeeff");
    assert_eq!((alice.profile.status, alice.profile.data_used), (Status::Active, 300));
    let limits = Limits { data: Some(1000), connections: Some(3), addresses: Some(2) };
    assert_eq!((alice.profile.limits.numbers(), alice.profile.note.as_str()), (limits, "нота"));
    assert_eq!(alice.profile.expire_at, Some("2999-01-02T03:04:05Z".parse().unwrap()));
    assert_eq!(alice.created_at, "2025-06-01T10:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    assert_eq!((alice.owner.as_deref(), alice.profile.usage_base, alice.lifetime), (Some("helper"), Some(0), 300));
    let bob = users::by_name(conn.db(), "bob", None).await.unwrap().unwrap();
    assert_eq!(
        (bob.username.as_str(), bob.profile.status, bob.owner.as_deref()),
        ("Bob", Status::Disabled, Some("boss"))
    );
    assert_eq!((bob.profile.usage_base, bob.lifetime, bob.profile.note.as_str()), (Some(0), 50, ""));
    let carol = users::by_name(conn.db(), "carol", None).await.unwrap().unwrap();
    assert_eq!((carol.profile.status, carol.owner), (Status::Expired, None));
    assert_eq!(carol.profile.expire_at, Some("2025-06-30T21:00:00Z".parse().unwrap()));

    let meter = meters::of_names(conn.db(), NodeId::LOCAL, ["alice"]).await.unwrap()[0].1.meter;
    assert_eq!((meter.lifetime.from_client, meter.lifetime.to_client, meter.epoch), (110, 190, 0));
    let (from, to) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2026-01-02T00:00:00Z".parse().unwrap());
    let logs = traffic::of_user(conn.db(), alice.id, from, to).await.unwrap();
    assert_eq!(logs.iter().map(|row| (row.octets_from, row.octets_to)).collect::<Vec<_>>(), [(100, 150), (10, 40)]);
    assert_eq!(logs[1].recorded_at, "2026-01-01T00:00:30Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    let totals = traffic::of_scope(conn.db(), None, from, to).await.unwrap();
    assert_eq!(totals.iter().map(|row| (row.octets_from, row.octets_to)).collect::<Vec<_>>(), [(100, 150), (31, 42)]);
    let stats = system::latest(conn.db()).await.unwrap().unwrap();
    assert_eq!((stats.uptime, stats.total_connections, stats.bad_connections), (13.0, 8, 2));

    let boss = admins::by_name(conn.db(), "boss").await.unwrap().unwrap();
    assert!(boss.is_sudo);
    let hash = admins::credentials(conn.db(), "boss").await.unwrap().unwrap().hashed_password;
    let verdict = Passwords::default().verify("the old password".into(), Some(hash), None).await;
    assert!(matches!(verdict, Verdict::RightWithBetterHash(_)));
}

#[tokio::test]
async fn sqlite_takes_over_everything() {
    takes_over_everything(Engine::Sqlite).await;
}

#[tokio::test]
async fn postgres_takes_over_everything() {
    takes_over_everything(Engine::Postgres).await;
}

#[tokio::test]
async fn imported_times_are_stored_like_all_others() {
    let place = Place::new();
    old_panel(&place).await.close().await.unwrap();
    place.run(&["import", "panel-db", "old.db"]).ok();
    let (created, expires): (String, String) = sqlx::query_as("SELECT created_at, expire_at FROM users WHERE id = 1")
        .fetch_one(&mut place.connect().await)
        .await
        .unwrap();
    assert_eq!((created.as_str(), expires.as_str()), ("2025-06-01T10:00:00+00:00", "2999-01-02T03:04:05+00:00"));
}

#[tokio::test]
async fn the_counters_of_a_proxy_that_answers_become_the_base() {
    let mut place = Place::new();
    let proxy = FakeProxy::start().await;
    proxy.moves("alice", 600, 200);
    proxy.moves("Bob", 10, 10);
    place.set("TELEMT_METRICS_URL", &proxy.url());
    old_panel(&place).await.close().await.unwrap();
    // The proxy answers from this very thread.
    let run = tokio::task::spawn_blocking(move || {
        let run = place.run(&["import", "panel-db", "old.db"]);
        (place, run)
    });
    let (place, run) = run.await.unwrap();
    assert_eq!(run.stderr, "");
    assert!(run.ok().contains("the proxy's present counters are the base"));
    let store = open(&format!("sqlite:///{}", place.database().display())).await;
    let mut conn = store.read().await.unwrap();
    let accounts: HashMap<_, _> =
        meters::of_names(conn.db(), NodeId::LOCAL, ["alice", "Bob", "carol"]).await.unwrap().into_iter().collect();
    let meter = |name: &str| accounts[name].meter;
    // The proxy has counted more than the old panel: what it shows counts for nobody.
    let alice = users::by_name(conn.db(), "alice", None).await.unwrap().unwrap();
    assert_eq!((alice.profile.data_used, alice.profile.usage_base, alice.lifetime), (300, Some(500), 800));
    assert_eq!((meter("alice").last.from_client, meter("alice").last.to_client), (600, 200));
    // Or less.
    let bob = users::by_name(conn.db(), "Bob", None).await.unwrap().unwrap();
    assert_eq!((bob.profile.data_used, bob.profile.usage_base, bob.lifetime), (50, Some(0), 50));
    assert_eq!((meter("Bob").last.total(), meter("Bob").epoch, meter("carol").epoch), (20, 1, 0));
}

#[tokio::test]
async fn every_problem_is_told_by_row_and_column_and_nothing_is_imported() {
    let place = Place::new();
    let mut old = old_panel(&place).await;
    for statement in [
        "UPDATE admins SET hashed_password = 'canary' WHERE id = 9",
        "UPDATE users SET secret = 'canary', data_limit = -7 WHERE id = 10",
        "UPDATE users SET username = 'ALICE', max_connections = -1, status = 'gone' WHERE id = 11",
        "UPDATE users SET data_used = 'three', expire_at = 'soon', created_at = 5 WHERE id = 15",
        "INSERT INTO users (id, username, secret, status, data_used, created_at) VALUES \
         (16, 'a b', '00112233445566778899aabbccddeeff', 'active', 'much', '2025-06-01 10:00:00')",
        "INSERT INTO users (id, username, secret, status, data_used, created_at) VALUES \
         (17, 'dave', '00112233445566778899aabbccddeeff', 'active', 0, '2025-06-01 10:00:00'), \
         (18, 'Dave', '00112233445566778899aabbccddeeff', 'active', 0, '2025-06-01 10:00:00')",
        "UPDATE traffic_logs SET recorded_at = 5 WHERE id = 2",
        "UPDATE system_stats SET uptime = 'long' WHERE id = 1",
    ] {
        old.execute(statement).await.unwrap();
    }
    old.close().await.unwrap();
    place.run(&["migrate"]).ok();
    let error = place.run(&["import", "panel-db", "old.db"]).failed();
    for place in [
        "admins, row 9, hashed_password: ",
        "users, row 10, secret: ",
        "users, row 10, data_limit: ",
        "users, row 11, max_connections: ",
        "users, row 11, status: ",
        "users, row 15, data_used: ",
        "users, row 15, expire_at: ",
        "users, row 15, created_at: ",
        "users, row 16, username: ",
        "users, row 16, data_used: ",
        "users, row 18, username: ",
        "traffic_logs, row 2, recorded_at: ",
        "system_stats, row 1, uptime: ",
    ] {
        assert!(error.contains(place), "{place} in {error}");
    }
    assert!(error.contains("13 problems; nothing was imported") && !error.contains("canary"), "{error}");
    assert_eq!(counts(&place).await, (0, 0));
}

#[tokio::test]
async fn an_administrator_whose_name_exists_stays_and_owns_the_users_of_that_name() {
    let place = Place::new();
    old_panel(&place).await.close().await.unwrap();
    let password = place.run(&["admin", "create", "Helper", "--sudo"]).ok();
    assert!(place.run(&["import", "panel-db", "old.db"]).ok().contains("stay as they are: Helper\n"));
    let store = open(&format!("sqlite:///{}", place.database().display())).await;
    let mut conn = store.read().await.unwrap();
    let hash = admins::credentials(conn.db(), "helper").await.unwrap().unwrap().hashed_password;
    assert_eq!(Passwords::default().verify(password.trim_end().into(), Some(hash), None).await, Verdict::Right);
    assert_eq!(users::by_name(conn.db(), "alice", None).await.unwrap().unwrap().owner.as_deref(), Some("Helper"));
}

#[tokio::test]
async fn a_database_with_users_or_a_running_panel_takes_nothing() {
    let place = Place::new();
    old_panel(&place).await.close().await.unwrap();
    let lock = mtpannel::store::InstanceLock::acquire(&place.database()).unwrap();
    assert!(place.run(&["import", "panel-db", "old.db"]).failed().contains("is in use by another mtpannel"));
    drop(lock);
    place.run(&["import", "panel-db", "old.db"]).ok();
    assert!(place.run(&["import", "panel-db", "old.db"]).failed().contains("holds 3 users already"));
    assert_eq!(counts(&place).await, (2, 3));
}

#[tokio::test]
async fn what_is_no_old_panel_is_refused() {
    let place = Place::new();
    place.run(&["migrate"]).ok();
    fs::write(place.path("garbage"), "no database at all, but long enough to be one").unwrap();
    connect(&place.path("foreign")).await.execute("CREATE TABLE admins (id INTEGER)").await.unwrap();
    for file in ["missing", "garbage", "foreign", "panel.db"] {
        place.run(&["import", "panel-db", file]).failed();
    }
    assert_eq!(counts(&place).await, (0, 0));
}

#[tokio::test]
async fn a_hundred_thousand_rows_are_taken_over_in_seconds() {
    let place = Place::new();
    let mut old = old_panel(&place).await;
    old.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) \
         INSERT INTO traffic_logs (user_id, octets_from, octets_to, recorded_at) \
         SELECT 10, 1, 1, datetime(1767225600 + i, 'unixepoch') FROM n",
    )
    .await
    .unwrap();
    old.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
         INSERT INTO users (username, secret, status, data_used, created_at) \
         SELECT 'user' || i, '00112233445566778899aabbccddeeff', 'active', i, '2025-06-01 10:00:00' FROM n",
    )
    .await
    .unwrap();
    old.close().await.unwrap();
    let begin = std::time::Instant::now();
    assert!(place.run(&["import", "panel-db", "old.db"]).ok().contains("users: 20003, traffic rows: 100004"));
    assert!(begin.elapsed().as_secs() < 30, "{:?}", begin.elapsed());
}

/// Rows that older panels really hold and that have a plain meaning.
async fn odd_rows(old: &mut sqlx::SqliteConnection) {
    for statement in [
        "UPDATE users SET data_used = -3, data_limit = 0, max_connections = 0, max_unique_ips = 0 WHERE id = 10",
        "UPDATE users SET username = 'my phone', note = replace(hex(zeroblob(501)), '0', 'ы') WHERE id = 11",
        "UPDATE users SET username = 'ALICE', created_at = NULL WHERE id = 15",
        "UPDATE admins SET username = 'b', created_at = NULL WHERE id = 9",
        "UPDATE system_stats SET total_connections = -1 WHERE id = 2",
    ] {
        old.execute(statement).await.unwrap();
    }
}

const RENAMES: [&str; 6] = ["--rename", "my phone=my-phone", "--rename", "ALICE=alice-2", "--rename", "b=bob-admin"];

#[tokio::test]
async fn what_has_a_plain_meaning_is_taken_over_and_every_change_is_listed() {
    let place = Place::new();
    let mut old = old_panel(&place).await;
    odd_rows(&mut old).await;
    old.close().await.unwrap();
    let told = place.run(&[&["import", "panel-db", "old.db"], &RENAMES[..]].concat()).ok();
    for change in [
        "changed: users, row 10, data_used: -3 becomes 0\n",
        "changed: users, row 10, data_limit: 0 becomes no limit\n",
        "changed: users, row 10, max_connections: 0 becomes no limit\n",
        "changed: users, row 10, max_unique_ips: 0 becomes no limit\n",
        "changed: users, row 11, username: \"my phone\" becomes my-phone\n",
        "changed: users, row 11, note: loses 2 characters",
        "changed: users, row 15, username: \"ALICE\" becomes alice-2\n",
        "changed: users, row 15, created_at: is empty",
        "changed: admins, row 9, username: \"b\" becomes bob-admin\n",
        "changed: admins, row 9, created_at: is empty",
        "changed: system_stats, row 2, total_connections: -1 becomes 0\n",
    ] {
        assert!(told.contains(change), "{change} in {told}");
    }
    let store = open(&format!("sqlite:///{}", place.database().display())).await;
    let mut conn = store.read().await.unwrap();
    let alice = users::by_name(conn.db(), "alice", None).await.unwrap().unwrap();
    assert_eq!((alice.profile.data_used, alice.profile.limits), (0, Limits::default()));
    assert_eq!(alice.owner.as_deref(), Some("bob-admin"));
    let phone = users::by_name(conn.db(), "my-phone", None).await.unwrap().unwrap();
    assert_eq!(phone.profile.note, "ы".repeat(1_000));
    assert!(users::by_name(conn.db(), "alice-2", None).await.unwrap().is_some());
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_imports_nothing() {
    let place = Place::new();
    let mut old = old_panel(&place).await;
    odd_rows(&mut old).await;
    old.close().await.unwrap();
    let arguments = [&["import", "panel-db", "old.db"], &RENAMES[..]].concat();
    let rehearsed = place.run(&[&arguments[..], &["--dry-run"]].concat()).ok();
    assert_eq!(counts(&place).await, (0, 0));
    let done = place.run(&arguments).ok();
    assert_eq!(rehearsed.replace("nothing was imported; it would be: ", "imported: "), done);
    assert_eq!(counts(&place).await, (2, 3));
}

#[tokio::test]
async fn names_outside_the_rule_and_a_rename_of_nobody_are_refused_with_what_to_do() {
    let place = Place::new();
    let mut old = old_panel(&place).await;
    odd_rows(&mut old).await;
    old.close().await.unwrap();
    place.run(&["migrate"]).ok();
    let error = place.run(&["import", "panel-db", "old.db", "--dry-run"]).failed();
    assert!(error.contains("users, row 11, username: \"my phone\" may hold only"), "{error}");
    assert!(error.contains("admins, row 9, username: \"b\" must have 3 to 32 characters"), "{error}");
    assert!(error.contains("give it another name with --rename"), "{error}");
    let unused = place.run(&[&["import", "panel-db", "old.db", "--rename", "phone=other"], &RENAMES[..]].concat());
    assert!(unused.failed().contains("nobody is called phone"));
    let collision = place.run(&[&["import", "panel-db", "old.db"], &RENAMES[..4], &["--rename", "b=boss"]].concat());
    assert!(collision.failed().contains("admins, row 9, username: \"boss\" is the name of row 4, too"));
    assert_eq!(counts(&place).await, (0, 0));
}
