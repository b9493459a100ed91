//! Input that does not fit: always a problem document, never 5xx, nothing changed.

use reqwest::{Method, Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::{Answer, Engine, TestApp};

/// Checks that the answer is a problem with this status and, for 422, that it names the field.
async fn refused(answer: Response, status: u16, field: &str, what: &str) {
    let code = match status {
        400 => "bad_request",
        404 => "not_found",
        405 => "method_not_allowed",
        413 => "too_large",
        415 => "unsupported_media_type",
        422 => "invalid",
        _ => unreachable!("{status}"),
    };
    assert_eq!(answer.status(), status, "{what}");
    let problem = answer.problem(StatusCode::from_u16(status).unwrap(), code).await;
    if status == 422 {
        let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
        assert!(fields.contains(&&json!(field)), "{what}: {problem}");
    }
}

async fn app(engine: Engine) -> TestApp {
    let app = TestApp::start(engine).await;
    app.create_user("alice", json!({"data_limit": 5, "max_connections": 5, "note": "as it was"})).await;
    app
}

fn bad_names() -> Vec<String> {
    let mut names: Vec<String> =
        ["", "a", "ab", "пользователь", "älice", "ali ce", "ali\"ce", "ali'ce", "ali\nce", "ali\tce", "ali\0ce"]
            .into_iter()
            .chain(["ali/ce", "ali\\ce", "ali%ce", "ali;ce", "ali=ce", "[ali]", "#alice", "ali😀ce", "ali,ce", "<ali>"])
            .chain(["scope_x", "SCOPE_alice", "Scope_", "mtpannel-placeholder", "MTPannel-Placeholder"])
            .chain(["' OR 1=1 --", "alice\u{200b}", "аlice", " alice", "alice ", "alice\u{0}"])
            .map(str::to_owned)
            .collect();
    names.push("x".repeat(33));
    names.push("x".repeat(100_000));
    names
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn names_outside_the_rule_are_refused_and_the_odd_ones_inside_it_are_served(#[case] engine: Engine) {
    let app = app(engine).await;
    let before = app.everything().await;
    for name in bad_names() {
        refused(app.post("/api/users", &json!({"username": name})).await, 422, "username", &name).await;
        let admin = json!({"username": name, "password": "a long password"});
        refused(app.post("/api/admins", &admin).await, 422, "username", &name).await;
        let bulk = json!({"usernames": ["alice", name], "action": "delete"});
        refused(app.post("/api/users/bulk", &bulk).await, 422, "usernames[1]", &name).await;
    }
    for value in [json!(null), json!(7), json!(true), json!(["alice"]), json!({"name": "alice"})] {
        refused(app.post("/api/users", &json!({"username": value})).await, 422, "username", "no text").await;
    }
    assert_eq!(app.everything().await, before);
    let longest = "x".repeat(32);
    for name in
        ["include", "a.b.c", "...", "---", "___", "007", "true", "inf", "users", "1e5", "-rf", "abc", "bulk", &longest]
    {
        let created = app.create_user(name, json!({"data_limit": 9})).await;
        assert_eq!(created["config_sync"]["state"], "applied", "{name}");
        assert_eq!(app.access("users", name).as_deref(), created["secret"].as_str(), "{name}");
        assert_eq!(app.access("user_data_quota", name).as_deref(), Some("9"), "{name}");
        assert_eq!(app.user(name).await["username"], name);
        let path = format!("/api/users/{name}");
        let changed = app.put(&path, &json!({"note": "changed"})).await.expect(StatusCode::OK).await;
        assert_eq!((&changed["username"], &changed["note"]), (&json!(name), &json!("changed")));
        app.get(&format!("{path}/links")).await.expect(StatusCode::OK).await;
        app.post(&format!("{path}/reset-usage"), &json!(null)).await.expect(StatusCode::OK).await;
        app.delete(&path).await.expect(StatusCode::NO_CONTENT).await;
        app.get(&path).await.problem(StatusCode::NOT_FOUND, "not_found").await;
    }
    let patch = app.sudo(Method::PATCH, "/api/users/bulk").send().await.unwrap();
    let allowed = patch.headers()["allow"].to_str().unwrap().split(',').map(str::trim).collect::<Vec<_>>().join(" ");
    assert_eq!(allowed, "POST GET HEAD PUT DELETE", "{patch:?}");
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn limits_are_null_or_whole_numbers_from_one_to_the_largest(#[case] engine: Engine) {
    let app = app(engine).await;
    let before = app.everything().await;
    let bad = ["-1", "0", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "1e400", "1.5"];
    for field in ["data_limit", "max_connections", "max_unique_ips"] {
        for value in bad.iter().chain(&["1e300", "\"5\"", "\"\"", "true", "[1]", "{}"]) {
            let what = format!("{field} {value}");
            for (method, path, body) in [
                (Method::POST, "/api/users", format!(r#"{{"username": "fresh", "{field}": {value}}}"#)),
                (Method::PUT, "/api/users/alice", format!(r#"{{"{field}": {value}}}"#)),
            ] {
                let answer = app.sudo(method, path).header("content-type", "application/json").body(body);
                let answer = answer.send().await.unwrap();
                // Too large for a number at all: serde says that it is no JSON.
                let status = if *value == "1e400" { 400 } else { 422 };
                refused(answer, status, field, &what).await;
            }
        }
    }
    for value in [json!(-1), json!(0), json!(null), json!(1.5), json!("5"), json!(3_651)] {
        let body = json!({"usernames": ["alice"], "action": "add_days", "value": value});
        refused(app.post("/api/users/bulk", &body).await, 422, "value", "add_days").await;
    }
    let several = json!({"username": "x", "data_limit": 0, "max_connections": -1, "note": "n".repeat(1_001)});
    let answer = app.post("/api/users", &several).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 4, "{answer}");
    assert_eq!(app.everything().await, before);

    let all = json!({"data_limit": i64::MAX, "max_connections": i64::MAX, "max_unique_ips": i64::MAX});
    let created = app.create_user("largest", all).await;
    assert_eq!(created["config_sync"], json!({"state": "applied", "detail": null}));
    assert_eq!(app.access("user_data_quota", "largest"), Some(i64::MAX.to_string()));
    app.create_user("smallest", json!({"data_limit": 1, "max_connections": 1, "max_unique_ips": 1})).await;
    assert_eq!(app.user("largest").await["data_limit"], i64::MAX);
    // What a schema calls an integer.
    app.create_user("float", json!({"data_limit": 1e3, "max_connections": 2.0})).await;
    assert_eq!(app.user("float").await["data_limit"], 1_000);
    let more = json!({"usernames": ["largest"], "action": "add_bytes", "value": i64::MAX});
    app.post("/api/users/bulk", &more).await.expect(StatusCode::OK).await;
    assert_eq!(app.user("largest").await["data_limit"], i64::MAX);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn dates_need_a_zone_and_become_utc(#[case] engine: Engine) {
    let app = app(engine).await;
    let before = app.everything().await;
    let bad = [
        "2030-01-01",
        "2030-01-01T00:00:00",
        "2030-01-01 00:00:00",
        "1893456000",
        "",
        "tomorrow",
        "2030-13-01T00:00:00Z",
    ];
    let more = ["2030-02-30T00:00:00Z", "2030-01-01T25:00:00Z", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"];
    let worse = ["9999-12-31T23:59:59-01:00", "2030-01-01T00:00:00+99:00", "２０３０-01-01T00:00:00Z"];
    for text in bad.iter().chain(&more).chain(&worse) {
        let body = json!({"username": "fresh", "expire_at": text});
        refused(app.post("/api/users", &body).await, 422, "expire_at", text).await;
        refused(app.put("/api/users/alice", &json!({"expire_at": text})).await, 422, "expire_at", text).await;
        if !text.is_empty() {
            let path = format!("/api/system/traffic?from={}", text.replace('+', "%2B"));
            refused(app.get(&path).await, 422, "from", text).await;
        }
    }
    for value in [json!(1_893_456_000), json!(true), json!({}), json!([])] {
        refused(app.put("/api/users/alice", &json!({"expire_at": value})).await, 422, "expire_at", "no text").await;
    }
    let backwards = "/api/users/alice/traffic?from=2030-01-02T00:00:00Z&to=2030-01-01T00:00:00Z";
    app.get(backwards).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    refused(app.get("/api/system/traffic?step=minute").await, 422, "step", "minute").await;
    assert_eq!(app.everything().await, before);

    for (text, utc) in [
        ("2030-01-01T03:00:00+03:00", "2030-01-01T00:00:00Z"),
        ("2029-12-31T16:15:00.999-07:45", "2030-01-01T00:00:00Z"),
        // A leap second is none of the proxy's.
        ("2030-06-30T23:59:60Z", "2030-06-30T23:59:59Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ] {
        let changed = app.put("/api/users/alice", &json!({"expire_at": text})).await.expect(StatusCode::OK).await;
        assert_eq!((&changed["expire_at"], &changed["status"]), (&json!(utc), &json!("active")));
        assert_eq!(changed["config_sync"]["state"], "applied", "{changed}");
    }
    // Ten years after the last day of the calendar there is none.
    let days = json!({"usernames": ["alice"], "action": "add_days", "value": 3_650});
    let done = app.post("/api/users/bulk", &days).await.expect(StatusCode::OK).await;
    assert_eq!(done["config_sync"]["state"], "applied", "{done}");
    assert_eq!(app.user("alice").await["expire_at"], "9999-12-31T23:59:59Z");
    for past in ["1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z"] {
        let expired = app.put("/api/users/alice", &json!({"expire_at": past})).await.expect(StatusCode::OK).await;
        assert_eq!((&expired["status"], &expired["expire_at"]), (&json!("expired"), &json!(past)));
        assert_eq!(app.user("alice").await["expire_at"], past);
    }
    assert_eq!(app.access("users", "alice"), None);
}

/// The routes that take a JSON body, with a body that fits.
fn bodies() -> Vec<(Method, &'static str, Value)> {
    vec![
        (Method::POST, "/api/admin/token", json!({"username": "root", "password": "wrong password"})),
        (Method::POST, "/api/admin/session", json!({"username": "root", "password": "wrong password"})),
        (Method::POST, "/api/admins", json!({"username": "helper", "password": "a long password"})),
        (Method::PUT, "/api/admins/root", json!({"password": "a new long password"})),
        (Method::POST, "/api/users", json!({"username": "fresh"})),
        (Method::POST, "/api/users/bulk", json!({"usernames": ["alice"], "action": "delete"})),
        (Method::PUT, "/api/users/alice", json!({"note": "changed"})),
    ]
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_parse_or_do_not_fit_change_nothing(#[case] engine: Engine) {
    let app = app(engine).await;
    let before = app.everything().await;
    for (method, path, body) in bodies() {
        let what = format!("{method} {path}");
        let send = async |kind: Option<&str>, body: Vec<u8>| {
            let request = app.sudo(method.clone(), path).body(body);
            let request = if let Some(kind) = kind { request.header("content-type", kind) } else { request };
            request.send().await.unwrap()
        };
        let json_kind = Some("application/json");
        let good = body.to_string();
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let nested = format!("{}, \"x\": {deep}}}", &good[..good.len() - 1]);
        let (cut, trailing) = (good[..good.len() - 1].to_owned(), format!("{good} {good}"));
        let latin = [b"{\"username\": \"\xff\xfe\"}".as_slice(), b"{\"note\": \"\xff\"}"].concat();
        let broken = [
            "",
            "{",
            "nonsense",
            "{'a': 1}",
            "{\"username\": }",
            "\u{feff}\u{feff}{}",
            "\u{feff}",
            &deep,
            &cut,
            &trailing,
        ];
        for text in broken {
            let answer = send(json_kind, text.into()).await;
            let label = format!("{what} {}", &text.chars().take(40).collect::<String>());
            refused(answer, 400, "", &label).await;
        }
        refused(send(json_kind, latin).await, 400, "", &format!("{what}: no UTF-8")).await;
        refused(send(json_kind, nested.into()).await, 400, "", &format!("{what}: too deep")).await;
        // A list of the fields' values is no object, whatever serde thinks.
        let listed = json!(body.as_object().unwrap().values().collect::<Vec<_>>()).to_string();
        for text in [listed.as_str(), "[]", "null", "7", "\"text\""] {
            refused(send(json_kind, text.into()).await, 422, "body", &format!("{what} {text}")).await;
        }
        let unknown = format!("{}, \"sudo\": true}}", &good[..good.len() - 1]);
        assert_eq!(send(json_kind, unknown.into()).await.status(), 422, "{what}: unknown field");
        let (field, value) = body.as_object().unwrap().iter().next().unwrap();
        let twice = format!("{{\"{field}\": {value}, {}", &good[1..]);
        assert_eq!(send(json_kind, twice.into()).await.status(), 422, "{what}: a field twice");
        for kind in
            [None, Some("text/plain"), Some("application/xml"), Some("multipart/form-data; boundary=x"), Some("")]
        {
            refused(send(kind, good.clone().into()).await, 415, "", &format!("{what} as {kind:?}")).await;
        }
        assert_eq!(app.everything().await, before, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_order_mark_before_json_is_passed_over() {
    let app = app(Engine::Sqlite).await;
    for (method, path, body) in bodies() {
        let marked = format!("\u{feff}{body}");
        let request = app.sudo(method.clone(), path).header("content-type", "application/json").body(marked);
        let status = request.send().await.unwrap().status();
        assert!(status.is_success() || status == StatusCode::UNAUTHORIZED, "{method} {path}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_not_whole_is_told_so_in_every_field() {
    let app = app(Engine::Sqlite).await;
    let message = async |method: Method, path: &str, body: String| {
        let request = app.sudo(method, path).header("content-type", "application/json").body(body);
        let problem = request.send().await.unwrap().problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
        problem["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    for value in ["1.5", "1e-3", "1e300", "9223372036854775808", "\"5\"", "\"\"", "true", "[1]", "{}"] {
        for field in ["data_limit", "max_connections", "max_unique_ips"] {
            let body = format!(r#"{{"username": "fresh", "{field}": {value}}}"#);
            let create = message(Method::POST, "/api/users", body).await;
            let update = message(Method::PUT, "/api/users/alice", format!(r#"{{"{field}": {value}}}"#)).await;
            assert!(create.contains("whole number") && update.contains("whole number"), "{field} {value}: {create}");
        }
        let body = format!(r#"{{"usernames": ["alice"], "action": "add_days", "value": {value}}}"#);
        let bulk = message(Method::POST, "/api/users/bulk", body).await;
        assert!(bulk.contains("whole number"), "{value}: {bulk}");
    }
    let request = app.sudo(Method::PUT, "/api/users/alice").header("content-type", "application/json");
    let answer = request.body(r#"{"data_limit": 1e400}"#).send().await.unwrap();
    let problem = answer.problem(StatusCode::BAD_REQUEST, "bad_request").await;
    assert!(problem["detail"].as_str().unwrap().contains("number in the body is too large"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_passwords_longer_than_anybodys_are_refused_before_any_work() {
    let app = app(Engine::Sqlite).await;
    let (name, password) = ("n".repeat(101), "p".repeat(1_001));
    for path in ["/api/admin/token", "/api/admin/session"] {
        for (field, body) in [
            ("username", json!({"username": name, "password": "p"})),
            ("password", json!({"username": "root", "password": password})),
        ] {
            refused(app.post(path, &body).await, 422, field, path).await;
        }
    }
    let form = app.request(Method::POST, "/api/admin/token").body(format!("username=root&password={password}"));
    let answer = form.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
    refused(answer, 422, "password", "the form").await;
    assert!(app.audit("action=admin.login_failed").await.is_empty());
    // The longest are compared, in vain.
    let body = json!({"username": &name[1..], "password": &password[1..]});
    app.post("/api/admin/token", &body).await.problem(StatusCode::UNAUTHORIZED, "unauthorized").await;
}

/// Sends a body in chunks, its length unsaid, to the end whatever the server says meanwhile, and gives the answer.
async fn chunked(app: &TestApp, method: &Method, path: &str, body: &[u8]) -> String {
    let mut socket = TcpStream::connect(app.running().address).await.unwrap();
    let (mut from, mut to) = socket.split();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: panel\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        app.sudo
    );
    let write = async {
        to.write_all(head.as_bytes()).await?;
        for chunk in body.chunks(1 << 16) {
            to.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await?;
            to.write_all(chunk).await?;
            to.write_all(b"\r\n").await?;
        }
        to.write_all(b"0\r\n\r\n").await
    };
    let read = async {
        let mut answer = Vec::new();
        let ended = from.read_to_end(&mut answer).await;
        (String::from_utf8_lossy(&answer).into_owned(), ended)
    };
    let (_, (answer, _)) = tokio::join!(write, read);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_50_megabytes_is_refused_with_and_without_its_length() {
    let app = app(Engine::Sqlite).await;
    let before = app.everything().await;
    let large = vec![b'x'; 50 << 20];
    for (method, path, _) in bodies() {
        let request = app.sudo(method.clone(), path).header("content-type", "application/json");
        refused(request.body(large.clone()).send().await.unwrap(), 413, "", path).await;
    }
    for (method, path, _) in bodies() {
        let answer = chunked(&app, &method, path, &large).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{method} {path}: {answer:?}");
        assert!(answer.contains("application/problem+json") && answer.contains("\"too_large\""), "{answer}");
    }
    for path in ["/api/users", "/api/nothing", "/nothing"] {
        let request = app.sudo(Method::DELETE, path).header("content-type", "application/json");
        refused(request.body(large.clone()).send().await.unwrap(), 413, "", path).await;
    }
    let exact = format!("{{\"note\": \"{}\"}}", "x".repeat((1 << 20) - 12));
    assert_eq!(exact.len(), 1 << 20);
    let request = app.sudo(Method::PUT, "/api/users/alice").header("content-type", "application/json");
    refused(request.body(exact).send().await.unwrap(), 422, "note", "1 MiB").await;
    assert_eq!(app.everything().await, before);
}
