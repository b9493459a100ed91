//! Table `nodes`: a database from before it keeps everything, and what belongs to a node is found by an index.

use chrono::{DateTime, Utc};
use mtpannel::store::{
    Conn, DatabaseUrl, Db, NodeId, Store, all_texts, meters, nodes, session_cuts, state, users, written_files,
};
use mtpannel_core::access::SessionCut;
use mtpannel_core::usage::{Account, Clocks, Counters, LastScrape, Meter, Presence};
use rstest::rstest;
use secrecy::ExposeSecret as _;
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};

use crate::cli_support::Place;
use crate::common::Engine;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");
const NODES: i64 = 8;

/// Rows as a panel of the schema before wrote them.
const ROWS: [&str; 5] = [
    "INSERT INTO users (username, secret, status, data_used, created_at, updated_at, usage_base) VALUES \
     ('alice', '00112233445566778899aabbccddeeff', 'active', 77, '2026-01-01T00:00:00+00:00', \
     '2026-01-01T00:00:00+00:00', 5)",
    "INSERT INTO usage_meters (username, last_from, last_to, epoch, lifetime_from, lifetime_to, connections, unique_ips) \
     VALUES ('alice', 1, 2, 3, 40, 42, 6, 7), ('Gone', 0, 0, 2, 9, 8, 0, 0)",
    "INSERT INTO departed (username, since, cut_at, settled, deleted) VALUES \
     ('Gone', '2026-01-01T00:00:01+00:00', '2026-01-01T00:00:02+00:00', TRUE, TRUE), \
     ('alice', '2026-01-01T00:00:03+00:00', NULL, FALSE, FALSE)",
    "INSERT INTO written_files (digest, written_at) VALUES ('abc', '2026-01-01T00:00:04+00:00')",
    "UPDATE panel_state SET revision = 12, file_imported = TRUE, scrape_ordinal = 34, scrape_epoch = 3, \
     scrape_uptime = 56.5, scraped_at = '2026-01-01T00:00:05+00:00', scrape_boot = 'boot', scrape_real = 7.25, \
     scrape_running = 6.5, lived_until = '2026-01-01T00:00:06+00:00', hours_rolled_until = '2025-12-31T00:00:00+00:00', \
     days_rolled_until = '2025-12-01T00:00:00+00:00', trial_writes = 4",
];

fn before(migrations: &Migrator) -> Migrator {
    let before = migrations.iter().filter(|migration| migration.version < NODES);
    Migrator::with_migrations(before.cloned().collect())
}

async fn sqlite_before(path: &std::path::Path) {
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap();
    before(&SQLITE).run(&mut conn).await.unwrap();
    for text in ROWS {
        conn.execute(text).await.unwrap();
    }
    conn.close().await.unwrap();
}

async fn postgres_before(url: &str) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    before(&POSTGRES).run(&mut conn).await.unwrap();
    for text in ROWS {
        conn.execute(text).await.unwrap();
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn account(last: (i64, i64), epoch: i64, lifetime: (i64, i64), connections: i64, unique_ips: i64) -> Account {
    let counters = |(from_client, to_client)| Counters { from_client, to_client };
    let meter = Meter { last: counters(last), epoch, lifetime: counters(lifetime) };
    Account { meter, presence: Presence { connections, unique_ips } }
}

/// The store finds every row of [`ROWS`] on the node `local`, and no other.
async fn has_the_rows(conn: &mut Conn) {
    let node = NodeId::LOCAL;
    let mut accounts = meters::of_names(conn.db(), node, ["alice", "Gone"]).await.unwrap();
    accounts.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        accounts,
        [
            ("Gone".to_owned(), account((0, 0), 2, (9, 8), 0, 0)),
            ("alice".to_owned(), account((1, 2), 3, (40, 42), 6, 7)),
        ]
    );
    let running = meters::of_names_or_running(conn.db(), node, []).await.unwrap();
    assert_eq!(running.len(), 1);

    let mut cuts = session_cuts::all(conn.db(), node).await.unwrap();
    cuts.sort_by(|a, b| a.username.cmp(&b.username));
    assert_eq!(
        cuts,
        [
            SessionCut {
                username: "Gone".parse().unwrap(),
                ordered_at: at("2026-01-01T00:00:01Z"),
                written_at: Some(at("2026-01-01T00:00:02Z")),
                user_deleted: true,
            },
            SessionCut {
                username: "alice".parse().unwrap(),
                ordered_at: at("2026-01-01T00:00:03Z"),
                written_at: None,
                user_deleted: false,
            },
        ]
    );
    assert!(!session_cuts::is_unsettled(conn.db(), node, "Gone").await.unwrap());
    assert!(session_cuts::is_unsettled(conn.db(), node, "alice").await.unwrap());

    assert!(written_files::knows(conn.db(), node, "abc").await.unwrap());
    assert_eq!(nodes::scrape_ordinal(conn.db(), node).await.unwrap(), 34);
    let scrape = LastScrape { epoch: 3, uptime: 56.5, answered_at: at("2026-01-01T00:00:05Z") };
    assert_eq!(nodes::last_scrape(conn.db(), node).await.unwrap(), Some(scrape));
    let clocks = Clocks { boot: "boot".into(), real: 7.25, running: 6.5 };
    assert_eq!(nodes::scrape_clocks(conn.db(), node).await.unwrap(), Some(clocks));

    assert_eq!(state::revision(conn.db()).await.unwrap(), 12);
    assert!(state::file_imported(conn.db()).await.unwrap());
    assert_eq!(state::lived_until(conn.db()).await.unwrap(), Some(at("2026-01-01T00:00:06Z")));
    let user = users::by_name(conn.db(), "alice", None).await.unwrap().unwrap();
    assert_eq!((user.profile.data_used, user.profile.usage_base, user.lifetime), (77, Some(5), 82));
    assert_eq!((user.connections, user.unique_ips), (6, 7));
}

