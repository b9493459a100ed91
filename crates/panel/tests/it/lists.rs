//! Pages of users: order, filters, totals.

use chrono::TimeDelta;
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp};

async fn names(app: &TestApp, query: &str) -> (Vec<String>, i64) {
    let page = app.get(&format!("/api/users?{query}")).await.expect(StatusCode::OK).await;
    let name = |user: &Value| user["username"].as_str().unwrap().to_owned();
    (page["users"].as_array().unwrap().iter().map(name).collect(), page["total"].as_i64().unwrap())
}

/// Four users who differ in everything that lists sort by.
async fn app(engine: Engine) -> TestApp {
    let mut app = TestApp::start(engine).await;
    for (name, fields) in [
        ("delta", json!({"data_limit": 1_000, "expire_at": "2090-01-01T00:00:00Z"})),
        ("Bravo", json!({"data_limit": 50})),
        ("alpha", json!({"expire_at": "2020-01-01T00:00:00Z"})),
        ("charlie", json!({"data_limit": 2_000, "expire_at": "2080-01-01T00:00:00Z"})),
    ] {
        app.create_user(name, fields).await;
        app.pass(TimeDelta::seconds(2)).await;
    }
    app.put("/api/users/charlie", &json!({"status": "disabled"})).await.expect(StatusCode::OK).await;
    app.proxy.moves("delta", 1, 2);
    app.scraped().await;
    app.pass(TimeDelta::seconds(2)).await;
    app.proxy.moves("Bravo", 100, 0);
    app.scraped().await;
    app
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn lists_sort_by_every_key_both_ways_and_page_without_gaps(#[case] engine: Engine) {
    let app = app(engine).await;
    for (sort, order) in [
        ("created_at", "delta Bravo alpha charlie"),
        ("username", "alpha Bravo charlie delta"),
        ("data_used", "alpha charlie delta Bravo"),
        ("data_limit", "Bravo delta charlie alpha"),
        ("expire_at", "alpha charlie delta Bravo"),
        ("last_seen_at", "alpha charlie delta Bravo"),
        ("status", "delta charlie Bravo alpha"),
    ] {
        let mut order: Vec<_> = order.split(' ').map(str::to_owned).collect();
        let (found, total) = names(&app, &format!("sort={sort}")).await;
        if sort == "data_used" || sort == "last_seen_at" {
            // Two are alike in it; they stand in the order of their creation.
            assert_eq!((found[0].as_str(), found[1].as_str()), ("alpha", "charlie"), "{sort}");
        }
        assert_eq!((&found, total), (&order, 4), "{sort}");
        order.reverse();
        assert_eq!(names(&app, &format!("sort=-{sort}")).await.0, order, "-{sort}");
        for offset in 0..6 {
            let (page, total) = names(&app, &format!("sort=-{sort}&limit=2&offset={offset}")).await;
            let expected: Vec<_> = order.iter().skip(offset).take(2).cloned().collect();
            assert_eq!((page, total), (expected, 4), "-{sort} from {offset}");
        }
    }
    assert_eq!(names(&app, "").await.0, ["charlie", "alpha", "Bravo", "delta"]);
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn filters_combine_and_the_total_is_of_what_matches(#[case] engine: Engine) {
    let app = app(engine).await;
    for (status, name) in [("active", "delta"), ("disabled", "charlie"), ("limited", "Bravo"), ("expired", "alpha")] {
        assert_eq!(names(&app, &format!("status={status}")).await, (vec![name.to_owned()], 1), "{status}");
    }
    assert_eq!(names(&app, "search=L&sort=username").await.0, ["alpha", "charlie", "delta"]);
    assert_eq!(names(&app, "search=LI").await, (vec!["charlie".to_owned()], 1));
    assert_eq!(names(&app, "search=l&status=expired").await, (vec!["alpha".to_owned()], 1));
    assert_eq!(names(&app, "search=l&limit=1&sort=-username").await, (vec!["delta".to_owned()], 3));
    assert_eq!(names(&app, "search=l&limit=1&offset=3").await, (vec![], 3));
    let stats = app.get("/api/system/stats").await.expect(StatusCode::OK).await;
    assert_eq!(stats["users"], json!({"total": 4, "active": 1, "disabled": 1, "limited": 1, "expired": 1}));
    let top: Vec<_> = stats["user_traffic"].as_array().unwrap().iter().map(|user| &user["username"]).collect();
    assert_eq!(top[..2], [&json!("Bravo"), &json!("delta")]);
    // A change shows at once, in every order.
    app.put("/api/users/charlie", &json!({"status": "active"})).await.expect(StatusCode::OK).await;
    assert_eq!(names(&app, "status=active&sort=username").await.0, ["charlie", "delta"]);
    app.delete("/api/users/delta").await.expect(StatusCode::NO_CONTENT).await;
    assert_eq!(names(&app, "sort=-data_used").await.1, 3);
}
