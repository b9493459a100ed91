//! Table `users`, joined with the owner's name and the name's meter where rows are read.

use chrono::{DateTime, Utc};
use mtpannel_core::user::{Limit, ResetStrategy, Secret, Standing, Status, Username};

use super::admins::Holder;
use super::{
    Db, StoreResult, execute, folded, json_names, json_rows, lifetime, local_node, query, session_is_open, sql_texts,
    this_revision, time_at,
};

/// A user, with what other tables hold of them: the owner, and the account of their name.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct User {
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
    /// Limit of bytes since the last reset.
    pub data_limit: Option<i64>,
    /// Bytes since the last reset.
    pub data_used: i64,
    /// Sessions at once.
    pub max_connections: Option<i64>,
    /// Addresses at once.
    pub max_unique_ips: Option<i64>,
    /// When they expire.
    pub expire_at: Option<DateTime<Utc>>,
    /// Note of the administrator.
    pub note: String,
    /// When they were created.
    pub created_at: DateTime<Utc>,
    /// Owner's row id.
    pub created_by_admin_id: Option<i64>,
    /// Last change by an administrator or a rule.
    pub updated_at: DateTime<Utc>,
    /// Last scrape in which they had a connection or moved bytes.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Lifetime total of the name at the last reset; `None` while an earlier owner's sessions may still count.
    pub usage_base: Option<i64>,
    /// How often usage is reset.
    #[sqlx(try_from = "String")]
    pub reset_strategy: ResetStrategy,
    /// The next reset.
    pub next_reset_at: Option<DateTime<Utc>>,
    /// Owner's name.
    pub owner: Option<String>,
    /// Lifetime total of the name, both directions.
    pub lifetime: i64,
    /// Sessions at the last scrape.
    pub connections: i64,
    /// Addresses at the last scrape.
    pub unique_ips: i64,
}

impl User {
    /// What their status depends on.
    pub fn standing(&self) -> Standing {
        Standing {
            disabled: self.status == Status::Disabled,
            expire_at: self.expire_at,
            data_limit: self.data_limit.map(Limit::of_stored),
            data_used: self.data_used,
        }
    }

    /// Usage to 0, as of `now`; the schedule of resets goes on as it was.
    pub fn reset_usage(&mut self, now: DateTime<Utc>) {
        if self.usage_base.is_some() {
            self.usage_base = Some(self.lifetime);
        }
        self.data_used = 0;
        self.status = self.standing().status(now);
    }
}

/// A user, and the administrator who asks for them.
#[derive(Debug, sqlx::FromRow)]
pub struct AskedFor {
    /// The user, whoever owns them.
    #[sqlx(flatten)]
    pub user: User,
    /// Who asks.
    pub asker_name: String,
    /// Their role.
    pub asker_is_sudo: bool,
}

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
    /// When they expire.
    pub expire_at: Option<DateTime<Utc>>,
    /// Limit of bytes since the last reset.
    pub data_limit: Option<i64>,
    /// Base of their usage, or the lifetime total as long as there is no base.
    pub quota_base: i64,
    /// Sessions at once.
    pub max_connections: Option<i64>,
    /// Addresses at once.
    pub max_unique_ips: Option<i64>,
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
    /// Limit of bytes since the last reset.
    pub data_limit: Option<i64>,
    /// When they expire.
    pub expire_at: Option<DateTime<Utc>>,
    /// Last scrape in which they had a connection or moved bytes.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// When they were created.
    pub created_at: DateTime<Utc>,
}

macro_rules! select_user {
    ($rest:literal) => {
        select_user!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT u.id, u.username, u.secret, u.status, u.data_limit, u.data_used, u.max_connections, \
             u.max_unique_ips, u.expire_at, u.note, u.created_at, u.created_by_admin_id, u.updated_at, u.last_seen_at, \
             u.usage_base, u.reset_strategy, u.next_reset_at, a.username AS owner, \
             COALESCE(",
            lifetime!("m."),
            ", 0) AS lifetime, COALESCE(m.connections, 0) AS connections, COALESCE(m.unique_ips, 0) AS unique_ips",
            $more,
            " FROM users u LEFT JOIN admins a ON a.id = u.created_by_admin_id \
             LEFT JOIN usage_meters m ON m.node_id = ",
            local_node!(),
            " AND m.username = u.username ",
            $rest
        )
    };
}

pub(super) use select_user;

