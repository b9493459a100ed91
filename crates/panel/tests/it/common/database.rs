//! Databases of both engines for tests: real ones.

use std::path::Path;
use std::process::Command;

use sqlx::{Connection, PgConnection};

/// Which engine a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// The address of a fresh database, as it stands in an environment; the SQLite file is in `folder`.
    pub async fn fresh(self, folder: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite:///{}", folder.join("panel.db").display()),
            Self::Postgres => postgres().await,
        }
    }
}

/// Makes a fresh database on the shared test server and gives its address.
async fn postgres() -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/common/postgres.sh");
    let started = Command::new("sh").arg(script).output().unwrap();
    assert!(started.status.success(), "no PostgreSQL: {}", String::from_utf8_lossy(&started.stderr));
    let socket = String::from_utf8(started.stdout).unwrap().trim().to_owned();
    let address = |name: &str| format!("postgres://postgres@localhost/{name}?host={socket}");
    let mut admin = PgConnection::connect(&address("postgres")).await.unwrap();
    let name = format!("t{}", hex::encode(mtpannel::random::bytes::<16>()));
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {}", &name[..32]))).execute(&mut admin).await.unwrap();
    address(&name[..32])
}
