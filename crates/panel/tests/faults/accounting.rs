//! Bytes: each is accounted exactly once, whichever of panel and proxy is killed, and when.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mtpannel::store::{NodeId, Store, meters, nodes, traffic, users};
use mtpannel_core::usage::Counters;
use rstest::rstest;
use serde_json::json;

use crate::database::Engine;
use crate::fake_proxy::{FakeProxy, Series};
use crate::panel::{Panel, Site, eventually};
use crate::random;

const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];
const KILLS: u64 = 200;
/// A proxy that dies sooner after its start than this is not told from one that did not (ADR 0003).
const SHORTEST_LIFE: f64 = 0.5;

/// Bytes by name, in both directions.
type Totals = BTreeMap<String, (i64, i64)>;

fn totals(series: &BTreeMap<String, Series>) -> Totals {
    let signed = |bytes: u64| i64::try_from(bytes).unwrap();
    series.iter().map(|(name, series)| (name.clone(), (signed(series.from), signed(series.to)))).collect()
}

fn sum(left: &Totals, right: &Totals) -> Totals {
    let mut sum = left.clone();
    for (name, (from, to)) in right {
        let total = sum.entry(name.clone()).or_default();
        *total = (total.0 + from, total.1 + to);
    }
    sum
}

/// What the database has, from its meters; fails unless usage and history say the same.
async fn accounted(store: &Store) -> Totals {
    let mut conn = store.read().await.unwrap();
    let mut tx = conn.snapshot().await.unwrap();
    let stored: HashMap<_, _> = meters::of_names(tx.db(), NodeId::LOCAL, NAMES).await.unwrap().into_iter().collect();
    let mut totals = Totals::new();
    for name in NAMES {
        let lifetime = stored.get(name).map_or(Counters::ZERO, |account| account.meter.lifetime);
        let user = users::by_name(tx.db(), name, None).await.unwrap().unwrap();
        assert_eq!(user.profile.data_used, lifetime.total(), "usage of {name}");
        let beginning = chrono::DateTime::UNIX_EPOCH;
        let end = beginning + chrono::TimeDelta::days(365_000);
        let history = traffic::of_user(tx.db(), user.id, beginning, end).await.unwrap();
        let moved: i64 = history.iter().map(|moved| moved.octets_from + moved.octets_to).sum();
        assert_eq!(moved, lifetime.total(), "history of {name}");
        if lifetime != Counters::ZERO {
            totals.insert(name.to_owned(), (lifetime.from_client, lifetime.to_client));
        }
    }
    totals
}

/// The proxy, what it has shown in its present life, and what of that is recorded.
struct Run {
    proxy: FakeProxy,
    /// What each answer since the last look said.
    shown: Arc<Mutex<Vec<Totals>>>,
    /// Recorded in lives of the proxy that are over.
    before: Totals,
    /// Recorded in this life.
    recorded: Totals,
}

impl Run {
    async fn start() -> Self {
        let proxy = FakeProxy::start().await;
        Self { proxy, shown: Arc::default(), before: Totals::new(), recorded: Totals::new() }
    }

    /// From now on somebody moves bytes before every answer.
    fn traffic(&self) {
        let shown = Arc::clone(&self.shown);
        self.proxy.change(|figures| {
            figures.on_answer = Some(Box::new(move |users| {
                for name in NAMES.iter().filter(|_| random(2) == 0) {
                    let series = users.entry((*name).into()).or_default();
                    series.from += random(1 << 20);
                    series.to += random(1 << 30);
                }
                shown.lock().unwrap().push(totals(users));
            }));
        });
    }

    /// The database must have what one answer said, all of it, and nothing twice.
    async fn look(&mut self, store: &Store) {
        let accounted = accounted(store).await;
        let shown = std::mem::take(&mut *self.shown.lock().unwrap());
        let possible: Vec<_> = std::iter::once(self.recorded.clone()).chain(shown).collect();
        let found = possible.iter().find(|answer| sum(&self.before, answer) == accounted);
        let before = &self.before;
        self.recorded =
            found.unwrap_or_else(|| panic!("{accounted:?} is no answer of {possible:?} on top of {before:?}")).clone();
    }

    /// Its counters begin anew; what was not recorded no scrape can see any more.
    fn restart_proxy(&mut self) {
        self.proxy.restart();
        self.before = sum(&self.before, &std::mem::take(&mut self.recorded));
    }
}