sql_texts! {
    BY_NAME = select_user!("WHERE lower(u.username) = $1 AND (CAST($2 AS BIGINT) IS NULL OR u.created_by_admin_id = $2)");
    BY_NAME_FOR = concat!(
        select_user!(
            ", asker.username AS asker_name, asker.is_sudo AS asker_is_sudo",
            "JOIN admins asker ON asker.id = $2 AND asker.token_epoch = $3 WHERE lower(u.username) = $1 AND "
        ),
        session_is_open!("asker.id", "$4", "$5")
    );
    BY_IDS = select_user!("WHERE u.id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))");
    BY_NAMES = select_user!(
        "WHERE lower(u.username) IN (SELECT key FROM json_each($1)) \
         AND (CAST($2 AS BIGINT) IS NULL OR u.created_by_admin_id = $2)"
    );
    PROJECTION = concat!(
        "SELECT u.id, u.username, u.secret, u.status, u.expire_at, u.data_limit, \
         COALESCE(u.usage_base, ", lifetime!("m."), ", 0) AS quota_base, u.max_connections, u.max_unique_ips \
         FROM users u LEFT JOIN usage_meters m ON u.usage_base IS NULL AND m.node_id = ", local_node!(), " \
         AND m.username = u.username WHERE u.revision > $1 ORDER BY u.id"
    );
    LISTING = "SELECT id, username, status, created_by_admin_id, data_used, data_limit, expire_at, last_seen_at, \
        created_at FROM users WHERE revision > $1 ORDER BY id";
    IDS = "SELECT id FROM users";
    COUNT = "SELECT COUNT(*) FROM users";
    ONLINE_OF = concat!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(m.connections), 0) AS BIGINT) FROM users u \
         JOIN usage_meters m ON m.node_id = ", local_node!(), " AND m.username = u.username \
         WHERE u.created_by_admin_id = $1 AND m.connections > 0"
    );
    INSERT = concat!(
        "INSERT INTO users (username, secret, status, data_limit, max_connections, max_unique_ips, expire_at, note, \
         created_at, created_by_admin_id, updated_at, usage_base, reset_strategy, next_reset_at, data_used, revision) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $11, $12, $13, $14, ", this_revision!(), ") RETURNING id"
    );
    INSERT_MANY = concat!(
        "INSERT INTO users (username, secret, status, data_limit, data_used, max_connections, max_unique_ips, expire_at, \
         note, created_at, created_by_admin_id, usage_base, updated_at, revision) \
         SELECT key, value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT), \
         CAST(value ->> 4 AS BIGINT), CAST(value ->> 5 AS BIGINT), ", time_at!(6), ", value ->> 7, ", time_at!(8), ", \
         CAST(value ->> 9 AS BIGINT), CAST(value ->> 10 AS BIGINT), $2, ", this_revision!(), " FROM json_each($1)"
    );
    UPDATE = concat!(
        "UPDATE users SET secret = $2, status = $3, data_limit = $4, data_used = $5, max_connections = $6, \
         max_unique_ips = $7, expire_at = $8, note = $9, updated_at = $10, usage_base = $11, reset_strategy = $12, \
         next_reset_at = $13, revision = ", this_revision!(), " WHERE id = $1"
    );
    UPDATE_MANY = concat!(
        "UPDATE users SET status = value ->> 0, data_limit = CAST(value ->> 1 AS BIGINT), \
         data_used = CAST(value ->> 2 AS BIGINT), usage_base = CAST(value ->> 3 AS BIGINT), expire_at = ", time_at!(4),
        ", next_reset_at = ", time_at!(5), ", updated_at = $2, revision = ", this_revision!(),
        " FROM json_each($1) WHERE users.id = CAST(key AS BIGINT)"
    );
    SET_STATUS = concat!(
        "UPDATE users SET status = value ->> 0, updated_at = $2, revision = ", this_revision!(),
        " FROM json_each($1) WHERE users.id = CAST(key AS BIGINT)"
    );
    DISOWN = concat!(
        "UPDATE users SET created_by_admin_id = NULL, revision = ", this_revision!(), " WHERE created_by_admin_id = $1"
    );
    DELETE = "DELETE FROM users WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))";
}

/// The user of this name, in any case, if they belong to `owner` (`None`: to anybody).
pub async fn by_name(db: Db<'_>, name: &str, owner: Option<i64>) -> StoreResult<Option<User>> {
    query!(fetch_optional as User, db, BY_NAME, folded(name), owner)
}

/// The user of this name, in any case, and the administrator who holds an access token, as long as its epoch and session
/// are good: both in one trip to the database.
pub async fn by_name_for(db: Db<'_>, name: &str, holder: &Holder, now: DateTime<Utc>) -> StoreResult<Option<AskedFor>> {
    let Holder { admin_id, epoch, session } = holder;
    query!(fetch_optional as AskedFor, db, BY_NAME_FOR, folded(name), admin_id, epoch, session, now)
}

/// The users with these row ids, in no order.
pub async fn by_ids(db: Db<'_>, ids: impl IntoIterator<Item = i64>) -> StoreResult<Vec<User>> {
    let ids = json_rows(ids.into_iter().map(|id| (id, 0)));
    query!(fetch_all as User, db, BY_IDS, ids)
}

