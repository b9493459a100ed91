//! Names that are given again: the next owner's usage begins at once.

use mtpannel::service::import_file;
use mtpannel::store::users;
use mtpannel_core::document::ImportedUser;
use mtpannel_core::user::{Limits, Secret};
use reqwest::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::common::{Answer, Engine, TestApp, eventually};

/// The base of the usage of `alice`.
async fn base(app: &TestApp) -> Option<i64> {
    let user = users::by_name(app.store().read().await.unwrap().db(), "alice", None).await.unwrap();
    user.and_then(|user| user.profile.usage_base)
}

/// `alice` moves 900 bytes and is deleted, alone or with others, and scrapes after her cut tell of her name.
async fn alice_is_deleted(app: &TestApp, in_bulk: bool, is_shown: bool) {
    app.create_user("alice", json!({})).await;
    app.create_user("other", json!({})).await;
    app.proxy.moves("alice", 900, 0);
    app.proxy.moves("other", 1, 1);
    app.scraped().await;
    delete(app, in_bulk).await;
    if !is_shown {
        app.proxy.change(|figures| figures.users.remove("alice"));
    }
    cut_is_over(app).await;
    app.scraped().await;
}

async fn delete(app: &TestApp, in_bulk: bool) {
    if in_bulk {
        let body = json!({"action": "delete", "usernames": ["alice"]});
        app.post("/api/users/bulk", &body).await.expect(StatusCode::OK).await;
    } else {
        app.delete("/api/users/alice").await.expect(StatusCode::NO_CONTENT).await;
    }
}

/// Waits for longer than the proxy may take to apply the file: until a user who was given a new secret later is served again.
async fn cut_is_over(app: &TestApp) {
    app.post("/api/users/other/regenerate-secret", &Value::Null).await.expect(StatusCode::OK).await;
    eventually("the end of a later cut", async || app.access("user_enabled", "other").is_none()).await;
}

/// Gives the name again and moves 5 bytes, before any scrape.
async fn alice_again_moves_five(app: &TestApp) {
    let silent = (StatusCode::SERVICE_UNAVAILABLE, String::new());
    app.proxy.change(|figures| figures.raw = Some(silent));
    app.scraped().await;
    app.create_user("alice", json!({})).await;
    app.proxy.moves("alice", 5, 0);
    app.proxy.change(|figures| figures.raw = None);
    app.scraped().await;
}

#[rstest]
#[case::deleted(Engine::Sqlite, false, true)]
#[case::deleted(Engine::Postgres, false, true)]
#[case::deleted_in_bulk(Engine::Sqlite, true, true)]
#[case::forgotten_by_the_proxy(Engine::Sqlite, false, false)]
#[case::forgotten_by_the_proxy(Engine::Postgres, true, false)]
#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_which_a_scrape_has_told_after_the_cut_counts_for_its_next_owner_at_once(
    #[case] engine: Engine,
    #[case] in_bulk: bool,
    #[case] is_shown: bool,
) {
    let app = TestApp::start(engine).await;
    alice_is_deleted(&app, in_bulk, is_shown).await;
    alice_again_moves_five(&app).await;
    assert_eq!(base(&app).await, Some(900));
    assert_eq!(app.user("alice").await["data_used"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_deleted_once_more_waits_for_another_scrape() {
    let app = TestApp::start(Engine::Sqlite).await;
    alice_is_deleted(&app, false, true).await;
    let silent = (StatusCode::SERVICE_UNAVAILABLE, String::new());
    app.proxy.change(|figures| figures.raw = Some(silent));
    app.scraped().await;
    app.create_user("alice", json!({})).await;
    delete(&app, false).await;
    app.create_user("alice", json!({})).await;
    assert_eq!(base(&app).await, None);
    app.proxy.moves("alice", 70, 0);
    cut_is_over(&app).await;
    app.proxy.change(|figures| figures.raw = None);
    eventually("the base", async || base(&app).await == Some(970)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_name_that_a_file_brings_back_is_not_charged_for_its_former_owner() {
    let app = TestApp::start(Engine::Sqlite).await;
    app.create_user("alice", json!({})).await;
    app.create_user("other", json!({})).await;
    app.proxy.moves("alice", 900, 0);
    app.scraped().await;
    let silent = (StatusCode::SERVICE_UNAVAILABLE, String::new());
    app.proxy.change(|figures| figures.raw = Some(silent));
    app.scraped().await;
    delete(&app, false).await;
    cut_is_over(&app).await;
    let alice = ImportedUser {
        username: "alice".parse().unwrap(),
        secret: Secret::new([7; 16]),
        disabled: None,
        expire_at: None,
        limits: Limits::default(),
        note: String::new(),
    };
    import_file::apply(app.store(), vec![alice], app.clock.now(), false).await.unwrap();
    app.proxy.moves("alice", 70, 0);
    app.proxy.change(|figures| figures.raw = None);
    app.scraped().await;
    assert_eq!(app.user("alice").await["data_used"], 0);
    assert_eq!(base(&app).await, Some(970));
}
