//! History that is rolled up and pruned: sums stay.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use mtpannel::store::system::{self, SystemStats};
use mtpannel::store::traffic::{self, Moved};
use mtpannel::store::{Db, users};
use mtpannel::task::retention;
use rstest::rstest;
use serde_json::json;

use crate::common::{Engine, TestApp};

type Rows = Vec<(DateTime<Utc>, i64, i64)>;

fn rows(moved: Vec<Moved>) -> Rows {
    moved.into_iter().map(|row| (row.recorded_at, row.octets_from, row.octets_to)).collect()
}

/// What is stored of `alice`, of `bob`, and of everybody.
async fn stored(app: &TestApp, ids: [i64; 2]) -> [Rows; 3] {
    let (begin, end) = (DateTime::UNIX_EPOCH, app.clock.now() + TimeDelta::days(1));
    let mut conn = app.store().read().await.unwrap();
    let mut of = Vec::new();
    for id in ids {
        of.push(rows(traffic::of_user(conn.db(), id, begin, end).await.unwrap()));
    }
    of.push(rows(traffic::of_scope(conn.db(), None, begin, end).await.unwrap()));
    of.try_into().unwrap()
}

/// How many of the proxy's figures are older.
async fn stats_before(app: &TestApp, moment: DateTime<Utc>) -> i64 {
    let count = "SELECT COUNT(*) FROM system_stats WHERE recorded_at < $1";
    let mut conn = app.store().read().await.unwrap();
    let (count,) = match conn.db() {
        Db::Sqlite(conn) => sqlx::query_as(count).bind(moment).fetch_one(conn).await.unwrap(),
        Db::Postgres(conn) => sqlx::query_as(count).bind(moment).fetch_one(conn).await.unwrap(),
    };
    count
}

/// What must be left of rows at `now`: the last day as it is, then one row an hour, after 30 days one a day, and nothing
/// that is older than a year.
fn tidied(rows: &Rows, now: DateTime<Utc>) -> Rows {
    let mut tidied: BTreeMap<DateTime<Utc>, (i64, i64)> = BTreeMap::new();
    for (at, from, to) in rows {
        let window = |width: TimeDelta, age: i64| {
            let begin = at.duration_trunc(width).unwrap();
            (begin + width <= now - TimeDelta::days(age)).then_some(begin)
        };
        let at = window(TimeDelta::days(1), 30).or(window(TimeDelta::hours(1), 1)).unwrap_or(*at);
        let sum = tidied.entry(at).or_default();
        *sum = (sum.0 + from, sum.1 + to);
    }
    let kept = tidied.into_iter().filter(|(at, _)| *at >= now - TimeDelta::days(365));
    kept.map(|(at, (from, to))| (at, from, to)).collect()
}

#[rstest]
#[case(Engine::Sqlite)]
#[case(Engine::Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn history_becomes_hours_and_days_with_the_same_sums_and_ends_after_a_year(#[case] engine: Engine) {
    let app = TestApp::start(engine).await;
    let mut ids = [0; 2];
    for (id, name) in ids.iter_mut().zip(["alice", "bob"]) {
        app.create_user(name, json!({})).await;
        *id = users::by_name(app.store().read().await.unwrap().db(), name, None).await.unwrap().unwrap().id;
    }
    let now = app.clock.now();
    // Twenty minutes apart in the last two days and around the bounds of each kind, else nearly three days.
    let mut ages = Vec::new();
    let mut age = TimeDelta::minutes(1);
    while age < TimeDelta::days(400) {
        ages.push(age);
        let is_near = [0, 30, 365].iter().any(|days| (age.num_days() - days).abs() <= 1);
        age += if is_near { TimeDelta::minutes(20) } else { TimeDelta::hours(67) };
    }
    let (mut logs, mut totals) = (Vec::new(), Vec::new());
    for (at, bytes) in ages.iter().rev().map(|age| now - *age).zip(1i64..) {
        let moved = |times| Moved { recorded_at: at, octets_from: times * bytes, octets_to: times * 1_000 * bytes };
        logs.push((ids[0], moved(1)));
        if bytes % 3 == 0 {
            logs.push((ids[1], moved(2)));
        }
        totals.push(moved(5));
    }
    let mut tx = app.store().write().await.unwrap();
    traffic::insert_many(tx.db(), &logs).await.unwrap();
    traffic::insert_totals(tx.db(), &totals).await.unwrap();
    for days in [31, 29] {
        let recorded_at = now - TimeDelta::days(days);
        let stats = SystemStats { uptime: 1.0, total_connections: 1, bad_connections: 0, recorded_at };
        system::insert(tx.db(), &stats).await.unwrap();
    }
    tx.commit().await.unwrap();
    let before = stored(&app, ids).await;
    retention::tidy(&app.running().app).await.unwrap();
    // The clock runs on, so the bounds lie between these two.
    let (after, end) = (stored(&app, ids).await, app.clock.now());
    let bound = (now - TimeDelta::days(360)).duration_trunc(TimeDelta::days(1)).unwrap();
    let sums = |rows: &Rows| {
        let year = rows.iter().filter(|(at, ..)| *at >= bound);
        year.fold((0, 0), |sum, (_, from, to)| (sum.0 + from, sum.1 + to))
    };
    for (before, after) in before.iter().zip(&after) {
        assert!([now, end].iter().any(|now| tidied(before, *now) == *after), "{after:?}");
        assert_eq!(sums(before), sums(after));
        assert!(after.len() < before.len() && after.iter().all(|(at, ..)| *at >= now - TimeDelta::days(366)));
    }
    assert_eq!(stats_before(&app, now - TimeDelta::days(30)).await, 0);
    assert_eq!(stats_before(&app, now - TimeDelta::days(28)).await, 1);
    // Again, and later: what is tidy stays as it is, and goes on.
    retention::tidy(&app.running().app).await.unwrap();
    assert_eq!(stored(&app, ids).await, after);
    app.shift(TimeDelta::days(45)).await;
    retention::tidy(&app.running().app).await.unwrap();
    let later = app.clock.now();
    for (after, last) in after.iter().zip(stored(&app, ids).await) {
        assert!([later - TimeDelta::seconds(1), later].iter().any(|now| tidied(after, *now) == last), "{last:?}");
    }
}
