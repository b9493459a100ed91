//! Who is turned away after wrong passwords, and who is not.

use std::path::Path;

use chrono::TimeDelta;
use mtpannel::settings::Settings;
use mtpannel::store::DatabaseUrl;
use reqwest::header::{COOKIE, RETRY_AFTER, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};

use crate::common::{Answer, Engine, PASSWORD, TestApp};

/// The reverse proxy of these tests is the test itself.
fn behind_a_proxy(_folder: &Path, settings: &mut Settings) {
    settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
}

/// A login at `path` from `address`, with this cookie.
async fn log_in(app: &TestApp, path: &str, address: &str, cookie: &str, name: &str, password: &str) -> Response {
    let body = json!({"username": name, "password": password});
    let request = app.request(Method::POST, path).header("x-forwarded-for", address).header(COOKIE, cookie);
    request.json(&body).send().await.unwrap()
}

fn request(app: &TestApp, address: &str, name: &str, password: &str) -> RequestBuilder {
    let body = json!({"username": name, "password": password});
    app.request(Method::POST, "/api/admin/token").header("x-forwarded-for", address).json(&body)
}

async fn token(app: &TestApp, address: &str, name: &str, password: &str) -> Response {
    request(app, address, name, password).send().await.unwrap()
}

/// The answers to requests that are sent at the same time.
async fn all(requests: impl Iterator<Item = RequestBuilder>) -> Vec<Response> {
    let sent: Vec<_> = requests.map(|request| tokio::spawn(request.send())).collect();
    let mut answers = Vec::new();
    for answer in sent {
        answers.push(answer.await.unwrap().unwrap());
    }
    answers
}

/// Wrong passwords from these addresses, several at a time; all of them are compared.
async fn guess(app: &TestApp, name: &str, addresses: &[String]) {
    for chunk in addresses.chunks(8) {
        let answers = all(chunk.iter().map(|address| request(app, address, name, "a wrong guess"))).await;
        for (mut answer, address) in answers.into_iter().zip(chunk) {
            // A machine that is busy with other tests may turn some away, which do not count.
            while answer.status() == StatusCode::SERVICE_UNAVAILABLE {
                answer = token(app, address, name, "a wrong guess").await;
            }
            answer.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
        }
    }
}

async fn refused(answer: Response) {
    let wait: u64 = answer.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait));
    answer.problem(StatusCode::TOO_MANY_REQUESTS, "too_many_requests").await;
}

