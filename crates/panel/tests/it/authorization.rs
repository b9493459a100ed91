//! Who may do what: every route of the OpenAPI document, every kind of token.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use mtpannel::runtime::token::{Claims, Grant, Tokens};
use mtpannel::store::admins::Holder;
use reqwest::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode};
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, KEY, PASSWORD, TestApp};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Anybody, without a token.
    Anybody,
    /// Every administrator.
    Admin,
    /// Whoever created the user `victim`, and sudo.
    Owner,
    /// Sudo, and an administrator for themselves.
    SudoOrSelf,
    Sudo,
}

struct Row {
    method: Method,
    path: &'static str,
    /// Smallest valid body.
    body: Value,
    who: Who,
    /// What `root` gets.
    answer: StatusCode,
}

fn row(method: &Method, path: &'static str, body: Value, who: Who, answer: u16) -> Row {
    Row { method: method.clone(), path, body, who, answer: StatusCode::from_u16(answer).unwrap() }
}

fn rows() -> Vec<Row> {
    let (get, post, put, delete) = (&Method::GET, &Method::POST, &Method::PUT, &Method::DELETE);
    let login = json!({"username": "root", "password": PASSWORD});
    let by_name = "/api/users/{username}";
    let bulk = json!({"usernames": ["victim"], "action": "disable"});
    vec![
        row(get, "/health", Value::Null, Who::Anybody, 200),
        row(get, "/health/ready", Value::Null, Who::Anybody, 200),
        row(post, "/api/admin/token", login.clone(), Who::Anybody, 200),
        row(post, "/api/admin/session", login, Who::Anybody, 200),
        row(delete, "/api/admin/session", Value::Null, Who::Anybody, 204),
        row(post, "/api/admin/session/refresh", Value::Null, Who::Anybody, 401),
        row(get, "/api/admin/me", Value::Null, Who::Admin, 200),
        row(get, "/api/admins", Value::Null, Who::Sudo, 200),
        row(post, "/api/admins", json!({"username": "newcomer", "password": PASSWORD}), Who::Sudo, 201),
        row(put, "/api/admins/{username}", json!({"password": PASSWORD}), Who::SudoOrSelf, 200),
        row(delete, "/api/admins/{username}", Value::Null, Who::Sudo, 204),
        row(get, "/api/users", Value::Null, Who::Admin, 200),
        row(post, "/api/users", json!({"username": "fresh-one"}), Who::Admin, 201),
        row(post, "/api/users/bulk", bulk, Who::Admin, 200),
        row(get, by_name, Value::Null, Who::Owner, 200),
        row(put, by_name, json!({"note": "changed"}), Who::Owner, 200),
        row(post, "/api/users/{username}/regenerate-secret", Value::Null, Who::Owner, 200),
        row(post, "/api/users/{username}/reset-usage", Value::Null, Who::Owner, 200),
        row(get, "/api/users/{username}/links", Value::Null, Who::Owner, 200),
        row(get, "/api/users/{username}/qr.svg", Value::Null, Who::Owner, 200),
        row(get, "/api/users/{username}/traffic", Value::Null, Who::Owner, 200),
        row(delete, by_name, Value::Null, Who::Owner, 204),
        row(get, "/api/system/stats", Value::Null, Who::Admin, 200),
        row(get, "/api/system/traffic", Value::Null, Who::Admin, 200),
        row(get, "/api/system/soon", Value::Null, Who::Admin, 200),
        row(get, "/api/system/settings", Value::Null, Who::Sudo, 200),
        row(get, "/api/system/metrics", Value::Null, Who::Sudo, 200),
        row(get, "/api/audit", Value::Null, Who::Sudo, 200),
        // The last, because `root`'s token is void after it.
        row(delete, "/api/admin/sessions", Value::Null, Who::Admin, 204),
    ]
}

impl Row {
    fn path(&self) -> String {
        let name = if self.path.starts_with("/api/admins") { "target" } else { "victim" };
        self.path.replace("{username}", name)
    }
}

#[test]
fn every_route_of_the_document_has_a_row_here_and_says_whether_it_wants_a_token() {
    let document = serde_json::to_value(mtpannel::http::openapi()).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method == "parameters" {
                continue;
            }
            described.insert((method.to_uppercase(), path.clone(), operation.get("security").is_some()));
        }
    }
    let rows = rows().into_iter().map(|row| (row.method.to_string(), row.path.to_owned(), row.who != Who::Anybody));
    assert_eq!(described, rows.collect());
}

