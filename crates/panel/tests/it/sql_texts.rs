//! Both engines understand every statement and give rows of the same form.

use mtpannel::store::{DatabaseUrl, Store, all_texts};
use secrecy::ExposeSecret;
use sqlx::postgres::PgTypeInfo;
use sqlx::{Column as _, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection, Statement, TypeInfo as _};

use crate::common::Engine;

#[expect(clippy::disallowed_methods, reason = "the schema's copy is not looked at")]
async fn migrated(engine: Engine, folder: &std::path::Path) -> DatabaseUrl {
    let url = engine.fresh(folder).await.parse().unwrap();
    Store::open(&url, chrono::Utc::now()).await.unwrap().close().await;
    url
}

/// The name and the type of a column of a result.
type Column = (String, String);

fn columns<S: Statement>(statement: &S) -> Vec<Column> {
    let column = |column: &<S::Database as sqlx::Database>::Column| {
        (column.name().to_owned(), column.type_info().name().to_owned())
    };
    statement.columns().iter().map(column).collect()
}

async fn prepare_on_sqlite(folder: &std::path::Path) -> Vec<Vec<Column>> {
    let DatabaseUrl::Sqlite(path) = migrated(Engine::Sqlite, folder).await else { unreachable!() };
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let mut all = Vec::new();
    for text in all_texts() {
        let statement = conn.prepare(text.into_sql_str()).await;
        all.push(columns(&statement.unwrap_or_else(|error| panic!("{text}: {error}"))));
    }
    all
}

/// The types of rows in a table expression, which PostgreSQL cannot find out from the text.
fn types_of_rows(text: &str) -> Vec<PgTypeInfo> {
    let types: &[&'static str] = match text {
        text if text.starts_with("WITH changed (id, data_used, seen_at) AS (VALUES") => {
            &["INT8", "INT8", "TIMESTAMPTZ"]
        }
        _ => &[],
    };
    types.iter().copied().map(PgTypeInfo::with_name).collect()
}

async fn prepare_on_postgres(folder: &std::path::Path) -> Vec<Vec<Column>> {
    let DatabaseUrl::Postgres(url) = migrated(Engine::Postgres, folder).await else { unreachable!() };
    let mut conn = PgConnection::connect(url.expose_secret()).await.unwrap();
    let mut all = Vec::new();
    for text in all_texts() {
        let statement = conn.prepare_with(text.into_sql_str(), &types_of_rows(text)).await;
        all.push(columns(&statement.unwrap_or_else(|error| panic!("{text}: {error}"))));
    }
    all
}

/// Rust reads a column by one type on both engines.
fn is_same_type(sqlite: &str, postgres: &str) -> bool {
    // SQLite knows no type for an expression.
    let expression = sqlite == "NULL";
    match postgres {
        "INT8" => expression || sqlite == "INTEGER",
        "TEXT" => expression || sqlite == "TEXT",
        "BOOL" => expression || sqlite == "BOOLEAN",
        "FLOAT8" => expression || sqlite == "REAL",
        "TIMESTAMPTZ" => expression || sqlite == "DATETIME",
        _ => false,
    }
}

#[tokio::test]
async fn both_engines_prepare_every_text_and_give_the_same_columns() {
    let folder = tempfile::tempdir().unwrap();
    let (sqlite, postgres) = (prepare_on_sqlite(folder.path()).await, prepare_on_postgres(folder.path()).await);
    for (text, (sqlite, postgres)) in all_texts().zip(sqlite.into_iter().zip(postgres)) {
        assert_eq!(sqlite.len(), postgres.len(), "{text}");
        for ((name, kind), (name_there, kind_there)) in sqlite.iter().zip(&postgres) {
            // An expression without a name is read by its place.
            let is_named = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(!is_named || name == name_there, "{name} and {name_there}: {text}");
            assert!(is_same_type(kind, kind_there), "{name} is {kind} and {kind_there}: {text}");
        }
    }
}

#[tokio::test]
async fn the_audit_log_is_found_by_the_index_of_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let DatabaseUrl::Sqlite(path) = migrated(Engine::Sqlite, folder.path()).await else { unreachable!() };
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    for (known, index) in [
        ("lower(target) = $3", "audit_log_target"),
        ("lower(actor) = $1", "audit_log_actor"),
        ("action = $2", "audit_log_action"),
    ] {
        let texts: Vec<_> = all_texts().filter(|text| text.contains(&format!("WHERE {known} AND"))).collect();
        assert_eq!(texts.len(), 2, "a page and a count by {known}");
        for text in texts {
            let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
            let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(plan).fetch_all(&mut conn).await.unwrap();
            assert!(plan.iter().any(|step| step.3.contains(index)), "{text}: {plan:?}");
            assert!(!plan.iter().any(|step| step.3.contains("TEMP B-TREE")), "{text}: {plan:?}");
        }
    }
}

#[tokio::test]
async fn whom_a_wrong_clock_has_judged_is_found_without_reading_every_user() {
    let folder = tempfile::tempdir().unwrap();
    let DatabaseUrl::Sqlite(path) = migrated(Engine::Sqlite, folder.path()).await else { unreachable!() };
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    for (known, index) in [
        ("MAX(expire_at) FROM users", "users_status_expire_at"),
        ("MAX(next_reset_at) FROM users", "users_schedules"),
        ("u.status = 'expired' AND u.expire_at >", "users_status_expire_at"),
        ("u.reset_strategy = 'daily' AND u.next_reset_at >", "users_schedules"),
    ] {
        let text = all_texts().find(|text| text.contains(known)).unwrap();
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(plan).fetch_all(&mut conn).await.unwrap();
        assert!(plan.iter().any(|step| step.3.contains(index)), "{text}: {plan:?}");
        assert!(!plan.iter().any(|step| step.3 == "SCAN u" || step.3 == "SCAN users"), "{text}: {plan:?}");
    }
}
