//! PgBouncer between the panel and PostgreSQL.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use mtpannel::store::{DatabaseUrl, Store, StoreError};
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{Answer, Engine, TestApp, eventually};

/// A PgBouncer of its own before the test server; it ends with the test.
struct Pooler {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Pooler {
    async fn start(mode: &str) -> (Self, String) {
        let folder = tempfile::tempdir().unwrap();
        let direct = Engine::Postgres.fresh(folder.path()).await;
        let (rest, socket) = direct.split_once("?host=").unwrap();
        let name = rest.rsplit_once('/').unwrap().1;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "[databases]\n* = host={socket} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = {mode}\nuser = postgres\n"
        );
        std::fs::write(folder.path().join("pgbouncer.ini"), settings).unwrap();
        let process = run(&folder);
        let pooler = Self { folder, port, process };
        pooler.listens().await;
        (pooler, format!("postgres://postgres@127.0.0.1:{port}/{name}"))
    }

    async fn listens(&self) {
        eventually("PgBouncer", async || tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok()).await;
    }

    fn end(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    async fn start_again(&mut self) {
        self.process = run(&self.folder);
        self.listens().await;
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Root may not run it, so it becomes user postgres once it has read its settings; others stay who they are.
fn run(folder: &TempDir) -> Child {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("pgbouncer");
    command.env("PATH", format!("{path}:/usr/sbin")).arg("-q").arg(folder.path().join("pgbouncer.ini"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("PgBouncer is missing: install Debian's package pgbouncer ('make test' does it as root)")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_works_behind_a_pooler_in_session_mode_and_after_it_was_away() {
    let (mut pooler, address) = Pooler::start("session").await;
    let database: DatabaseUrl = address.parse().unwrap();
    let mut app = TestApp::start_with(Engine::Sqlite, |_, settings| settings.database = database).await;
    for name in ["alice", "bobby"] {
        app.create_user(name, json!({"expire_at": "2090-01-01T00:00:00Z"})).await;
    }
    assert_eq!(app.user("alice").await["expire_at"], "2090-01-01T00:00:00Z");
    app.proxy.moves("alice", 1, 2);
    eventually("the traffic", async || app.user("alice").await["data_used"] == 3).await;

    pooler.end();
    let (refused, ready) = tokio::join!(app.get("/api/users"), app.request(Method::GET, "/health/ready").send(),);
    refused.problem(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable").await;
    let ready = ready.unwrap();
    assert_eq!(ready.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.json::<Value>().await.unwrap()["database"], false);
    pooler.start_again().await;
    app.create_user("clara", json!({})).await;
    app.restart().await;
    assert_eq!(app.get("/api/users").await.expect(StatusCode::OK).await["total"], 3);
}

#[rstest]
#[case("transaction")]
#[case("statement")]
#[tokio::test]
async fn a_pooler_that_shares_its_connections_is_refused_at_start_and_told_what_to_set(#[case] mode: &str) {
    let (_pooler, address) = Pooler::start(mode).await;
    for _ in 0..3 {
        let refused = Store::open(&address.parse().unwrap(), chrono::DateTime::UNIX_EPOCH).await.unwrap_err();
        assert!(matches!(refused, StoreError::SharedSessions), "{refused}");
        assert!(refused.to_string().contains("set pool_mode = session"), "{refused}");
    }
}
