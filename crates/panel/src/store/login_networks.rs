//! Table `login_networks`: from where administrators have logged in.

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use super::{Db, StoreResult, execute, query, sql_texts};

/// A network is known for this long after the last login from it: addresses get other owners.
const KNOWN_FOR: TimeDelta = TimeDelta::days(90);
/// Most networks that are remembered for one administrator: the latest.
const KEPT: i64 = 32;

sql_texts! {
    IS_KNOWN = "SELECT COUNT(*) FROM login_networks WHERE admin_id = $1 AND network = $2 AND last_login_at > $3";
    NOTE = "INSERT INTO login_networks (admin_id, network, last_login_at) VALUES ($1, $2, $3) \
        ON CONFLICT (admin_id, network) DO UPDATE SET last_login_at = excluded.last_login_at";
    FORGET_OLDEST = "DELETE FROM login_networks WHERE admin_id = $1 AND network NOT IN \
        (SELECT network FROM login_networks WHERE admin_id = $1 ORDER BY last_login_at DESC, network LIMIT $2)";
}

/// Whether this administrator has logged in from this network lately.
pub async fn is_known(db: Db<'_>, admin_id: i64, network: IpNet, now: DateTime<Utc>) -> StoreResult<bool> {
    let found = query!(fetch_one as (i64,), db, IS_KNOWN, admin_id, network.to_string(), now - KNOWN_FOR)?;
    Ok(found.0 > 0)
}

/// Stores a login from a network.
pub async fn note(mut db: Db<'_>, admin_id: i64, network: IpNet, now: DateTime<Utc>) -> StoreResult<()> {
    execute!(db.reborrow(), NOTE, admin_id, network.to_string(), now)?;
    execute!(db, FORGET_OLDEST, admin_id, KEPT).map(drop)
}
