//! One action on many users: one transaction, one write of the file.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mtpannel::store::{state, users};
use mtpannel_core::user::Status;
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp, eventually};

async fn bulk(app: &TestApp, body: Value) -> Value {
    let done = app.post("/api/users/bulk", &body).await.expect(StatusCode::OK).await;
    assert_eq!(done["config_sync"], json!({"state": "applied", "detail": null}), "{body}");
    done
}

async fn statuses(app: &TestApp) -> Vec<String> {
    let page = app.get("/api/users?sort=username").await.expect(StatusCode::OK).await;
    page["users"].as_array().unwrap().iter().map(|user| user["status"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn every_action_does_to_many_what_it_does_to_one(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({"data_limit": 10})).await;
    app.create_user("bob", json!({"expire_at": "2020-01-01T00:00:00Z"})).await;
    app.create_user("carol", json!({"data_limit": 10, "expire_at": "2090-01-01T00:00:00Z"})).await;
    app.proxy.moves("alice", 4, 6);
    app.proxy.moves("carol", 3, 0);
    // The file follows the database.
    eventually("the limit", async || app.access("users", "alice").is_none()).await;
    assert_eq!(statuses(&app).await, ["limited", "expired", "active"]);
    let everybody = json!({});

    // Nothing is done while only asked.
    let before = app.everything().await;
    let actions = [
        ("enable", None),
        ("disable", None),
        ("delete", None),
        ("reset_usage", None),
        ("add_days", Some(1)),
        ("add_bytes", Some(1)),
    ];
    let expected = [0, 3, 3, 2, 2, 2];
    for ((action, value), changed) in actions.into_iter().zip(expected) {
        let mut body = json!({"filter": everybody, "action": action, "dry_run": true});
        if let Some(value) = value {
            body["value"] = json!(value);
        }
        let done = bulk(&app, body).await;
        assert_eq!(
            (&done["matched"], &done["changed"], &done["dry_run"]),
            (&json!(3), &json!(changed), &json!(true)),
            "{action}"
        );
        assert_eq!(app.everything().await, before, "{action}");
    }
    assert_eq!(app.audit("action=users.delete").await.len(), 0);

    let done =
        bulk(&app, json!({"usernames": ["ALICE", "nobody", "bob", "Alice"], "action": "add_bytes", "value": 5})).await;
    assert_eq!((&done["matched"], &done["changed"], &done["missing"]), (&json!(2), &json!(1), &json!(["nobody"])));
    assert_eq!(app.user("alice").await["data_limit"], 15);
    assert_eq!(app.user("bob").await["data_limit"], json!(null));
    assert_eq!(statuses(&app).await, ["active", "expired", "active"]);
    assert_eq!(app.access("user_data_quota", "alice").as_deref(), Some("15"));

    bulk(&app, json!({"filter": {"status": "expired"}, "action": "add_days", "value": 2})).await;
    assert_eq!(statuses(&app).await, ["active", "active", "active"]);
    // From now, because the user had expired.
    let end: chrono::DateTime<chrono::Utc> = app.user("bob").await["expire_at"].as_str().unwrap().parse().unwrap();
    let left = end - app.clock.now();
    assert!((47..=48).contains(&left.num_hours()), "{left}");
    bulk(&app, json!({"usernames": ["carol"], "action": "add_days", "value": 31})).await;
    assert_eq!(app.user("carol").await["expire_at"], "2090-02-01T00:00:00Z");

    bulk(&app, json!({"filter": everybody, "action": "disable"})).await;
    assert_eq!(statuses(&app).await, ["disabled", "disabled", "disabled"]);
    for name in ["alice", "bob", "carol"] {
        assert_eq!((app.access("users", name), app.access("user_enabled", name).as_deref()), (None, Some("false")));
    }
    bulk(&app, json!({"filter": {"search": "O"}, "action": "enable"})).await;
    assert_eq!(statuses(&app).await, ["disabled", "active", "active"]);
    bulk(&app, json!({"filter": everybody, "action": "reset_usage"})).await;
    for (name, quota) in [("alice", None), ("carol", Some("13"))] {
        assert_eq!(app.user(name).await["data_used"], 0);
        assert_eq!(app.access("user_data_quota", name).as_deref(), quota);
    }
    assert_eq!(statuses(&app).await, ["disabled", "active", "active"]);
    let done = bulk(&app, json!({"usernames": ["alice", "bob"], "action": "delete"})).await;
    assert_eq!((&done["matched"], &done["changed"]), (&json!(2), &json!(2)));
    assert_eq!(statuses(&app).await, ["active"]);
    assert_eq!(app.access("user_enabled", "bob").as_deref(), Some("false"));
    let entries = app.audit("actor=root").await;
    let mut of: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for entry in &entries {
        if let Some(action) = entry["action"].as_str().unwrap().strip_prefix("users.") {
            of.entry(entry["target"].as_str().unwrap()).or_default().push(action);
        }
    }
    assert_eq!(of["alice"], ["delete", "reset_usage", "disable", "add_bytes"]);
    assert_eq!(of["bob"], ["delete", "enable", "disable", "add_days"]);
    assert_eq!(of["carol"], ["reset_usage", "enable", "disable", "add_days"]);
    // What is written of each is what is written of one.
    let entry = |action: &str, target: &str| entries.iter().find(|e| e["action"] == action && e["target"] == target);
    let raised = entry("users.add_bytes", "alice").unwrap();
    let fields = json!([{"status": "limited", "data_limit": 10}, {"status": "active", "data_limit": 15}]);
    assert_eq!(json!([raised["before"], raised["after"]]), fields);
    let deleted = entry("users.delete", "bob").unwrap();
    assert_eq!((&deleted["before"]["username"], &deleted["after"]), (&json!("bob"), &Value::Null));
    assert!(entries.iter().all(|entry| entry["before"].get("secret").is_none()));
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_match_any_more_when_it_is_done_is_left_alone(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    for name in ["alice", "bob"] {
        app.create_user(name, json!({"expire_at": "2020-01-01T00:00:00Z"})).await;
    }
    let request = || {
        let body = json!({"filter": {"status": "expired"}, "action": "delete"});
        app.sudo(Method::POST, "/api/users/bulk").json(&body).send()
    };
    let store = app.store();
    let mut tx = store.write().await.unwrap();
    let mut alice = users::by_name(tx.db(), "alice", None).await.unwrap().unwrap();
    (alice.profile.expire_at, alice.profile.status) = (None, Status::Active);
    users::update(tx.db(), &alice).await.unwrap();
    state::bump(tx.db()).await.unwrap();
    let renew_first = async {
        // It is announced once it has chosen, and then waits for this transaction.
        let quiet = async || {
            let long = app.running().app.sync.quiet(Duration::from_hours(1));
            tokio::time::timeout(Duration::from_millis(1), long).await.is_ok()
        };
        eventually("the action", async || !quiet().await).await;
        tx.commit().await.unwrap();
    };
    let (done, ()) = tokio::join!(request(), renew_first);
    let done = done.unwrap().expect(StatusCode::OK).await;
    assert_eq!((&done["matched"], &done["changed"]), (&json!(1), &json!(1)));
    assert_eq!(app.user("alice").await["status"], "active");
    app.get("/api/users/bob").await.problem(StatusCode::NOT_FOUND, "not_found").await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn who_only_asks_waits_for_no_writer(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", Value::Null).await;
    let _writing = app.store().write().await.unwrap();
    for which in [json!({"usernames": ["alice", "nobody"]}), json!({"filter": {}})] {
        let mut body = json!({"action": "disable", "dry_run": true});
        body.as_object_mut().unwrap().extend(which.as_object().unwrap().clone());
        assert_eq!(bulk(&app, body).await["changed"], 1);
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_users_take_one_write_of_the_file(#[case] engine: Engine) {
    let app = Arc::new(TestApp::start(engine).await);
    let mut creations = tokio::task::JoinSet::new();
    for n in 0..60 {
        let app = Arc::clone(&app);
        creations.spawn(async move { app.create_user(&format!("user{n}"), Value::Null).await });
    }
    creations.join_all().await;
    let done = Arc::new(AtomicBool::new(false));
    let (watched, ended) = (app.config_path(), Arc::clone(&done));
    let watcher = tokio::spawn(async move {
        let mut files = std::collections::BTreeSet::new();
        while !ended.load(Ordering::SeqCst) {
            let file = std::fs::metadata(&watched).unwrap();
            files.insert((file.ino(), file.mtime(), file.mtime_nsec()));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        files
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let mut names: Vec<_> = (0..60).map(|n| format!("user{n}")).collect();
    names.extend((0..940).map(|n| format!("missing{n}")));
    let done_bulk = bulk(&app, json!({"usernames": names, "action": "disable"})).await;
    assert_eq!(done_bulk["missing"].as_array().unwrap().len(), 940);
    tokio::time::sleep(Duration::from_millis(50)).await;
    done.store(true, Ordering::SeqCst);
    let files = watcher.await.unwrap();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!((0..60).all(|n| app.access("user_enabled", &format!("user{n}")).is_some()));
    // What changes nothing writes nothing.
    let text = app.config();
    assert_eq!(bulk(&app, json!({"filter": {}, "action": "disable"})).await["changed"], 0);
    assert_eq!(app.config(), text);
}
