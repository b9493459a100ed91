//! Table `usage_meters`: what is known of the proxy's counters, by name.

use std::collections::HashMap;

use mtpannel_core::usage::{Counters, Meter};

use super::{Db, StoreResult, execute, json_keys, json_rows, packed, query, sql_texts, unpack};

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

/// The columns of a meter as text.
macro_rules! columns {
    () => {
        packed!(
            "username",
            "last_from",
            "last_to",
            "epoch",
            "lifetime_from",
            "lifetime_to",
            "connections",
            "unique_ips"
        )
    };
}

sql_texts! {
    OF_NAMES = concat!(
        "SELECT ", columns!(), " FROM usage_meters WHERE username IN (SELECT key FROM json_each($1))"
    );
    RUNNING = concat!(
        "SELECT ", columns!(), " FROM usage_meters \
         WHERE last_from > 0 OR last_to > 0 OR connections > 0 OR unique_ips > 0"
    );
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
    let mut stored = Stored::default();
    let (text,) = query!(fetch_one as (Option<String>,), db, OF_NAMES, json_keys(names))?;
    stored.add(text)?;
    Ok(stored)
}

/// The meters of `names`, and every other one that shows anything of the proxy's present counters.
pub async fn of_names_or_running<'n>(mut db: Db<'_>, names: impl IntoIterator<Item = &'n str>) -> StoreResult<Stored> {
    let mut stored = Stored::default();
    let (text,) = query!(fetch_one as (Option<String>,), db.reborrow(), RUNNING)?;
    stored.add(text)?;
    // Mostly nobody: those that the proxy shows and that have not moved a byte since it started.
    let rest: Vec<_> = names.into_iter().filter(|name| !stored.meters.contains_key(*name)).collect();
    if !rest.is_empty() {
        let (text,) = query!(fetch_one as (Option<String>,), db, OF_NAMES, json_keys(rest))?;
        stored.add(text)?;
    }
    Ok(stored)
}

impl Stored {
    fn add(&mut self, text: Option<String>) -> StoreResult<()> {
        let rows = unpack(text, |[name, from, to, epoch, all_from, all_to, connections, unique_ips]| {
            let counters =
                |from: &str, to: &str| Some(Counters { from_client: from.parse().ok()?, to_client: to.parse().ok()? });
            let meter =
                Meter { last: counters(from, to)?, epoch: epoch.parse().ok()?, lifetime: counters(all_from, all_to)? };
            let presence = Presence { connections: connections.parse().ok()?, unique_ips: unique_ips.parse().ok()? };
            Some((name.to_owned(), meter, presence))
        })?;
        for (name, meter, presence) in rows {
            self.presence.insert(name.clone(), presence);
            self.meters.insert(name, meter);
        }
        Ok(())
    }
}

/// Lifetime total of a name of this very spelling, both directions; `None` if it was never metered.
pub async fn lifetime(db: Db<'_>, name: &str) -> StoreResult<Option<i64>> {
    Ok(query!(fetch_optional as (i64,), db, LIFETIME, name)?.map(|(lifetime,)| lifetime))
}

/// Adds or replaces meters, by name.
pub async fn save(mut db: Db<'_>, gauges: &[(impl AsRef<str>, Meter, Presence)]) -> StoreResult<()> {
    for batch in gauges.chunks(super::BATCH) {
        let rows = json_rows(batch.iter().map(|(name, Meter { last, epoch, lifetime }, presence)| {
            let columns = (
                last.from_client,
                last.to_client,
                *epoch,
                lifetime.from_client,
                lifetime.to_client,
                presence.connections,
                presence.unique_ips,
            );
            (name.as_ref(), columns)
        }));
        execute!(db.reborrow(), SAVE, rows)?;
    }
    Ok(())
}
