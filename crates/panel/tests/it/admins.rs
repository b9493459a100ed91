//! Administrators.

use std::path::Path;

use mtpannel::service::users::{self, NewUser};
use mtpannel::service::{ServiceError, caller};
use mtpannel::store::admins as rows;
use mtpannel_core::user::UserPatch;
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::common::{Answer, Engine, PASSWORD, TestApp};

const OTHER: &str = "quite another password";

async fn log_in(app: &TestApp, name: &str, password: &str) -> StatusCode {
    let body = json!({"username": name, "password": password});
    app.request(Method::POST, "/api/admin/token").json(&body).send().await.unwrap().status()
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_created_listed_changed_and_deleted_and_their_users_stay(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let created = app.post("/api/admins", &json!({"username": "Helper", "password": PASSWORD})).await;
    let created = created.expect(StatusCode::CREATED).await;
    assert_eq!((&created["username"], &created["is_sudo"]), (&json!("Helper"), &json!(false)));
    assert_eq!(created["last_login_at"], Value::Null);
    assert!(!created.to_string().contains("password"));
    let taken = app.post("/api/admins", &json!({"username": "HELPER", "password": PASSWORD})).await;
    taken.problem(StatusCode::CONFLICT, "conflict").await;
    let helper = app.login("helper").await;
    let me = app.ask(&helper, Method::GET, "/api/admin/me", &Value::Null).await.expect(StatusCode::OK).await;
    assert_eq!((&me["username"], me["last_login_at"].is_string()), (&json!("Helper"), true));
    let list = app.get("/api/admins").await.expect(StatusCode::OK).await;
    assert_eq!((&list["total"], &list["admins"][0]["username"]), (&json!(2), &json!("Helper")));
    let page = app.get("/api/admins?limit=1&offset=1").await.expect(StatusCode::OK).await;
    assert_eq!((&page["total"], &page["admins"][0]["username"]), (&json!(2), &json!("root")));

    app.ask(&helper, Method::POST, "/api/users", &json!({"username": "owned"})).await.expect(StatusCode::CREATED).await;
    let file = app.config();
    app.delete("/api/admins/helper").await.expect(StatusCode::NO_CONTENT).await;
    app.delete("/api/admins/helper").await.problem(StatusCode::NOT_FOUND, "not_found").await;
    assert_eq!(app.user("owned").await["created_by"], Value::Null);
    assert_eq!(app.config(), file);
    // Another one of that name does not inherit what the first one had.
    let again = app.create_admin("helper", false).await;
    let list = app.ask(&again, Method::GET, "/api/users", &Value::Null).await.expect(StatusCode::OK).await;
    assert_eq!(list["total"], 0);
    let old = app.ask(&helper, Method::GET, "/api/admin/me", &Value::Null).await;
    old.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_replaces_the_old_one_and_voids_the_tokens_given_for_it(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let helper = app.create_admin("helper", false).await;
    let path = "/api/admins/HELPER";
    let changed = app.ask(&helper, Method::PUT, path, &json!({"password": OTHER})).await.expect(StatusCode::OK).await;
    assert_eq!(changed["username"], "helper");
    let old = app.ask(&helper, Method::GET, "/api/admin/me", &Value::Null).await;
    old.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    assert_eq!(log_in(&app, "helper", PASSWORD).await, 401);
    assert_eq!(log_in(&app, "helper", OTHER).await, 200);
    app.put(path, &json!({"password": PASSWORD})).await.expect(StatusCode::OK).await;
    assert_eq!(log_in(&app, "helper", PASSWORD).await, 200);
    for body in
        [json!({}), json!({"is_sudo": null}), json!({"password": null}), json!({"password": OTHER, "is_sudo": null})]
    {
        app.put(path, &body).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    }
    for length in [10, 128] {
        let password = "ä".repeat(length);
        app.put(path, &json!({"password": password})).await.expect(StatusCode::OK).await;
        assert_eq!(log_in(&app, "helper", &password).await, 200);
    }
    app.put("/api/admins/root", &json!({"password": OTHER})).await.expect(StatusCode::OK).await;
    app.get("/api/admin/me").await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_last_sudo_administrator_stays_and_nobody_deletes_or_demotes_themselves(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    app.create_user("alice", Value::Null).await;
    app.create_admin("helper", false).await;
    let before = app.everything().await;
    app.delete("/api/admins/root").await.problem(StatusCode::FORBIDDEN, "forbidden").await;
    app.delete("/api/admins/ROOT").await.problem(StatusCode::FORBIDDEN, "forbidden").await;
    for is_sudo in [false, true] {
        let demoted = app.put("/api/admins/Root", &json!({"is_sudo": is_sudo})).await;
        demoted.problem(StatusCode::FORBIDDEN, "forbidden").await;
    }
    assert_eq!(app.everything().await, before);
    let second = app.create_admin("second", true).await;
    // Two who demote each other at once: one of them stays.
    let demote = json!({"is_sudo": false});
    let (first, other) = tokio::join!(
        app.ask(&second, Method::PUT, "/api/admins/root", &demote),
        app.ask(&app.sudo, Method::PUT, "/api/admins/second", &demote)
    );
    let mut answers = [first.status().as_u16(), other.status().as_u16()];
    answers.sort_unstable();
    assert_eq!(answers[0], 200);
    assert!(matches!(answers[1], 401 | 403 | 409), "{answers:?}");
    let mut sudo = 0;
    for name in ["root", "second"] {
        let token = app.login(name).await;
        let me = app.ask(&token, Method::GET, "/api/admin/me", &Value::Null).await.expect(StatusCode::OK).await;
        sudo += usize::from(me["is_sudo"] == true);
    }
    assert_eq!(sudo, 1);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_bcrypt_hash_of_an_older_panel_is_accepted_and_replaced_by_a_better_one(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    let stored = async || {
        let mut conn = app.store().read().await.unwrap();
        rows::credentials(conn.db(), "older").await.unwrap().unwrap().hashed_password
    };
    let mut tx = app.store().write().await.unwrap();
    rows::insert(tx.db(), "older", &hash, false, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(log_in(&app, "older", "a wrong password").await, 401);
    assert_eq!(stored().await, hash);
    let token = app.login("older").await;
    let better = stored().await;
    assert!(better.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{better}");
    assert_eq!(log_in(&app, "older", PASSWORD).await, 200);
    assert_eq!(stored().await, better);
    // The password is the same, so the token lives on.
    app.ask(&token, Method::GET, "/api/admin/me", &Value::Null).await.expect(StatusCode::OK).await;
}

/// A fresh PostgreSQL database that knows lower and upper case of all of Unicode, as most of them do.
async fn postgres_with_unicode_rules() -> String {
    let url = Engine::Postgres.fresh(Path::new("")).await;
    let (_, name) = url.split_once("localhost/").unwrap();
    let name = name.split('?').next().unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let create = format!("CREATE DATABASE {name}_u TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
    sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut admin).await.unwrap();
    url.replace(name, &format!("{name}_u"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_outside_of_ascii_is_nobodys_whatever_the_database_takes_for_its_lower_case() {
    let url = postgres_with_unicode_rules().await;
    let app = TestApp::start_with(Engine::Sqlite, |_, settings| settings.database = url.parse().unwrap()).await;
    let kate = app.create_admin("kate", true).await;
    app.create_user("kim", Value::Null).await;
    // The database takes the Kelvin sign for a k.
    let kelvin = "%E2%84%AA";
    for (method, path) in [
        (Method::DELETE, format!("/api/admins/{kelvin}ate")),
        (Method::GET, format!("/api/users/{kelvin}im")),
        (Method::DELETE, format!("/api/users/{kelvin}im")),
    ] {
        app.ask(&kate, method, &path, &Value::Null).await.problem(StatusCode::NOT_FOUND, "not_found").await;
    }
    assert_eq!(log_in(&app, "\u{212a}ate", PASSWORD).await, 401);
    assert_eq!(log_in(&app, "KATE", PASSWORD).await, 200);
    let filtered = app.audit("actor=KATE&target=kim").await;
    assert!(filtered.is_empty());
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_who_is_deleted_while_they_create_a_user_is_told_so(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let helper = app.create_admin("helper", false).await;
    let running = &app.running().app;
    let caller = caller::authenticate(running, &helper, None).await.unwrap().allow().unwrap();
    app.delete("/api/admins/helper").await.expect(StatusCode::NO_CONTENT).await;
    let new = NewUser { username: "late".parse().unwrap(), patch: UserPatch::default() };
    let refused = users::create(running, &caller, new).await.unwrap_err();
    assert!(matches!(refused, ServiceError::Unauthorized(_)), "{refused:?}");
    app.get("/api/users/late").await.problem(StatusCode::NOT_FOUND, "not_found").await;
}