/// What is only in the tables: the name of the node, and that there is one of each row.
async fn counts(conn: &mut Conn) -> Vec<(i64, i64, i64, i64, i64, String)> {
    const COUNTS: &str = "SELECT nodes.id, (SELECT COUNT(*) FROM usage_meters), (SELECT COUNT(*) FROM session_cuts), \
        (SELECT COUNT(*) FROM written_files), (SELECT trial_writes FROM panel_state), name FROM nodes";
    match conn.db() {
        Db::Sqlite(conn) => sqlx::query_as(COUNTS).fetch_all(conn).await.unwrap(),
        Db::Postgres(conn) => sqlx::query_as(COUNTS).fetch_all(conn).await.unwrap(),
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_from_before_nodes_keeps_everything_on_the_local_one(#[case] engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let url: DatabaseUrl = engine.fresh(folder.path()).await.parse().unwrap();
    match &url {
        DatabaseUrl::Sqlite(path) => sqlite_before(path).await,
        DatabaseUrl::Postgres(url) => postgres_before(url.expose_secret()).await,
    }
    let store = Store::open(&url, at("2026-01-02T00:00:00Z")).await.unwrap();
    let mut conn = store.read().await.unwrap();
    has_the_rows(&mut conn).await;
    assert_eq!(counts(&mut conn).await, [(1, 2, 2, 1, 4, "local".to_owned())]);
    drop(conn);
    // An order for a name that has a cut replaces it, and one for another name is a new one.
    let mut tx = store.write().await.unwrap();
    let now = at("2026-01-02T00:00:00Z");
    session_cuts::order(tx.db(), ["alice", "bob"], now).await.unwrap();
    let cuts = session_cuts::all(tx.db(), NodeId::LOCAL).await.unwrap();
    assert_eq!(cuts.iter().filter(|cut| cut.ordered_at == now).count(), 2);
    assert_eq!(cuts.len(), 3);
    drop(tx);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_from_before_nodes_can_be_restored() {
    let place = Place::new();
    sqlite_before(&place.path("old.db")).await;
    place.run(&["restore", "old.db"]).ok();
    place.run(&["migrate"]).ok();
    let url = DatabaseUrl::Sqlite(place.database());
    let store = Store::open(&url, at("2026-01-02T00:00:00Z")).await.unwrap();
    has_the_rows(&mut store.read().await.unwrap()).await;
    store.close().await;
}

/// Statements that look for names, and thus must not read the table.
fn look_ups() -> Vec<&'static str> {
    let names =
        ["usage_meters WHERE node_id = $2", "usage_meters m ON", "session_cuts WHERE node_id = $2 AND username"];
    let texts: Vec<_> = all_texts().filter(|text| names.iter().any(|name| text.contains(name))).collect();
    assert!(texts.len() > 10, "{texts:?}");
    texts
}

#[tokio::test]
async fn sqlite_finds_the_rows_of_a_name_by_node_and_name() {
    let folder = tempfile::tempdir().unwrap();
    let url: DatabaseUrl = Engine::Sqlite.fresh(folder.path()).await.parse().unwrap();
    Store::open(&url, at("2026-01-02T00:00:00Z")).await.unwrap().close().await;
    let DatabaseUrl::Sqlite(path) = url else { unreachable!() };
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    for text in look_ups() {
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(plan).fetch_all(&mut conn).await.unwrap();
        assert!(plan.iter().any(|step| step.3.contains("(node_id=? AND username=?)")), "{text}: {plan:?}");
    }
}

#[tokio::test]
async fn postgres_finds_the_rows_of_a_name_by_node_and_name() {
    let folder = tempfile::tempdir().unwrap();
    let url: DatabaseUrl = Engine::Postgres.fresh(folder.path()).await.parse().unwrap();
    Store::open(&url, at("2026-01-02T00:00:00Z")).await.unwrap().close().await;
    let DatabaseUrl::Postgres(url) = url else { unreachable!() };
    let mut conn = PgConnection::connect(url.expose_secret()).await.unwrap();
    for text in [
        "INSERT INTO usage_meters (node_id, username, last_from, last_to, epoch, lifetime_from, lifetime_to) \
         SELECT 1, 'user-' || n, 0, 0, 0, 0, 0 FROM generate_series(1, 20000) AS n",
        "ANALYZE usage_meters",
        // Whether an index can serve, not whether it is the cheapest way for so few rows.
        "SET enable_seqscan = off",
    ] {
        conn.execute(text).await.unwrap();
    }
    for text in [
        "SELECT epoch FROM usage_meters WHERE node_id = 1 AND username IN \
         (SELECT key FROM json_each('{\"user-7\": 0, \"user-9\": 0}'))",
        "SELECT m.epoch FROM users u LEFT JOIN usage_meters m ON m.node_id = 1 AND m.username = u.username \
         WHERE lower(u.username) = 'user-7'",
    ] {
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN {text}"));
        let plan: Vec<(String,)> = sqlx::query_as(plan).fetch_all(&mut conn).await.unwrap();
        assert!(plan.iter().any(|(line,)| line.contains("Index Cond: ((node_id = 1) AND (username =")), "{plan:?}");
    }
}
