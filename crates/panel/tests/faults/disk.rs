//! The file cannot be written for a while: what was acknowledged stays, the old file stays whole, and the new one follows.

use std::io::Write as _;
use std::os::unix::fs::symlink;

use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::consistency::assert_consistent;
use crate::database::Engine;
use crate::fake_proxy::FakeProxy;
use crate::panel::{Panel, Site, eventually};

async fn create(panel: &Panel, n: usize) -> Value {
    let fields = json!({
        "data_limit": 1_000_000_000, "max_connections": 100, "max_unique_ips": 100, "expire_at": "2090-01-01T00:00:00Z",
    });
    let (status, user) = panel.api.create(&format!("user-with-a-long-name-{n}"), fields).await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{user}");
    user
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_the_old_file_stays_whole_and_the_new_one_follows_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    // On a machine of its own, so that only the file is in want of room.
    let database = Engine::Postgres.fresh(folder.path()).await;
    let proxy = FakeProxy::start().await;
    let site = Site::new(folder, database, &proxy);
    let mut panel = site.start_on_a_full_disk(32);
    panel.is_ready().await;
    let text = || std::fs::read_to_string(site.config_path()).unwrap();
    let (mut last, mut pending) = (String::new(), None);
    for n in 0..200 {
        let user = create(&panel, n).await;
        if user["config_sync"]["state"] == "pending" {
            pending = Some((n, user));
            break;
        }
        last = text();
    }
    let (n, user) = pending.expect("200 users have no room in 32 KiB");
    let detail = user["config_sync"]["detail"].as_str().unwrap();
    assert!(detail.contains("config.toml: cannot write") && n > 10, "{n}: {detail}");
    assert_eq!(text(), last);
    let names = std::fs::read_dir(site.config_path().parent().unwrap()).unwrap();
    assert_eq!(names.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>(), ["config.toml"]);
    // Room for the last one.
    for gone in 0..5 {
        let path = format!("/api/users/user-with-a-long-name-{gone}");
        let answer = panel.api.request(Method::DELETE, &path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    }
    eventually("the file with the last", async || text().contains(&format!("\"user-with-a-long-name-{n}\" = "))).await;
    panel.is_ready().await;
    assert_consistent(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_full_disk_has_room_again_sqlite_takes_users_logins_and_scrapes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("disk")).unwrap();
    let database = format!("sqlite:///{}", folder.path().join("disk/panel.db").display());
    let proxy = FakeProxy::start().await;
    let site = Site::new(folder, database, &proxy);
    let mut panel = site.start_on_a_small_disk(4 * 1024);
    panel.is_ready().await;
    eventually("the first scrape", async || panel.readiness().await.1["scrape"] == true).await;
    assert!(site.is_healthy(&panel));

    let ballast = panel.disk(&site.folder.path().join("disk/ballast"));
    let mut file = std::fs::File::create(&ballast).unwrap();
    while file.write_all(&[0; 4_096]).is_ok() {}
    let note = "n".repeat(1_000);
    let mut refused = None;
    for n in 0..2_000 {
        let (status, body) = panel.api.create(&format!("user-{n}"), json!({"note": note})).await.unwrap();
        if status != StatusCode::CREATED {
            refused = Some((status, body));
            break;
        }
    }
    let (status, body) = refused.expect("the disk is full");
    assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("database_unavailable")), "{body}");
    eventually("a scrape that fails", async || panel.readiness().await.1["scrape"] == false).await;
    eventually("readiness that tells it", async || {
        let (status, body) = panel.readiness().await;
        status == StatusCode::SERVICE_UNAVAILABLE && body["database_writable"] == false
    })
    .await;
    assert!(!site.is_healthy(&panel), "{}", panel.log());

    std::fs::remove_file(&ballast).unwrap();
    drop(file);
    let (status, body) = panel.api.create("after", json!({"note": note})).await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{body}\n{}", panel.log());
    assert_eq!(panel.login().await, StatusCode::OK);
    eventually("readiness", async || {
        let (status, body) = panel.readiness().await;
        status == StatusCode::OK && body["scrape"] == true
    })
    .await;
    assert!(site.is_healthy(&panel));
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn where_no_file_can_be_made_changes_are_kept_and_written_once_one_can(#[case] engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let database = engine.fresh(folder.path()).await;
    let proxy = FakeProxy::start().await;
    let site = Site::new(folder, database, &proxy);
    let (link, next) = (site.config_path().parent().unwrap().to_owned(), site.folder.path().join("next"));
    let lead_to = |place: &str| {
        symlink(place, &next).unwrap();
        std::fs::rename(&next, &link).unwrap();
    };
    std::fs::create_dir(site.folder.path().join("real")).unwrap();
    lead_to("real");
    let mut panel = site.start_and_wait().await;
    create(&panel, 1).await;
    // Not even root can make files there.
    lead_to("/proc");
    let user = create(&panel, 2).await;
    assert_eq!(user["config_sync"]["state"], "pending", "{user}");
    let detail = user["config_sync"]["detail"].as_str().unwrap();
    assert!(detail.contains("cannot make a temporary file beside it"), "{detail}");
    lead_to("real");
    let text = || std::fs::read_to_string(site.config_path()).unwrap();
    eventually("the file with both", async || text().contains("name-1\" = ") && text().contains("name-2\" = ")).await;
    panel.is_ready().await;
    assert_consistent(&site).await;
}
