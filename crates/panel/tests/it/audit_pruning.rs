//! The audit log gives up what is older than the operator keeps, and nothing else.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel::store::audit::{self, Action};
use mtpannel::store::{Db, Store};
use rstest::rstest;
use sqlx::Executor as _;

use crate::common::{Engine, TestApp, eventually};

fn entry(at: DateTime<Utc>, target: &str) -> Action {
    Action {
        at,
        actor: "root".into(),
        address: None,
        name: "user.create".into(),
        target: Some(target.into()),
        before: None,
        after: None,
    }
}

/// Has a statement run in a transaction of its own and committed, or gives why it was refused.
async fn attempt(store: &Store, statements: &[&'static str]) -> Result<(), String> {
    let mut tx = store.write().await.unwrap();
    for statement in statements {
        let outcome = match tx.db() {
            Db::Sqlite(conn) => conn.execute(*statement).await.map(drop),
            Db::Postgres(conn) => conn.execute(*statement).await.map(drop),
        };
        outcome.map_err(|error| error.to_string())?;
    }
    tx.commit().await.map_err(|error| error.to_string())
}

async fn with_old_entries(engine: Engine, kept_for: Option<Duration>) -> TestApp {
    let mut app = TestApp::start_with(engine, |_, settings| settings.audit_kept_for = kept_for).await;
    let now = app.clock.now();
    let days = |days| now - TimeDelta::days(days);
    let mut old: Vec<_> = (0..6_000).map(|n| entry(days(400) + TimeDelta::seconds(n), "old")).collect();
    old.extend([entry(days(366), "past"), entry(days(364), "kept"), entry(now, "new")]);
    let mut tx = app.store().write().await.unwrap();
    audit::insert(tx.db(), &old).await.unwrap();
    tx.commit().await.unwrap();
    app.restart().await;
    app
}

async fn targets(app: &TestApp, target: &str) -> usize {
    app.audit(&format!("target={target}")).await.len()
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn entries_older_than_a_year_go_and_everything_else_is_still_refused(#[case] engine: Engine) {
    let app = with_old_entries(engine, Some(Duration::from_hours(24 * 365))).await;
    eventually("the end of the old entries", async || targets(&app, "old").await == 0).await;
    eventually("the end of the last", async || targets(&app, "past").await == 0).await;
    assert_eq!((targets(&app, "kept").await, targets(&app, "new").await), (1, 1));
    let removals = [
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE target = 'kept'",
        "UPDATE audit_log SET actor = 'somebody'",
    ];
    for removal in removals {
        let refused = attempt(app.store(), &[removal]).await.unwrap_err();
        assert!(refused.contains("append-only"), "{removal}: {refused}");
    }
    if engine == Engine::Postgres {
        let refused = attempt(app.store(), &["TRUNCATE audit_log"]).await.unwrap_err();
        assert!(refused.contains("append-only"), "{refused}");
    }
    // Also in a transaction that removes what may go.
    let mut tx = app.store().write().await.unwrap();
    let old = entry(app.clock.now() - TimeDelta::days(500), "older");
    audit::insert(tx.db(), &[old]).await.unwrap();
    let before = app.clock.now() - TimeDelta::days(365);
    assert_eq!(audit::remove_before(tx.db(), before, 10).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert!(attempt(app.store(), &["DELETE FROM audit_log WHERE target = 'kept'"]).await.is_err());
    assert_eq!((targets(&app, "kept").await, targets(&app, "new").await), (1, 1));
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_audit_log_that_is_kept_for_ever_loses_nothing(#[case] engine: Engine) {
    let app = with_old_entries(engine, None).await;
    let retention = mtpannel::runtime::health::Task::Retention;
    eventually("the task", async || app.running().app.health.task(retention).last_success.is_some()).await;
    assert_eq!((targets(&app, "old").await, targets(&app, "past").await), (1_000, 1));
}