/// Lets the panel live for a random time, now and then until it serves. Meanwhile the metrics may break off, or be away.
async fn live(mut panel: Panel, proxy: &FakeProxy) {
    let a_moment = async || tokio::time::sleep(Duration::from_millis(random(200))).await;
    proxy.change(|figures| figures.torn = u64::from(random(6) == 0));
    if random(4) == 0 {
        panel.serves().await;
    }
    a_moment().await;
    let is_away = random(4) == 0;
    if is_away {
        proxy.hang_up().await;
    }
    a_moment().await;
    panel.kill();
    if is_away {
        proxy.answer_again().await;
    }
}

async fn scrapes(store: &Store) -> i64 {
    nodes::scrape_ordinal(store.read().await.unwrap().db(), NodeId::LOCAL).await.unwrap()
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn every_byte_that_a_scrape_could_see_is_accounted_once_whatever_is_killed(#[case] engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let database = engine.fresh(folder.path()).await;
    let mut run = Run::start().await;
    let site = Site::new(folder, database, &run.proxy);
    let mut panel = site.start_and_wait().await;
    for name in NAMES {
        panel.api.create(name, json!({})).await.unwrap();
    }
    panel.kill();
    run.traffic();
    let store = site.store().await;
    let (mut restarts, mut fruitful) = (0, 0);
    for _ in 0..KILLS {
        let before = scrapes(&store).await;
        live(site.start(), &run.proxy).await;
        run.look(&store).await;
        fruitful += u64::from(scrapes(&store).await > before);
        if random(2) == 0 && run.proxy.change(|figures| figures.uptime()) > SHORTEST_LIFE {
            run.restart_proxy();
            restarts += 1;
        }
    }
    assert!(restarts > KILLS / 10, "the proxy was killed {restarts} times only");
    assert!(fruitful > KILLS / 4, "only {fruitful} lives of the panel recorded a scrape");
    // One last move, which arrives in full.
    run.proxy.change(|figures| {
        figures.on_answer = None;
        figures.torn = 0;
    });
    run.proxy.moves(NAMES[0], 1, 2);
    let last = totals(&run.proxy.change(|figures| figures.users.clone()));
    let mut panel = site.start_and_wait().await;
    let asked = run.proxy.change(|figures| figures.asked);
    eventually("two more scrapes", async || run.proxy.change(|figures| figures.asked) >= asked + 2).await;
    panel.kill();
    assert_eq!(accounted(&store).await, sum(&run.before, &last));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_that_never_end_are_given_up_and_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let database = Engine::Sqlite.fresh(folder.path()).await;
    let proxy = FakeProxy::start().await;
    let site = Site::new(folder, database, &proxy);
    let panel = site.start_and_wait().await;
    panel.api.create("alice", json!({"data_limit": 10})).await.unwrap();
    let asked = || proxy.change(|figures| figures.asked);
    let before = proxy.change(|figures| {
        figures.stalled = 1;
        figures.asked
    });
    eventually("the question", async || asked() > before).await;
    proxy.moves("alice", 3, 7);
    let (status, created) = panel.api.create("bob", json!({})).await.unwrap();
    assert_eq!((status.as_u16(), &created["config_sync"]["state"]), (201, &json!("applied")));
    eventually("the end of the patience", async || panel.log().contains("metrics could not be read")).await;
    let is_shut = || std::fs::read_to_string(site.config_path()).unwrap().contains("\"alice\" = false");
    eventually("the limit", async || is_shut()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_panels_on_one_postgresql_account_every_byte_once_and_both_write_every_user() {
    let folder = tempfile::tempdir().unwrap();
    let database = Engine::Postgres.fresh(folder.path()).await;
    let run = Run::start().await;
    let site = Site::new(folder, database.clone(), &run.proxy);
    let other = Site::new(tempfile::tempdir().unwrap(), database, &run.proxy);
    let (mut first, mut second) = (site.start_and_wait().await, other.start_and_wait().await);
    for (n, name) in NAMES.iter().enumerate() {
        let panel = if n % 2 == 0 { &first } else { &second };
        panel.api.create(name, json!({})).await.unwrap();
    }
    run.traffic();
    let asked = || run.proxy.change(|figures| figures.asked);
    let before = asked();
    eventually("ten scrapes", async || asked() >= before + 10).await;
    run.proxy.change(|figures| figures.on_answer = None);
    let last = totals(&run.proxy.change(|figures| figures.users.clone()));
    let before = asked();
    eventually("four more scrapes", async || asked() >= before + 4).await;
    for config in [site.config_path(), other.config_path()] {
        let has = |name: &str| std::fs::read_to_string(&config).unwrap().contains(&format!("\"{name}\" = "));
        eventually("everybody in the file", async || NAMES.iter().all(|name| has(name))).await;
    }
    first.kill();
    second.kill();
    let store = site.store().await;
    assert_eq!(accounted(&store).await, last);
    store.close().await;
}
