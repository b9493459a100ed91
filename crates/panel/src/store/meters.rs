//! Table `usage_meters`: what is known of the proxy's counters, by name.

use std::collections::HashMap;

use mtpannel_core::usage::{Counters, Meter};

use super::{Db, StoreResult, execute, json_keys, json_rows, query, sql_texts};

/// What a name shows besides bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Presence {
    /// Open sessions.
    pub connections: i64,
    /// Addresses.
    pub unique_ips: i64,
}

/// Stored meters, by name.
#[derive(Debug, Default)]
pub struct Stored {
    /// Bytes.
    pub meters: HashMap<String, Meter>,
    /// The rest, as of the last scrape.
    pub presence: HashMap<String, Presence>,
}

#[derive(sqlx::FromRow)]
struct Row {
    username: String,
    last_from: i64,
    last_to: i64,
    epoch: i64,
    lifetime_from: i64,
    lifetime_to: i64,
    connections: i64,
    unique_ips: i64,
}

sql_texts! {
    OF_NAMES = "SELECT username, last_from, last_to, epoch, lifetime_from, lifetime_to, connections, unique_ips \
        FROM usage_meters WHERE username IN (SELECT key FROM json_each($1))";
    OF_NAMES_OR_RUNNING = "SELECT username, last_from, last_to, epoch, lifetime_from, lifetime_to, connections, \
        unique_ips FROM usage_meters WHERE last_from > 0 OR last_to > 0 OR connections > 0 OR unique_ips > 0 \
        OR username IN (SELECT key FROM json_each($1))";
    LIFETIME = "SELECT lifetime_from + lifetime_to FROM usage_meters WHERE username = $1";
    SAVE = "INSERT INTO usage_meters \
        (username, last_from, last_to, epoch, lifetime_from, lifetime_to, connections, unique_ips) \
        SELECT key, CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), CAST(value ->> 2 AS BIGINT), \
        CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT), CAST(value ->> 5 AS BIGINT), \
        CAST(value ->> 6 AS BIGINT) FROM json_each($1) WHERE true \
        ON CONFLICT (username) DO UPDATE SET last_from = excluded.last_from, last_to = excluded.last_to, \
        epoch = excluded.epoch, lifetime_from = excluded.lifetime_from, lifetime_to = excluded.lifetime_to, \
        connections = excluded.connections, unique_ips = excluded.unique_ips";
}

/// The meters of `names`.
pub async fn of_names<'n>(db: Db<'_>, names: impl IntoIterator<Item = &'n str>) -> StoreResult<Stored> {
    Ok(by_name(query!(fetch_all as Row, db, OF_NAMES, json_keys(names))?))
}

/// The meters of `names`, and every other one that shows anything of the proxy's present counters.
pub async fn of_names_or_running<'n>(db: Db<'_>, names: impl IntoIterator<Item = &'n str>) -> StoreResult<Stored> {
    Ok(by_name(query!(fetch_all as Row, db, OF_NAMES_OR_RUNNING, json_keys(names))?))
}

fn by_name(rows: Vec<Row>) -> Stored {
    let mut stored = Stored::default();
    for row in rows {
        let meter = Meter {
            last: Counters { from_client: row.last_from, to_client: row.last_to },
            epoch: row.epoch,
            lifetime: Counters { from_client: row.lifetime_from, to_client: row.lifetime_to },
        };
        let presence = Presence { connections: row.connections, unique_ips: row.unique_ips };
        stored.presence.insert(row.username.clone(), presence);
        stored.meters.insert(row.username, meter);
    }
    stored
}

/// Lifetime total of a name of this very spelling, both directions; `None` if it was never metered.
pub async fn lifetime(db: Db<'_>, name: &str) -> StoreResult<Option<i64>> {
    Ok(query!(fetch_optional as (i64,), db, LIFETIME, name)?.map(|(lifetime,)| lifetime))
}

/// Adds or replaces meters in one statement.
pub async fn save<'n>(db: Db<'_>, gauges: impl IntoIterator<Item = (&'n str, Meter, Presence)>) -> StoreResult<()> {
    let rows = json_rows(gauges.into_iter().map(|(name, meter, presence)| {
        let Meter { last, epoch, lifetime } = meter;
        let columns = (
            last.from_client,
            last.to_client,
            epoch,
            lifetime.from_client,
            lifetime.to_client,
            presence.connections,
            presence.unique_ips,
        );
        (name, columns)
    }));
    execute!(db, SAVE, rows).map(drop)
}