/// `Authorization` headers that vouch for nobody, by what is wrong with them.
async fn bad_headers(app: &mut TestApp) -> Vec<(&'static str, Option<String>)> {
    let old = app.create_admin("late", true).await;
    app.pass(TimeDelta::hours(1)).await;
    let gone = app.create_admin("gone", true).await;
    app.delete("/api/admins/gone").await.expect(StatusCode::NO_CONTENT).await;
    let changed = app.create_admin("changed", true).await;
    let other = json!({"password": "quite another password"});
    app.put("/api/admins/changed", &other).await.expect(StatusCode::OK).await;
    let demoted = app.create_admin("demoted", true).await;
    app.put("/api/admins/demoted", &json!({"is_sudo": false})).await.expect(StatusCode::OK).await;

    let now = app.clock.now();
    let ours = Tokens::new(&KEY.into(), Duration::from_hours(1));
    let given = ours.check(&app.sudo, now).unwrap();
    let Holder { admin_id: root, epoch, .. } = given.holder;
    let grant = |admin_id, epoch, session: Option<&str>| Grant {
        holder: Holder { admin_id, epoch, session: session.map(str::to_owned) },
        logged_in_at: now,
    };
    let foreign = Tokens::new(&"another key of at least thirty-two bytes".into(), Duration::from_hours(1));
    let claims = Claims {
        sub: root.to_string(),
        iat: now.timestamp(),
        exp: now.timestamp() + 3600,
        epoch,
        sid: None,
        auth_time: 0,
    };
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let payload = part(&serde_json::to_value(&claims).unwrap());
    let none = format!("{}.{payload}.", part(&json!({"alg": "none", "typ": "JWT"})));
    let key = EncodingKey::from_secret(KEY.as_bytes());
    let hs512 = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap();
    let (head, signature) = app.sudo.rsplit_once('.').unwrap();
    let edited = format!("{}.{payload}.{signature}", head.split('.').next().unwrap());
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    vec![
        ("no token", None),
        ("nothing", Some(String::new())),
        ("an empty token", bearer("")),
        ("garbage", bearer("garbage")),
        ("the right token under another scheme", Some(format!("Basic {}", app.sudo))),
        ("the token alone", Some(app.sudo.clone())),
        ("two tokens in one", bearer(&format!("{0} {0}", app.sudo))),
        ("of another key", bearer(foreign.issue(&given, now).expose_secret())),
        ("expired", bearer(ours.issue(&given, now - TimeDelta::hours(1)).expose_secret())),
        ("expired as time went by", bearer(&old)),
        ("without a signature", bearer(head)),
        ("alg none", bearer(&none)),
        ("another algorithm", bearer(&hs512)),
        ("other claims under an old signature", bearer(&edited).filter(|text| *text != format!("Bearer {}", app.sudo))),
        ("of an older epoch", bearer(ours.issue(&grant(root, epoch - 1, None), now).expose_secret())),
        ("of nobody", bearer(ours.issue(&grant(i64::MAX, epoch, None), now).expose_secret())),
        ("of a session that there is not", bearer(ours.issue(&grant(root, epoch, Some("none")), now).expose_secret())),
        ("of a deleted administrator", bearer(&gone)),
        ("from before the password changed", bearer(&changed)),
        ("from before the role changed", bearer(&demoted)),
    ]
}

