//! Many mutations at once share the writes of the file.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use rstest::rstest;
use serde_json::json;

use crate::database::Engine;
use crate::fake_proxy::FakeProxy;
use crate::panel::Site;

const CREATES: usize = 200;

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_creates_at_once_all_succeed_in_a_tenth_as_many_writes_of_the_file(#[case] engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let database = engine.fresh(folder.path()).await;
    let proxy = FakeProxy::start().await;
    let site = Site::new(folder, database, &proxy);
    let panel = site.start_and_wait().await;
    let writes = || panel.log().matches("config.toml written").count();
    let before = writes();
    let mut creates = tokio::task::JoinSet::new();
    for n in 0..CREATES {
        let api = panel.api.clone();
        creates.spawn(async move { api.create(&format!("user-{n}"), json!({"data_limit": n + 1})).await.unwrap() });
    }
    let answers = creates.join_all().await;
    for (status, user) in &answers {
        assert_eq!((*status, &user["config_sync"]["state"]), (StatusCode::CREATED, &json!("applied")), "{user}");
    }
    let file: toml_edit::DocumentMut = std::fs::read_to_string(site.config_path()).unwrap().parse().unwrap();
    let users = file["access"]["users"].as_table_like().unwrap();
    let names: BTreeSet<_> = users.iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, (0..CREATES).map(|n| format!("user-{n}")).collect());
    let written = writes() - before;
    assert!((1..=CREATES / 10).contains(&written), "the file was written {written} times");
}
