//! A database that has been in use for a while: users of every status, meters, history.

use std::path::Path;

use anyhow::Context as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

const WORDS: [&str; 16] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "juniper", "karst", "lagoon",
    "meadow", "north", "orchid", "prairie",
];
/// Rows in one statement, so that its text stays small.
const BATCH: usize = 5_000;
const GIB: usize = 1 << 30;

// Nobody expires, is reset or reaches their limit while the bench runs: that would be measured in the wrong place.
const USERS: &str = "INSERT INTO users (id, username, secret, status, data_limit, data_used, max_connections, \
    max_unique_ips, expire_at, note, created_at, created_by_admin_id, updated_at, last_seen_at, usage_base) \
    SELECT value ->> 0, value ->> 1, lower(hex(randomblob(16))), value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
    value ->> 6, CASE WHEN value ->> 7 IS NOT NULL THEN \
    strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', value ->> 7) END, value ->> 8, \
    strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '-400 days', (value ->> 0) || ' seconds'), 1, \
    strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', '-1 days'), \
    strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now', -(value ->> 9) || ' seconds'), 0 FROM json_each($1)";
const METERS: &str = "INSERT INTO usage_meters (node_id, username, last_from, last_to, epoch, lifetime_from, lifetime_to) \
    SELECT 1, username, 0, 0, 0, data_used / 4, data_used - data_used / 4 FROM users WHERE data_used > 0";
const HISTORY: &str = "INSERT INTO traffic_logs (user_id, octets_from, octets_to, recorded_at) \
    SELECT users.id, data_used / 1000, data_used / 300, \
    strftime('%Y-%m-%dT%H:00:00+00:00', 'now', -hours.value || ' hours') FROM json_each('[6, 4, 2]') AS hours, users";
const STATE: &str = "UPDATE panel_state SET revision = 1, file_imported = TRUE";

/// The name of a user, by number from 0.
pub(crate) fn name(number: usize, users: usize) -> String {
    // 7919 is prime, so every number is met once, and names do not stand in the order of ids.
    format!("{}_{:06}", WORDS[number % WORDS.len()], number * 7_919 % users)
}

/// Parts of names that at least a page of users have; more of them than the panel remembers.
pub(crate) fn common_parts() -> Vec<String> {
    let letters = WORDS.iter().flat_map(|word| (3..=word.len()).map(|end| word[end - 3..end].to_owned()));
    (0..100).map(|number| format!("{number:02}")).chain(letters).collect()
}

/// Parts of names that few users have.
pub(crate) fn rare_parts(users: usize) -> Vec<String> {
    (0..1_000).map(|number| format!("_{:06}", number * users / 1_000)).collect()
}

/// Fills a database that has a schema and one administrator, in one transaction.
pub(crate) async fn fill(database: &Path, users: usize) -> anyhow::Result<()> {
    let mut connection = SqliteConnectOptions::new().filename(database).connect().await?;
    let mut tx = connection.begin().await?;
    for first in (0..users).step_by(BATCH) {
        let rows: Vec<_> = (first..users.min(first + BATCH)).map(|number| row(number, users)).collect();
        sqlx::query(USERS).bind(serde_json::to_string(&rows)?).execute(&mut *tx).await.context("users")?;
    }
    for sql in [METERS, HISTORY, STATE] {
        sqlx::query(sql).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    compact(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// Leaves no write-ahead log behind, which the panel would have to take over at its start.
async fn compact(connection: &mut SqliteConnection) -> anyhow::Result<()> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(connection).await?;
    Ok(())
}

/// Of ten users seven are active, one is disabled, one is over the limit and one over the end; of the active ones half
/// have a limit and a third a date.
fn row(number: usize, users: usize) -> serde_json::Value {
    let used = number.wrapping_mul(2_654_435_761) % (50 * GIB);
    let (status, limit, until) = match number % 10 {
        0 => ("disabled", None, None),
        1 => ("limited", Some(used.max(1)), None),
        2 => ("expired", None, Some("-30 days".to_owned())),
        _ => {
            let limit = number.is_multiple_of(2).then_some(2_000 * GIB);
            ("active", limit, number.is_multiple_of(3).then(|| format!("+{} days", 30 + number % 300)))
        }
    };
    let connections = number.is_multiple_of(4).then_some(8);
    let addresses = number.is_multiple_of(5).then_some(3);
    let note = if number.is_multiple_of(3) { "paid until the end of the year" } else { "" };
    let seen = number * 37 % 86_400;
    serde_json::json!([number + 1, name(number, users), status, limit, used, connections, addresses, until, note, seen])
}
