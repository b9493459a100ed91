//! Table `usage_meters`: the accounts of names on a node, by which the proxy's counters become usage.

use std::collections::HashSet;

use mtpannel_core::usage::{Account, Counters, Meter, Presence};

use super::session_cuts;
use super::{Db, NodeId, StoreResult, execute_rows, json_keys, lifetime, packed, query, sql_texts, unpack};

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
        "SELECT ", columns!(), " FROM usage_meters WHERE node_id = $2 AND username IN (SELECT key FROM json_each($1))"
    );
    RUNNING = concat!(
        "SELECT ", columns!(), " FROM usage_meters \
         WHERE node_id = $1 AND (last_from > 0 OR last_to > 0 OR connections > 0 OR unique_ips > 0)"
    );
    LIFETIME = concat!("SELECT ", lifetime!(""), " FROM usage_meters WHERE node_id = $2 AND username = $1");
    SAVE = "INSERT INTO usage_meters \
        (node_id, username, last_from, last_to, epoch, lifetime_from, lifetime_to, connections, unique_ips) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        ON CONFLICT (node_id, username) DO UPDATE SET last_from = excluded.last_from, last_to = excluded.last_to, \
        epoch = excluded.epoch, lifetime_from = excluded.lifetime_from, lifetime_to = excluded.lifetime_to, \
        connections = excluded.connections, unique_ips = excluded.unique_ips";
}

/// Stored accounts with their names.
pub type Accounts = Vec<(String, Account)>;

/// The accounts of `names`.
pub async fn of_names<'n>(db: Db<'_>, node: NodeId, names: impl IntoIterator<Item = &'n str>) -> StoreResult<Accounts> {
    let (text,) = query!(fetch_one as (Option<String>,), db, OF_NAMES, json_keys(names), node)?;
    unpack(text, row)
}

/// The accounts of `names`, and every other one whose last reading is not zero.
pub async fn of_names_or_running<'n>(
    mut db: Db<'_>,
    node: NodeId,
    names: impl IntoIterator<Item = &'n str>,
) -> StoreResult<Accounts> {
    let (text,) = query!(fetch_one as (Option<String>,), db.reborrow(), RUNNING, node)?;
    let mut accounts = unpack(text, row)?;
    // Mostly none: names that the proxy shows and that have not moved a byte since it started.
    let running: HashSet<&str> = accounts.iter().map(|(name, _)| name.as_str()).collect();
    let rest: Vec<_> = names.into_iter().filter(|name| !running.contains(name)).collect();
    if !rest.is_empty() {
        accounts.extend(of_names(db, node, rest).await?);
    }
    Ok(accounts)
}

fn row([name, from, to, epoch, all_from, all_to, connections, unique_ips]: [&str; 8]) -> Option<(String, Account)> {
    let counters =
        |from: &str, to: &str| Some(Counters { from_client: from.parse().ok()?, to_client: to.parse().ok()? });
    let meter = Meter { last: counters(from, to)?, epoch: epoch.parse().ok()?, lifetime: counters(all_from, all_to)? };
    let presence = Presence { connections: connections.parse().ok()?, unique_ips: unique_ips.parse().ok()? };
    Some((name.to_owned(), Account { meter, presence }))
}

/// Lifetime total of a name of this very spelling, both directions; `None` if it was never metered.
pub async fn lifetime(db: Db<'_>, node: NodeId, name: &str) -> StoreResult<Option<i64>> {
    Ok(query!(fetch_optional as (i64,), db, LIFETIME, name, node)?.map(|(lifetime,)| lifetime))
}

/// Adds or replaces accounts, by name.
pub async fn save(db: Db<'_>, node: NodeId, accounts: &[(&str, Account)]) -> StoreResult<()> {
    execute_rows!(db, SAVE, accounts, |(name, Account { meter, presence })| (
        node,
        *name,
        meter.last.from_client,
        meter.last.to_client,
        meter.epoch,
        meter.lifetime.from_client,
        meter.lifetime.to_client,
        presence.connections,
        presence.unique_ips,
    ))
}

/// The base of a new user of this name, and the lifetime total of the name. There is no base as long as no scrape has told of
/// the name since the session cut of its former user: the first scrape that does sets it.
pub async fn starting_base(mut db: Db<'_>, node: NodeId, name: &str) -> StoreResult<(Option<i64>, i64)> {
    let lifetime = self::lifetime(db.reborrow(), node, name).await?.unwrap_or(0);
    let unsettled = session_cuts::is_unsettled(db, node, name).await?;
    Ok(((!unsettled).then_some(lifetime), lifetime))
}
