//! A database that is full, read only or away: what it answers, and that everything goes on once it is well.

use mtpannel::runtime::health::Task;
use mtpannel::store::{DatabaseUrl, StoreError, state};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};

use crate::common::{Answer, Engine, PASSWORD, TestApp, eventually};

/// Has SQLite undo the transaction by itself, as it does on a full disk, whenever something is written that this names.
async fn undo(conn: &mut SqliteConnection, when: &str) {
    let text = format!("CREATE TRIGGER undo AFTER {when} BEGIN SELECT RAISE(ROLLBACK, 'undone'); END");
    conn.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
}

async fn ready(app: &TestApp) -> (StatusCode, Value) {
    let answer = app.request(Method::GET, "/health/ready").send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn file(app: &TestApp) -> SqliteConnection {
    let DatabaseUrl::Sqlite(path) = &app.settings.database else { unreachable!("it is a file") };
    crate::cli_support::connect(path).await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_write_that_sqlite_undid_by_itself_every_kind_of_write_succeeds_again() {
    let app = TestApp::start(Engine::Sqlite).await;
    let mut conn = file(&app).await;
    let login = async || {
        let body = json!({"username": "root", "password": PASSWORD});
        app.request(Method::POST, "/api/admin/token").json(&body).send().await.unwrap()
    };
    let create = async |name: &str| app.post("/api/users", &json!({"username": name})).await;
    let scrape_fails = async || app.running().app.health.task(Task::Scrape).failure.is_some();
    for (n, when) in
        ["INSERT ON users", "INSERT ON audit_log", "UPDATE ON admins", "INSERT ON system_stats"].iter().enumerate()
    {
        undo(&mut conn, when).await;
        match n {
            0 | 1 => create("refused").await.problem(StatusCode::INTERNAL_SERVER_ERROR, "internal").await,
            2 => login().await.problem(StatusCode::INTERNAL_SERVER_ERROR, "internal").await,
            _ => {
                eventually("a scrape that fails", scrape_fails).await;
                Value::Null
            }
        };
        conn.execute("DROP TRIGGER undo").await.unwrap();
        create(&format!("user-{n}")).await.expect(StatusCode::CREATED).await;
        login().await.expect(StatusCode::OK).await;
        eventually("a scrape that succeeds", async || !scrape_fails().await).await;
    }
    assert_eq!(app.get("/api/users").await.expect(StatusCode::OK).await["total"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_tells_of_a_database_that_takes_no_writes_although_it_answers() {
    let app = TestApp::start(Engine::Sqlite).await;
    eventually("readiness", async || ready(&app).await.0 == StatusCode::OK).await;
    // Every write fails, after 10 s, as long as somebody else holds the lock.
    let mut conn = file(&app).await;
    conn.execute("BEGIN IMMEDIATE").await.unwrap();
    let refused = app.post("/api/users", &json!({"username": "alice"})).await;
    assert_eq!(refused.headers()["retry-after"], "5");
    refused.problem(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable").await;
    let (status, body) = ready(&app).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((&body["database"], &body["database_writable"]), (&json!(true), &json!(false)));
    conn.execute("ROLLBACK").await.unwrap();
    app.create_user("alice", json!({})).await;
    eventually("readiness", async || ready(&app).await.0 == StatusCode::OK).await;
}

/// A connection of its own to the test's PostgreSQL database.
async fn beside(app: &TestApp) -> PgConnection {
    let DatabaseUrl::Postgres(url) = &app.settings.database else { unreachable!("it is a server") };
    PgConnection::connect(url.expose_secret()).await.unwrap()
}

/// A connection to another database of the same server, and the name of the test's.
async fn elsewhere(app: &TestApp) -> (PgConnection, String) {
    let mut conn = beside(app).await;
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut conn).await.unwrap();
    let DatabaseUrl::Postgres(url) = &app.settings.database else { unreachable!("it is a server") };
    let url = url.expose_secret().replace(&name, "postgres");
    (PgConnection::connect(&url).await.unwrap(), name)
}

async fn run(conn: &mut PgConnection, text: String) {
    conn.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
}

/// Ends every other connection to the database.
async fn end_all(conn: &mut PgConnection, name: &str) {
    let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
    run(conn, format!("{all}'{name}' AND pid <> pg_backend_pid()")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_becomes_read_only_is_told_of_and_left_for_one_that_takes_writes() {
    let app = TestApp::start(Engine::Postgres).await;
    let (mut conn, name) = elsewhere(&app).await;
    run(&mut conn, format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    end_all(&mut conn, &name).await;
    eventually("a refusal", async || {
        app.post("/api/users", &json!({"username": "alice"})).await.status() == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    let refused = app.post("/api/users", &json!({"username": "alice"})).await;
    assert_eq!(refused.headers()["retry-after"], "5");
    refused.problem(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable").await;
    let (status, body) = ready(&app).await;
    assert_eq!(
        (status, &body["database"], &body["database_writable"]),
        (503.try_into().unwrap(), &json!(true), &json!(false))
    );
    // What is read does not depend on it.
    app.get("/api/users").await.expect(StatusCode::OK).await;
    // As after a failover: new connections find the one that takes writes, the old ones do not.
    run(&mut conn, format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await;
    eventually("a new user", async || {
        app.post("/api/users", &json!({"username": "alice"})).await.status() == StatusCode::CREATED
    })
    .await;
    eventually("readiness", async || ready(&app).await.0 == StatusCode::OK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_without_space_answers_503_until_it_has_some() {
    let app = TestApp::start(Engine::Postgres).await;
    let mut conn = beside(&app).await;
    for code in ["53100", "53200", "58030"] {
        let body = format!("BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '{code}'; END");
        run(
            &mut conn,
            format!("CREATE OR REPLACE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"),
        )
        .await;
        run(&mut conn, "CREATE OR REPLACE TRIGGER no_space BEFORE INSERT ON users EXECUTE FUNCTION no_space()".into())
            .await;
        let refused = app.post("/api/users", &json!({"username": "alice"})).await;
        refused.problem(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable").await;
    }
    run(&mut conn, "DROP TRIGGER no_space ON users".into()).await;
    app.create_user("alice", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_postgres_ends_in_the_middle_of_a_transaction_are_opened_again() {
    let app = TestApp::start(Engine::Postgres).await;
    let (mut conn, name) = elsewhere(&app).await;
    let mut tx = app.store().write().await.unwrap();
    end_all(&mut conn, &name).await;
    let failed = state::bump(tx.db()).await.unwrap_err();
    assert!(matches!(failed, StoreError::Unavailable(_)), "{failed}");
    drop(tx);
    eventually("a new user", async || {
        app.post("/api/users", &json!({"username": "alice"})).await.status() == StatusCode::CREATED
    })
    .await;
    // No connection can be had at all.
    run(&mut conn, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    end_all(&mut conn, &name).await;
    let refused = app.get("/api/users").await;
    refused.problem(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable").await;
    let (status, body) = ready(&app).await;
    assert_eq!((status, &body["database"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));
    run(&mut conn, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    app.get("/api/users").await.expect(StatusCode::OK).await;
    app.create_user("bobby", json!({})).await;
}