/// The users of these names, in any case, that belong to `owner` (`None`: to anybody).
pub async fn by_names<'n>(
    db: Db<'_>,
    names: impl IntoIterator<Item = &'n str>,
    owner: Option<i64>,
) -> StoreResult<Vec<User>> {
    query!(fetch_all as User, db, BY_NAMES, json_names(names), owner)
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

/// How many users there are.
pub async fn count(db: Db<'_>) -> StoreResult<usize> {
    query!(fetch_one as (i64,), db, COUNT).map(|(count,)| usize::try_from(count).unwrap_or(0))
}

/// How many of this owner's users have sessions, and how many sessions these are.
pub async fn online_of(db: Db<'_>, owner: i64) -> StoreResult<(i64, i64)> {
    query!(fetch_one as (i64, i64), db, ONLINE_OF, owner)
}

/// Adds a user and returns their row id; what is joined into `user` and its `id` are ignored.
/// [`super::StoreError::Conflict`] if the name is taken in any case.
pub async fn insert(db: Db<'_>, user: &User) -> StoreResult<i64> {
    query!(
        fetch_one as (i64,),
        db,
        INSERT,
        user.username.as_str(),
        user.secret.to_hex(),
        user.status.as_str(),
        user.data_limit,
        user.max_connections,
        user.max_unique_ips,
        user.expire_at,
        &user.note,
        user.created_at,
        user.created_by_admin_id,
        user.usage_base,
        user.reset_strategy.as_str(),
        user.next_reset_at,
        user.data_used,
    )
    .map(|(id,)| id)
}

/// A user from elsewhere.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Name.
    pub username: Username,
    /// Secret.
    pub secret: Secret,
    /// Status.
    pub status: Status,
    /// Limit of bytes since the last reset.
    pub data_limit: Option<i64>,
    /// Bytes used.
    pub data_used: i64,
    /// Sessions at once.
    pub max_connections: Option<i64>,
    /// Addresses at once.
    pub max_unique_ips: Option<i64>,
    /// When they expire.
    pub expire_at: Option<DateTime<Utc>>,
    /// Note.
    pub note: String,
    /// When they were created.
    pub created_at: DateTime<Utc>,
    /// Owner's row id.
    pub created_by_admin_id: Option<i64>,
    /// Lifetime total of the name from which their usage counts.
    pub usage_base: i64,
}

/// Adds users, all of whose names are free, in as few statements as is reasonable.
pub async fn insert_many(mut db: Db<'_>, users: &[Imported], now: DateTime<Utc>) -> StoreResult<()> {
    for batch in users.chunks(super::BATCH) {
        let rows = json_rows(batch.iter().map(|user| {
            let columns = (
                user.secret.to_hex(),
                user.status.as_str(),
                user.data_limit,
                user.data_used,
                user.max_connections,
                user.max_unique_ips,
                user.expire_at.map(|end| end.timestamp()),
                &user.note,
                user.created_at.timestamp(),
                user.created_by_admin_id,
                user.usage_base,
            );
            (user.username.as_str(), columns)
        }));
        execute!(db.reborrow(), INSERT_MANY, rows, now)?;
    }
    Ok(())
}

/// Writes everything of `user` that an administrator or a rule can change.
pub async fn update(db: Db<'_>, user: &User) -> StoreResult<()> {
    execute!(
        db,
        UPDATE,
        user.id,
        user.secret.to_hex(),
        user.status.as_str(),
        user.data_limit,
        user.data_used,
        user.max_connections,
        user.max_unique_ips,
        user.expire_at,
        &user.note,
        user.updated_at,
        user.usage_base,
        user.reset_strategy.as_str(),
        user.next_reset_at,
    )
    .map(drop)
}

/// Stores what bulk actions and enforcement change of `users`: status, limit, usage and dates, at `now`.
pub async fn update_many<'u>(
    mut db: Db<'_>,
    users: impl IntoIterator<Item = &'u User>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let seconds = |moment: Option<DateTime<Utc>>| moment.map(|moment| moment.timestamp());
    let users: Vec<&User> = users.into_iter().collect();
    for batch in users.chunks(super::BATCH) {
        let rows = json_rows(batch.iter().map(|user| {
            let (end, reset) = (seconds(user.expire_at), seconds(user.next_reset_at));
            (user.id, (user.status.as_str(), user.data_limit, user.data_used, user.usage_base, end, reset))
        }));
        execute!(db.reborrow(), UPDATE_MANY, rows, now)?;
    }
    Ok(())
}

/// Writes new statuses in one statement.
pub async fn set_status(
    db: Db<'_>,
    changes: impl IntoIterator<Item = (i64, Status)>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let rows = json_rows(changes.into_iter().map(|(id, status)| (id, (status.as_str(),))));
    execute!(db, SET_STATUS, rows, now).map(drop)
}

/// Leaves the users of an administrator without an owner.
pub async fn disown(db: Db<'_>, admin_id: i64) -> StoreResult<()> {
    execute!(db, DISOWN, admin_id).map(drop)
}

/// Deletes users and, by cascade, their traffic.
pub async fn delete(db: Db<'_>, ids: impl IntoIterator<Item = i64>) -> StoreResult<()> {
    let ids = json_rows(ids.into_iter().map(|id| (id, 0)));
    execute!(db, DELETE, ids).map(drop)
}
