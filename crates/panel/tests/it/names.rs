//! Names are compared as ASCII, whatever the locale of the database.

use mtpannel::store::{DatabaseUrl, Store, StoreError};
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::json;
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::common::{Answer, Engine, TestApp};

/// The address of a fresh database whose locale is Turkish, where the lower case of I is another letter than i.
async fn turkish() -> String {
    let folder = tempfile::tempdir().unwrap();
    let beside = Engine::Postgres.fresh(folder.path()).await;
    let name = beside.split_once('?').unwrap().0.rsplit_once('/').unwrap().1;
    let mut conn = PgConnection::connect(&beside).await.unwrap();
    let text = format!("CREATE DATABASE {name}_tr TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR'");
    conn.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
    beside.replace(name, &format!("{name}_tr"))
}

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

#[tokio::test(flavor = "multi_thread")]
async fn a_turkish_database_takes_names_of_users_and_administrators_for_the_same_as_any_other() {
    let database: DatabaseUrl = turkish().await.parse().unwrap();
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| settings.database = database).await;
    app.create_user("ALI", json!({})).await;
    app.post("/api/users", &json!({"username": "ali"})).await.problem(StatusCode::CONFLICT, "conflict").await;
    app.create_user("Irina", json!({})).await;
    for name in ["irina", "IRINA", "Irina"] {
        assert_eq!(app.user(name).await["username"], "Irina", "{name}");
        let page = app.get(&format!("/api/users?search={name}")).await.expect(StatusCode::OK).await;
        assert_eq!(page["total"], 1, "{name}: {page}");
        let entries = app.audit(&format!("target={name}")).await;
        assert_eq!(entries.len(), 1, "{name}: {entries:?}");
    }
    app.create_admin("HILMI", false).await;
    let again = json!({"username": "hilmi", "password": crate::common::PASSWORD, "is_sudo": false});
    app.post("/api/admins", &again).await.problem(StatusCode::CONFLICT, "conflict").await;
    app.login("hilmi").await;
    assert_eq!(app.audit("actor=hilmi").await.len(), 2);
    let bulk = json!({"usernames": ["irina", "ali"], "action": "disable"});
    let done = app.post("/api/users/bulk", &bulk).await;
    assert!(done.status().is_success(), "{}", done.text().await.unwrap());
    assert_eq!(app.user("IRINA").await["status"], "disabled");
}

#[tokio::test]
async fn a_database_in_which_names_collide_is_left_as_it_is_and_the_names_are_told() {
    let address = turkish().await;
    let url: DatabaseUrl = address.parse().unwrap();
    let mut conn = PgConnection::connect(match &url {
        DatabaseUrl::Postgres(url) => url.expose_secret(),
        DatabaseUrl::Sqlite(_) => unreachable!("it is a server"),
    })
    .await
    .unwrap();
    let before = MIGRATIONS.iter().filter(|migration| migration.version < 3).cloned().collect();
    Migrator::with_migrations(before).run(&mut conn).await.unwrap();
    let user = |name: &str| {
        format!(
            "INSERT INTO users (username, secret, status, created_at, updated_at, usage_base) VALUES \
             ('{name}', '00112233445566778899aabbccddeeff', 'active', now(), now(), 0)"
        )
    };
    for name in ["ALI", "ali", "other"] {
        conn.execute(sqlx::AssertSqlSafe(user(name))).await.unwrap();
    }
    for name in ["IRINA", "irina"] {
        let text = format!("INSERT INTO admins (username, hashed_password, created_at) VALUES ('{name}', 'x', now())");
        conn.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
    }
    let now = chrono::DateTime::UNIX_EPOCH;
    let refused = Store::open(&url, now).await.unwrap_err();
    assert!(matches!(refused, StoreError::NamesCollide(_)), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("ALI and ali in table users") && text.contains("IRINA and irina in table admins"), "{text}");
    conn.execute("DELETE FROM users WHERE username = 'ALI'").await.unwrap();
    conn.execute("UPDATE admins SET username = 'irina2' WHERE username = 'irina'").await.unwrap();
    Store::open(&url, now).await.unwrap().close().await;
    let again = conn.execute(sqlx::AssertSqlSafe(user("OTHER"))).await.unwrap_err();
    assert!(again.as_database_error().unwrap().is_unique_violation(), "{again}");
    // The name of a user still finds its counters by an index.
    conn.execute("SET enable_seqscan = off").await.unwrap();
    let plan: Vec<(String,)> = sqlx::query_as(
        "EXPLAIN SELECT 1 FROM users u JOIN usage_meters m ON m.node_id = 1 AND m.username = u.username WHERE u.id = 1",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert!(plan.iter().any(|(line,)| line.contains("usage_meters_pkey")), "{plan:?}");
}
