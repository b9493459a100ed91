//! Addresses and queries that do not fit, and patterns that must mean themselves.

use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp};

async fn app(engine: Engine) -> TestApp {
    let app = TestApp::start(engine).await;
    for name in ["alice", "al_ce", "al-ce", "bob.by"] {
        app.create_user(name, Value::Null).await;
    }
    app
}

/// Every byte as `%XX`.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn queries_that_do_not_fit_are_refused_and_name_their_parameter(#[case] engine: Engine) {
    let app = app(engine).await;
    let before = app.everything().await;
    let paged = ["/api/users", "/api/admins", "/api/audit"];
    let numbers = ["-1", "x", "1.5", "9223372036854775808", "99999999999999999999999", "null", "1e2", "%00"];
    for path in paged {
        for value in numbers {
            for field in ["offset", "limit"] {
                let problem = app.get(&format!("{path}?{field}={value}")).await;
                let problem = problem.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
                assert_eq!(problem["errors"][0]["field"], field, "{path} {value}: {problem}");
                let message = problem["errors"][0]["message"].as_str().unwrap();
                assert!(value == "-1" || message.contains("whole number"), "{path} {value}: {problem}");
            }
        }
        for query in ["limit=0", "limit=1001", "limit=9223372036854775807", "limit=1&limit=2"] {
            app.get(&format!("{path}?{query}")).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
        }
        let beyond = app.get(&format!("{path}?offset={}&limit=1000", i64::MAX)).await.expect(StatusCode::OK).await;
        let entries = beyond.as_object().unwrap().values().find_map(Value::as_array).unwrap();
        assert!(entries.is_empty() && beyond["total"].as_i64() > Some(0), "{beyond}");
    }
    let routes = paged.into_iter().chain(["/api/system/traffic", "/api/users/alice/traffic"]);
    for path in routes {
        for query in ["page=1", "Limit=5", "limit[]=5", "x", "=", "%00=1"] {
            let answer = app.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status(), 422, "{path}?{query}");
            answer.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
        }
    }
    let words = ["sort=secret", "sort=id", "sort=username;", "sort=--username", "sort=%2Busername"];
    let more = ["status=Active", "status=on", "status=%00", "sort=created_at%20DESC", "status=active&status=disabled"];
    for query in words.iter().chain(&more) {
        let problem = app.get(&format!("/api/users?{query}")).await;
        let problem = problem.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
        assert!(problem["errors"][0]["field"].is_string(), "{query}: {problem}");
    }
    let long = app.get(&format!("/api/users?search={}", "x".repeat(101))).await;
    long.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert_eq!(app.everything().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_without_a_value_is_as_if_it_were_absent() {
    let app = app(Engine::Sqlite).await;
    for (path, queries) in [
        ("/api/users", ["limit=", "sort=", "status=&search=", "offset&limit", "sort=&limit=50&"]),
        ("/api/admins", ["limit=", "offset=", "limit", "limit=&offset=", "limit=50&offset="]),
        ("/api/audit", ["limit=", "actor=", "action=&target=", "offset", "limit=&actor="]),
    ] {
        let plain = app.get(path).await.expect(StatusCode::OK).await;
        assert!(plain["total"].as_i64() > Some(0));
        for query in queries {
            assert_eq!(app.get(&format!("{path}?{query}")).await.expect(StatusCode::OK).await, plain, "{path}?{query}");
        }
    }
    for path in ["/api/system/traffic", "/api/users/alice/traffic"] {
        for query in ["from=", "to=", "step=", "from=&to=&step="] {
            app.get(&format!("{path}?{query}")).await.expect(StatusCode::OK).await;
        }
    }
    for path in ["/api/users", "/api/admins", "/api/audit", "/api/system/traffic"] {
        app.get(&format!("{path}?page=")).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn patterns_and_sql_in_a_search_mean_themselves(#[case] engine: Engine) {
    let app = app(engine).await;
    let before = app.everything().await;
    for (search, expected) in [
        ("_", vec!["al_ce"]),
        ("l_c", vec!["al_ce"]),
        ("-", vec!["al-ce"]),
        (".", vec!["bob.by"]),
        ("AL_CE", vec!["al_ce"]),
        ("%", vec![]),
        ("al%", vec![]),
        ("\\", vec![]),
        ("\\_", vec![]),
        ("'", vec![]),
        ("\"", vec![]),
        ("' OR '1'='1", vec![]),
        ("'; DROP TABLE users; --", vec![]),
        (";--", vec![]),
        ("*", vec![]),
        ("[a-z]", vec![]),
        ("\0", vec![]),
        ("alice\0", vec![]),
        ("\n", vec![]),
        ("alice\nbob", vec![]),
        ("İ", vec![]),
        ("", vec!["al-ce", "al_ce", "alice", "bob.by"]),
    ] {
        let list = app.get(&format!("/api/users?sort=username&search={}", encoded(search))).await;
        let list = list.expect(StatusCode::OK).await;
        let found: Vec<_> = list["users"].as_array().unwrap().iter().map(|user| user["username"].clone()).collect();
        assert_eq!(json!(found), json!(expected), "{search:?}");
        assert_eq!(list["total"], expected.len(), "{search:?}");
        let bulk = json!({"filter": {"search": search}, "action": "disable", "dry_run": true});
        let done = app.post("/api/users/bulk", &bulk).await.expect(StatusCode::OK).await;
        assert_eq!(done["matched"], expected.len(), "{search:?}");
    }
    for filter in ["%", "_", "ro_t", "' OR 1=1 --", "\\"] {
        let found = app.get(&format!("/api/audit?actor={}", encoded(filter))).await;
        assert_eq!(found.expect(StatusCode::OK).await["total"], 0, "{filter}");
    }
    for field in ["actor", "action", "target"] {
        for value in ["%00", &"x".repeat(101)] {
            let refused = app.get(&format!("/api/audit?{field}={value}")).await;
            let problem = refused.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
            assert_eq!(problem["errors"][0]["field"], *field, "{problem}");
        }
    }
    let long = json!({"filter": {"search": "x".repeat(101)}, "action": "disable"});
    app.post("/api/users/bulk", &long).await.problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert_eq!(app.everything().await, before);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn names_in_a_path_that_nobody_has_are_404_and_never_harm(#[case] engine: Engine) {
    let app = app(engine).await;
    let before = app.everything().await;
    let long = "x".repeat(5_000);
    let names = [
        "nobody",
        "%00",
        "alice%00",
        "%FF",
        "%27%20OR%201=1",
        "al%25",
        "%5C",
        "..%2Fadmins",
        "%0A",
        "al%69ce%20",
        &long,
    ];
    for name in names {
        for (method, tail, body) in [
            (Method::GET, "", Value::Null),
            (Method::PUT, "", json!({"note": "x"})),
            (Method::DELETE, "", Value::Null),
            (Method::POST, "/regenerate-secret", Value::Null),
            (Method::POST, "/reset-usage", Value::Null),
            (Method::GET, "/links", Value::Null),
            (Method::GET, "/qr.svg", Value::Null),
            (Method::GET, "/traffic", Value::Null),
        ] {
            let answer = app.ask(&app.sudo, method.clone(), &format!("/api/users/{name}{tail}"), &body).await;
            assert_eq!(answer.status(), 404, "{method} {name}{tail}");
            answer.problem(StatusCode::NOT_FOUND, "not_found").await;
        }
        let password = json!({"password": "a long password"});
        let path = format!("/api/admins/{name}");
        app.put(&path, &password).await.problem(StatusCode::NOT_FOUND, "not_found").await;
        app.delete(&path).await.problem(StatusCode::NOT_FOUND, "not_found").await;
    }
    assert_eq!(app.everything().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_are_404_and_unknown_methods_405_that_tell_the_known_ones() {
    let app = app(Engine::Sqlite).await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/users/",
        "/api/users/alice/nothing",
        "/api/USERS",
        "/nothing",
        "/api//users",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let answer = app.request(method, path).send().await.unwrap();
            answer.problem(StatusCode::NOT_FOUND, "not_found").await;
        }
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/api/users", "GET,HEAD,POST"),
        (Method::POST, "/api/users/alice", "DELETE,GET,HEAD,PUT"),
        (Method::GET, "/api/users/alice/regenerate-secret", "POST"),
        (Method::GET, "/api/admin/token", "POST"),
        (Method::PATCH, "/api/admins/root", "DELETE,PUT"),
        (Method::POST, "/health", "GET,HEAD"),
        (Method::from_bytes(b"BREW").unwrap(), "/api/system/stats", "GET,HEAD"),
    ] {
        let answer = app.sudo(method.clone(), path).send().await.unwrap();
        let mut found: Vec<_> = answer.headers()["allow"].to_str().unwrap().split(',').map(str::trim).collect();
        found.sort_unstable();
        assert_eq!(found.join(","), allowed, "{method} {path}");
        answer.problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed").await;
    }
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn texts_that_do_not_fit_are_refused_and_the_odd_ones_come_back_as_they_were(#[case] engine: Engine) {
    let app = app(engine).await;
    let before = app.everything().await;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    for note in [json!("a\0b"), json!("\0"), json!("n".repeat(1_001)), json!("я".repeat(1_001)), json!(7), json!({})] {
        for answer in [
            app.put("/api/users/alice", &json!({"note": note})).await,
            app.post("/api/users", &json!({"username": "fresh", "note": note})).await,
        ] {
            assert_eq!(answer.problem(unprocessable, "invalid").await["errors"][0]["field"], "note");
        }
    }
    for word in ["limited", "expired", "Active", "", "on"] {
        let answer = app.put("/api/users/alice", &json!({"status": word})).await;
        assert_eq!(answer.problem(unprocessable, "invalid").await["errors"][0]["field"], "status");
        let answer = app.put("/api/users/alice", &json!({"reset_strategy": word})).await;
        assert_eq!(answer.problem(unprocessable, "invalid").await["errors"][0]["field"], "reset_strategy");
    }
    for field in ["data_used", "secret", "username", "created_at", "id", "config_sync"] {
        app.put("/api/users/alice", &json!({field: "x"})).await.problem(unprocessable, "invalid").await;
    }
    for password in [json!("short"), json!("p".repeat(9)), json!("p".repeat(129)), json!(1_234_567_890), json!(null)] {
        let body = json!({"username": "helper", "password": password});
        app.post("/api/admins", &body).await.problem(unprocessable, "invalid").await;
        app.put("/api/admins/root", &json!({"password": password})).await.problem(unprocessable, "invalid").await;
    }
    for body in [
        json!({"usernames": [], "action": "delete"}),
        json!({"usernames": vec!["alice"; 1_001], "action": "delete"}),
        json!({"action": "delete"}),
        json!({"usernames": ["alice"], "filter": {}, "action": "delete"}),
        json!({"usernames": ["alice"]}),
        json!({"usernames": ["alice"], "action": "purge"}),
        json!({"usernames": ["alice"], "action": "delete", "value": 1}),
        json!({"usernames": ["alice"], "action": "add_bytes"}),
        json!({"usernames": "alice", "action": "delete"}),
        json!({"filter": {"owner": "root"}, "action": "delete"}),
        json!({"filter": ["al", "active"], "action": "delete"}),
        json!({"filter": {"status": "any"}, "action": "delete"}),
        json!({"usernames": ["alice"], "action": "delete", "dry_run": "yes"}),
    ] {
        app.post("/api/users/bulk", &body).await.problem(unprocessable, "invalid").await;
    }
    assert_eq!(app.everything().await, before);

    for note in
        ["<script>alert(1)</script>", "строка\n\t\"'\\ 😀", "' OR 1=1; --", "\u{202e}\u{7f}\u{1}", &"я".repeat(1_000)]
    {
        let changed = app.put("/api/users/alice", &json!({"note": note})).await.expect(StatusCode::OK).await;
        assert_eq!(changed["note"], note);
        assert_eq!(app.user("alice").await["note"], note);
    }
}