/// The cookie of this name that an answer sets, as `name=value`.
fn cookie(answer: &Response, name: &str) -> Option<String> {
    let all = answer.headers().get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    let pairs = all.map(|text| text.split(';').next().unwrap().to_owned());
    pairs.into_iter().find(|pair| pair.split('=').next().unwrap().ends_with(name))
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_of_somebody_else_do_not_lock_out_the_true_administrator(#[case] engine: Engine) {
    let app = TestApp::start_with(engine, behind_a_proxy).await;
    guess(&app, "root", &vec!["203.0.113.1".to_owned(); 10]).await;
    refused(token(&app, "203.0.113.1", "root", PASSWORD).await).await;
    for address in ["198.51.100.7", "2001:db8:1::7"] {
        token(&app, address, "root", PASSWORD).await.expect(StatusCode::OK).await;
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn known_networks_and_devices_get_in_while_many_networks_guess(#[case] engine: Engine) {
    let mut app = TestApp::start_with(engine, behind_a_proxy).await;
    app.create_admin("helper", true).await;
    token(&app, "198.51.100.7", "root", PASSWORD).await.expect(StatusCode::OK).await;
    token(&app, "2001:db8:1::7", "root", PASSWORD).await.expect(StatusCode::OK).await;
    let session = "/api/admin/session";
    let device = cookie(&log_in(&app, session, "198.51.100.8", "", "root", PASSWORD).await, "device").unwrap();
    let other = cookie(&log_in(&app, session, "198.51.100.9", "", "helper", PASSWORD).await, "device").unwrap();
    // What is known survives a restart.
    app.restart().await;
    let networks: Vec<String> = (0..100).map(|n| format!("203.0.113.{}", n / 10)).collect();
    guess(&app, "root", &networks).await;

    refused(token(&app, "192.0.2.1", "root", PASSWORD).await).await;
    refused(log_in(&app, session, "192.0.2.1", &other, "root", PASSWORD).await).await;
    refused(log_in(&app, session, "192.0.2.1", "mtpannel_device=x.y.z", "root", PASSWORD).await).await;
    for known in ["198.51.100.7", "2001:db8:1::8"] {
        token(&app, known, "ROOT", PASSWORD).await.expect(StatusCode::OK).await;
    }
    log_in(&app, session, "192.0.2.1", &device, "root", PASSWORD).await.expect(StatusCode::OK).await;
    token(&app, "192.0.2.1", "helper", PASSWORD).await.expect(StatusCode::OK).await;
    app.clock.advance(TimeDelta::minutes(5));
    token(&app, "192.0.2.1", "root", PASSWORD).await.expect(StatusCode::OK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_network_or_device_has_a_bound_of_its_own() {
    let app = TestApp::start_with(Engine::Sqlite, behind_a_proxy).await;
    let session = "/api/admin/session";
    let device = cookie(&log_in(&app, session, "198.51.100.8", "", "root", PASSWORD).await, "device").unwrap();
    guess(&app, "root", &vec!["198.51.100.8".to_owned(); 10]).await;
    refused(token(&app, "198.51.100.8", "root", PASSWORD).await).await;
    // The device has its own lane, also in a network whose lane is full.
    for _ in 0..10 {
        let answer = log_in(&app, session, "198.51.100.8", &device, "root", "a wrong guess").await;
        answer.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
    }
    refused(log_in(&app, session, "192.0.2.1", &device, "root", PASSWORD).await).await;
    token(&app, "192.0.2.1", "root", PASSWORD).await.expect(StatusCode::OK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ipv6_guesser_cannot_hop_from_one_64_to_the_next_of_a_48() {
    let app = TestApp::start_with(Engine::Sqlite, behind_a_proxy).await;
    token(&app, "2001:db8:1:77::1", "root", PASSWORD).await.expect(StatusCode::OK).await;
    let hops: Vec<String> = (0..10).map(|n| format!("2001:db8:1:{n}::1")).collect();
    guess(&app, "nobody", &hops).await;
    refused(token(&app, "2001:db8:1:ff::1", "root", PASSWORD).await).await;
    token(&app, "2001:db8:2:ff::1", "root", PASSWORD).await.expect(StatusCode::OK).await;
    token(&app, "2001:db8:1:77::2", "root", PASSWORD).await.expect(StatusCode::OK).await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn right_passwords_count_neither_in_parallel_nor_when_the_database_fails(#[case] engine: Engine) {
    let app = TestApp::start_with(engine, behind_a_proxy).await;
    let right = || token(&app, "192.0.2.1", "root", PASSWORD);
    for answer in all((0..15).map(|_| request(&app, "192.0.2.1", "root", PASSWORD))).await {
        // Or turned away, if hashing takes very long just now.
        assert!(matches!(answer.status().as_u16(), 200 | 503), "{answer:?}");
    }
    change_schema(&app, "ALTER TABLE audit_log RENAME TO away").await;
    for _ in 0..11 {
        assert!(right().await.status().is_server_error());
    }
    change_schema(&app, "ALTER TABLE away RENAME TO audit_log").await;
    right().await.expect(StatusCode::OK).await;
}

async fn change_schema(app: &TestApp, sql: &'static str) {
    match &app.settings.database {
        DatabaseUrl::Sqlite(path) => {
            let url = format!("sqlite://{}", path.display());
            sqlx::SqliteConnection::connect(&url).await.unwrap().execute(sql).await.unwrap();
        }
        DatabaseUrl::Postgres(url) => {
            sqlx::PgConnection::connect(url.expose_secret()).await.unwrap().execute(sql).await.unwrap();
        }
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn logins_that_are_given_up_do_not_count(#[case] engine: Engine) {
    let app = TestApp::start_with(engine, behind_a_proxy).await;
    // Nobody can be noted as logged in meanwhile.
    let writing = app.store().write().await.unwrap();
    let given_up = std::time::Duration::from_millis(500);
    let logins: Vec<_> =
        (0..12).map(|_| tokio::spawn(request(&app, "192.0.2.1", "root", PASSWORD).timeout(given_up).send())).collect();
    for answer in logins {
        let answer = answer.await.unwrap();
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 503), "nothing can be written");
    }
    drop(writing);
    token(&app, "192.0.2.1", "root", PASSWORD).await.expect(StatusCode::OK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_are_shed_when_their_queue_is_long_and_known_ones_are_not() {
    let app = TestApp::start_with(Engine::Sqlite, behind_a_proxy).await;
    // As an older panel may have left them: each comparison takes long.
    let hash = bcrypt::hash(PASSWORD, 13).unwrap();
    let DatabaseUrl::Sqlite(path) = &app.settings.database else { unreachable!() };
    let mut conn = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let set = || sqlx::query("UPDATE admins SET hashed_password = $1 WHERE username = 'old'").bind(&hash);
    app.create_admin("old", false).await;
    set().execute(&mut conn).await.unwrap();
    token(&app, "192.0.2.77", "nobody", "a wrong guess").await.expect(StatusCode::UNAUTHORIZED).await;

    let addresses: Vec<String> = (0..60).map(|n| format!("203.0.113.{n}")).collect();
    let others = all(addresses.iter().map(|address| request(&app, address, "nobody", "a wrong guess")));
    let known = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        token(&app, "127.0.0.1", "root", PASSWORD).await
    };
    let (others, known) = tokio::join!(others, known);
    known.expect(StatusCode::OK).await;
    let mut shed = 0;
    for answer in others {
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            let wait: u64 = answer.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait));
            answer.problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable").await;
            shed += 1;
        } else {
            answer.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
        }
    }
    assert!(shed > 0, "none of them was shed");
    let failed = app.audit("action=admin.login_failed").await;
    assert_eq!(failed.len(), 61 - shed, "what was shed is no failure");
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn refused_logins_are_written_down_in_groups(#[case] engine: Engine) {
    let app = TestApp::start_with(engine, behind_a_proxy).await;
    guess(&app, "root", &vec!["203.0.113.1".to_owned(); 10]).await;
    for _ in 0..120 {
        refused(token(&app, "203.0.113.1", "root", PASSWORD).await).await;
    }
    let refused = app.audit("action=admin.login_refused").await;
    let counts: Vec<&Value> = refused.iter().map(|entry| &entry["after"]["refused"]).collect();
    assert_eq!(counts, [&json!(100), &json!(10), &json!(1)]);
    assert!(refused.iter().all(|entry| entry["address"] == "203.0.113.1" && entry["actor"] == "-"), "{refused:?}");
}
