//! Table `users` as the copies in memory hold it: for the projection, and for lists.

use chrono::{DateTime, Utc};
use mtpannel_core::user::{Limit, Limits, Secret, Standing, Status, Username};

use super::{LimitColumns, limit_columns};
use crate::store::{Db, StoreResult, lifetime, local_node, query, sql_texts};

/// What the projection to the file needs of every user.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Projected {
    /// Row id.
    pub id: i64,
    /// Name.
    #[sqlx(try_from = "String")]
    pub username: Username,
    /// Secret.
    #[sqlx(try_from = "String")]
    pub secret: Secret,
    /// Status as stored.
    #[sqlx(try_from = "String")]
    pub status: Status,
    /// When the user expires.
    pub expire_at: Option<DateTime<Utc>>,
    /// The limits.
    #[sqlx(flatten, try_from = "LimitColumns")]
    pub limits: Limits,
    /// Base of the usage, or the lifetime total while it is not settled.
    pub quota_base: i64,
}

/// What lists sort and filter by.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Listed {
    /// Row id.
    pub id: i64,
    /// Name.
    pub username: String,
    /// Status as stored.
    #[sqlx(try_from = "String")]
    pub status: Status,
    /// Owner's row id.
    pub created_by_admin_id: Option<i64>,
    /// Bytes since the last reset.
    pub data_used: i64,
    /// Traffic limit.
    #[sqlx(flatten, try_from = "DataLimitColumn")]
    pub data_limit: Option<Limit>,
    /// When the user expires.
    pub expire_at: Option<DateTime<Utc>>,
    /// Last scrape at which the user was seen.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// When the user was created.
    pub created_at: DateTime<Utc>,
}

impl Listed {
    /// What the status depends on.
    pub fn standing(&self) -> Standing {
        Standing {
            disabled: self.status == Status::Disabled,
            expire_at: self.expire_at,
            data_limit: self.data_limit,
            data_used: self.data_used,
        }
    }
}

/// The column of the traffic limit, where it is read alone.
#[derive(sqlx::FromRow)]
struct DataLimitColumn {
    data_limit: Option<i64>,
}

impl From<DataLimitColumn> for Option<Limit> {
    fn from(column: DataLimitColumn) -> Self {
        column.data_limit.map(Limit::of_stored)
    }
}

sql_texts! {
    PROJECTION = concat!(
        "SELECT u.id, u.username, u.secret, u.status, u.expire_at, ", limit_columns!("u."), ", \
         COALESCE(u.usage_base, ", lifetime!("m."), ", 0) AS quota_base \
         FROM users u LEFT JOIN usage_meters m ON u.usage_base IS NULL AND m.node_id = ", local_node!(), " \
         AND m.username = u.username \
         WHERE u.revision > $1 ORDER BY u.id"
    );
    LISTING = "SELECT id, username, status, created_by_admin_id, data_used, data_limit, expire_at, last_seen_at, \
        created_at FROM users WHERE revision > $1 ORDER BY id";
    IDS = "SELECT id FROM users";
}

/// What the projection needs of the users that changed after this revision (-1: of all), by row id.
pub async fn projection(db: Db<'_>, after: i64) -> StoreResult<Vec<Projected>> {
    query!(fetch_all as Projected, db, PROJECTION, after)
}

/// What lists need of the users that changed after this revision (-1: of all), by row id.
pub async fn listing(db: Db<'_>, after: i64) -> StoreResult<Vec<Listed>> {
    query!(fetch_all as Listed, db, LISTING, after)
}

/// The row ids of all users, in no order.
pub async fn ids(db: Db<'_>) -> StoreResult<Vec<(i64,)>> {
    query!(fetch_all as (i64,), db, IDS)
}