/// `root`'s user and the administrator that the rows are about.
async fn prepare(app: &TestApp) {
    app.create_user("victim", json!({"note": "keep me"})).await;
    app.create_admin("target", false).await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_token_every_route_answers_401_and_nothing_changes(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    let headers = bad_headers(&mut app).await;
    prepare(&app).await;
    let before = app.everything().await;
    for row in rows().iter().filter(|row| row.who != Who::Anybody) {
        for (label, header) in &headers {
            let mut request = app.request(row.method.clone(), &row.path());
            if let Some(header) = header {
                request = request.header(AUTHORIZATION, header);
            }
            if !row.body.is_null() {
                request = request.json(&row.body);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 401, "{} {} with a token that is {label}", row.method, row.path);
            assert_eq!(answer.headers()[WWW_AUTHENTICATE], "Bearer");
            answer.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
        }
        assert_eq!(app.everything().await, before, "{} {}", row.method, row.path);
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_without_sudo_reaches_their_own_users_and_themselves_only(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    prepare(&app).await;
    let helper = app.create_admin("helper", false).await;
    let before = app.everything().await;
    for row in rows() {
        let (status, code) = match row.who {
            Who::Owner => (StatusCode::NOT_FOUND, "not_found"),
            Who::Sudo | Who::SudoOrSelf => (StatusCode::FORBIDDEN, "forbidden"),
            Who::Anybody | Who::Admin => continue,
        };
        app.ask(&helper, row.method.clone(), &row.path(), &row.body).await.problem(status, code).await;
        assert_eq!(app.everything().await, before, "{} {}", row.method, row.path);
    }
    // A name that nobody has gets the same answer as one that another administrator has.
    let foreign = app.ask(&helper, Method::GET, "/api/users/victim", &Value::Null).await;
    let absent = app.ask(&helper, Method::GET, "/api/users/nobody", &Value::Null).await;
    assert_eq!(foreign.text().await.unwrap(), absent.text().await.unwrap());
    for body in [json!({"is_sudo": true}), json!({"password": PASSWORD, "is_sudo": true})] {
        app.ask(&helper, Method::PUT, "/api/admins/helper", &body)
            .await
            .problem(StatusCode::FORBIDDEN, "forbidden")
            .await;
    }
    app.ask(&helper, Method::DELETE, "/api/admins/helper", &Value::Null)
        .await
        .problem(StatusCode::FORBIDDEN, "forbidden")
        .await;

    let named = json!({"usernames": ["victim"], "action": "delete"});
    let done = app.ask(&helper, Method::POST, "/api/users/bulk", &named).await.expect(StatusCode::OK).await;
    assert_eq!((&done["matched"], &done["missing"]), (&json!(0), &json!(["victim"])));
    let all = json!({"filter": {}, "action": "delete"});
    let done = app.ask(&helper, Method::POST, "/api/users/bulk", &all).await.expect(StatusCode::OK).await;
    assert_eq!(done["matched"], 0);
    let list = app.ask(&helper, Method::GET, "/api/users?search=vic", &Value::Null).await.expect(StatusCode::OK).await;
    assert_eq!(list, json!({"users": [], "total": 0}));
    let stats = app.ask(&helper, Method::GET, "/api/system/stats", &Value::Null).await.expect(StatusCode::OK).await;
    assert_eq!((&stats["users"]["total"], &stats["user_traffic"]), (&json!(0), &json!([])));
    assert_eq!(app.everything().await, before);

    let own = app.ask(&helper, Method::POST, "/api/users", &json!({"username": "helpers-own"})).await;
    assert_eq!(own.expect(StatusCode::CREATED).await["created_by"], "helper");
    let list = app.ask(&helper, Method::GET, "/api/users", &Value::Null).await.expect(StatusCode::OK).await;
    assert_eq!((list["total"].as_i64(), &list["users"][0]["username"]), (Some(1), &json!("helpers-own")));
    // The name is taken for them, though they cannot see by whom.
    let taken = app.ask(&helper, Method::POST, "/api/users", &json!({"username": "VICTIM"})).await;
    taken.problem(StatusCode::CONFLICT, "conflict").await;
    app.user("helpers-own").await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_is_served_on_every_route(#[case] engine: Engine) {
    let mut app = TestApp::start(engine).await;
    prepare(&app).await;
    app.scraped().await;
    for row in rows() {
        let answer = app.ask(&app.sudo, row.method.clone(), &row.path(), &row.body).await;
        assert_eq!(answer.status(), row.answer, "{} {}: {:?}", row.method, row.path, answer.text().await);
    }
    app.get("/api/admin/me").await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    app.sudo = app.login("root").await;
    let mut helper = app.create_admin("helper", false).await;
    app.ask(&helper, Method::POST, "/api/users", &json!({"username": "victim"}))
        .await
        .expect(StatusCode::CREATED)
        .await;
    for row in rows() {
        if !matches!(row.who, Who::Owner | Who::Admin | Who::SudoOrSelf) {
            continue;
        }
        let path = row.path().replace("target", "helper");
        let body = serde_json::from_str(&row.body.to_string().replace("fresh-one", "another-one")).unwrap();
        let answer = app.ask(&helper, row.method.clone(), &path, &body).await;
        assert_eq!(answer.status(), row.answer, "{} {path}: {:?}", row.method, answer.text().await);
        if row.who == Who::SudoOrSelf {
            helper = app.login("helper").await;
        }
    }
}
