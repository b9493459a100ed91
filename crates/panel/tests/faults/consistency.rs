//! The file says what the database says, and neither forgets what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use mtpannel::store::users::{self, Projected};
use mtpannel::store::{NodeId, session_cuts};
use mtpannel_core::access::SessionCut;
use mtpannel_core::user::Status;
use reqwest::{Method, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use toml_edit::DocumentMut;

use crate::database::Engine;
use crate::fake_proxy::FakeProxy;
use crate::panel::{Api, Panel, Site, eventually};
use crate::random;

const KILLS: usize = 100;
const CLIENTS: usize = 8;
const PLACEHOLDER: &str = "mtpannel-placeholder";

/// What a client knows of its user: the limit, if the user exists.
type State = Option<i64>;

/// The states that a user may be in: one, or two while a change was asked for and not answered.
type Known = BTreeMap<String, BTreeSet<State>>;

/// Creates, changes and deletes a user of its own until the panel does not answer any more. Gives what it knows then.
async fn client(api: Api, name: String, known: BTreeSet<State>) -> (String, BTreeSet<State>) {
    // One look ends the doubt of the life before.
    let answer = api.request(Method::GET, &format!("/api/users/{name}")).send().await;
    let Ok(answer) = answer else { return (name, known) };
    let mut state = match answer.status() {
        StatusCode::NOT_FOUND => None,
        StatusCode::OK => match answer.json::<Value>().await {
            Ok(user) => Some(user["data_limit"].as_i64().unwrap()),
            Err(_) => return (name, known),
        },
        status => panic!("{status}"),
    };
    assert!(known.contains(&state), "{name} is {state:?}, and was acknowledged to be {known:?}");
    loop {
        let limit = i64::try_from(random(1 << 40)).unwrap() + 1;
        let path = format!("/api/users/{name}");
        let (request, next) = match state {
            None => {
                let body = json!({"username": name, "data_limit": limit});
                (api.request(Method::POST, "/api/users").json(&body), Some(limit))
            }
            Some(_) if random(3) == 0 => (api.request(Method::DELETE, &path), None),
            Some(_) => (api.request(Method::PUT, &path).json(&json!({"data_limit": limit})), Some(limit)),
        };
        match request.send().await {
            Ok(answer) => assert!(answer.status().is_success(), "{}", answer.status()),
            Err(_) => return (name, BTreeSet::from([state, next])),
        }
        state = next;
    }
}

fn text_of(document: &DocumentMut, table: &str, name: &str) -> Option<String> {
    let value = document.get("access")?.get(table)?.get(name)?.as_value()?;
    Some(value.as_str().map_or_else(|| value.to_string().trim().to_owned(), str::to_owned))
}

fn keys(document: &DocumentMut, table: &str) -> BTreeSet<String> {
    let table = document.get("access").and_then(|access| access.get(table)).and_then(toml_edit::Item::as_table_like);
    table.map_or_else(BTreeSet::new, |table| table.iter().map(|(name, _)| name.to_owned()).collect())
}

/// The managed tables are those of these rows. Whoever is not served stands as shut, and so does a deleted name whose
/// session cut lasts until `now` at least. A name that was given again stays shut while the sessions of the one before are
/// cut.
fn assert_same(text: &str, rows: &[Projected], cuts: &[SessionCut], now: DateTime<Utc>) {
    let document: DocumentMut = text.parse().unwrap();
    let active: Vec<_> = rows.iter().filter(|row| row.status == Status::Active).collect();
    let mut names: BTreeSet<_> = active.iter().map(|row| row.username.to_string()).collect();
    for row in &active {
        let name = row.username.as_str();
        assert_eq!(text_of(&document, "users", name).as_deref(), Some(row.secret.to_hex().as_str()), "{name}");
        let quota = row.limits.data.map(|limit| (limit.get() + row.quota_base).to_string());
        assert_eq!(text_of(&document, "user_data_quota", name), quota, "{name}");
        let enabled = text_of(&document, "user_enabled", name);
        assert!(enabled.is_none() || cuts.iter().any(|cut| cut.username == row.username), "{name} is shut");
    }
    let is_shut = |name: &str| text_of(&document, "user_enabled", name).as_deref() == Some("false");
    for row in rows.iter().filter(|row| row.status != Status::Active) {
        assert!(is_shut(row.username.as_str()), "{} is open", row.username);
    }
    let gone = |cut: &&SessionCut| rows.iter().all(|row| row.username != cut.username);
    for cut in cuts.iter().filter(gone).filter(|cut| cut.is_in_force(false, rows.len(), now)) {
        assert!(is_shut(cut.username.as_str()), "{cut:?} is open");
    }
    assert!(keys(&document, "user_data_quota").is_subset(&names));
    if names.is_empty() {
        names.insert(PLACEHOLDER.into());
    }
    assert_eq!(keys(&document, "users"), names);
}

pub async fn assert_consistent(site: &Site) {
    let store = site.store().await;
    // Before the file, because the panel forgets them when it has written it.
    let cuts = session_cuts::all(store.read().await.unwrap().db(), NodeId::LOCAL).await.unwrap();
    let path = site.config_path();
    let text = std::fs::read_to_string(&path).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the panel's clock is the system's")]
    let now = Utc::now();
    let rows = users::projection(store.read().await.unwrap().db(), -1).await.unwrap();
    store.close().await;
    assert_same(&text, &rows, &cuts, now);
    // A running panel may be about to write the end of a cut.
    let beside = || std::fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    eventually("nothing beside the file", async || beside().eq(["config.toml"])).await;
}

/// A burst of all clients at once; `end` ends the panel in the middle of it.
async fn burst(mut panel: Panel, known: Known, end: impl AsyncFnOnce(&mut Panel)) -> Known {
    let mut clients = tokio::task::JoinSet::new();
    for (name, states) in known {
        clients.spawn(client(panel.api.clone(), name, states));
    }
    tokio::time::sleep(Duration::from_millis(random(120))).await;
    end(&mut panel).await;
    clients.join_all().await.into_iter().collect()
}

fn nobody_yet() -> Known {
    (0..CLIENTS).map(|n| (format!("user-{n}"), BTreeSet::from([None]))).collect()
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn after_kill_dash_nine_no_acknowledged_change_is_lost_and_the_file_says_what_the_database_says(
    #[case] engine: Engine,
) {
    let folder = tempfile::tempdir().unwrap();
    let database = engine.fresh(folder.path()).await;
    let proxy = FakeProxy::start().await;
    let site = Site::new(folder, database, &proxy);
    let mut known = nobody_yet();
    for _ in 0..KILLS {
        let panel = site.start_and_wait().await;
        assert_consistent(&site).await;
        known = burst(panel, known, async |panel| panel.kill()).await;
    }
    // Each client looks once more before it goes on.
    let panel = site.start_and_wait().await;
    assert_consistent(&site).await;
    burst(panel, known, async |panel| panel.kill()).await;
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_the_panel_finishes_its_requests_and_the_file(#[case] engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let database = engine.fresh(folder.path()).await;
    let proxy = FakeProxy::start().await;
    let site = Site::new(folder, database, &proxy);
    let mut known = nobody_yet();
    for _ in 0..10 {
        let panel = site.start_and_wait().await;
        known = burst(panel, known, async |panel| {
            panel.terminate();
            assert!(panel.ended().await.success(), "{}", panel.log());
        })
        .await;
        // Without another start: what was acknowledged stands in the file already.
        assert_consistent(&site).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_file_of_a_panel_that_was_killed_goes_at_the_next_start_and_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let database = Engine::Sqlite.fresh(folder.path()).await;
    let proxy = FakeProxy::start().await;
    let site = Site::new(folder, database, &proxy);
    site.start_and_wait().await.kill();
    let beside = site.config_path().parent().unwrap().to_owned();
    for name in [".mtpannel-dead.tmp", "notes.txt"] {
        std::fs::write(beside.join(name), "half a file").unwrap();
    }
    let _panel = site.start_and_wait().await;
    assert!(!beside.join(".mtpannel-dead.tmp").exists() && beside.join("notes.txt").exists());
}
