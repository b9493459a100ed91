//! Table `users`, joined with the owner's name and the name's meter where rows are read.

use chrono::{DateTime, Utc};
use mtpannel_core::user::{Limits, Profile, ResetStrategy, Secret, Status, Username};

pub(super) mod mirrored;

pub use mirrored::{Listed, Projected, ids, listing, projection};

use super::admins::Holder;
use super::{
    Db, StoreResult, execute, folded, json_names, json_rows, lifetime, local_node, query, session_is_open, sql_texts,
    this_revision, time_at,
};

/// A proxy user, with what other tables hold of them.
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
    /// What an administrator sets, usage and status.
    #[sqlx(flatten, try_from = "ProfileColumns")]
    pub profile: Profile,
    /// When the user was created.
    pub created_at: DateTime<Utc>,
    /// Owner's row id.
    pub created_by_admin_id: Option<i64>,
    /// Last change by an administrator or a rule.
    pub updated_at: DateTime<Utc>,
    /// Last scrape at which the user had a connection or had moved bytes.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Owner's name.
    pub owner: Option<String>,
    /// Lifetime total of the name, both directions.
    pub lifetime: i64,
    /// Connections at the last scrape.
    pub connections: i64,
    /// Addresses at the last scrape.
    pub unique_ips: i64,
}

impl User {
    /// A user who is not stored yet, without an owner.
    pub fn new(username: Username, secret: Secret, profile: Profile, now: DateTime<Utc>) -> Self {
        Self {
            id: 0,
            username,
            secret,
            profile,
            created_at: now,
            created_by_admin_id: None,
            updated_at: now,
            last_seen_at: None,
            owner: None,
            lifetime: 0,
            connections: 0,
            unique_ips: 0,
        }
    }

    /// Sets usage to 0, as of `now`.
    pub fn reset_usage(&mut self, now: DateTime<Utc>) {
        self.profile.reset_usage(self.lifetime, now);
    }
}

/// The columns of a [`Profile`].
#[derive(sqlx::FromRow)]
struct ProfileColumns {
    #[sqlx(try_from = "String")]
    status: Status,
    #[sqlx(flatten, try_from = "LimitColumns")]
    limits: Limits,
    data_used: i64,
    usage_base: Option<i64>,
    expire_at: Option<DateTime<Utc>>,
    note: String,
    #[sqlx(try_from = "String")]
    reset_strategy: ResetStrategy,
    next_reset_at: Option<DateTime<Utc>>,
}

impl From<ProfileColumns> for Profile {
    fn from(columns: ProfileColumns) -> Self {
        let ProfileColumns { status, limits, data_used, usage_base, expire_at, note, reset_strategy, next_reset_at } =
            columns;
        Self { status, limits, data_used, usage_base, expire_at, note, reset_strategy, next_reset_at }
    }
}

/// The columns of [`Limits`].
#[derive(sqlx::FromRow)]
struct LimitColumns {
    data_limit: Option<i64>,
    max_connections: Option<i64>,
    max_unique_ips: Option<i64>,
}

impl From<LimitColumns> for Limits {
    fn from(columns: LimitColumns) -> Self {
        let LimitColumns { data_limit: data, max_connections: connections, max_unique_ips: addresses } = columns;
        Self::of_stored(Limits { data, connections, addresses })
    }
}

/// A user, and the administrator who asks for them.
#[derive(Debug, sqlx::FromRow)]
pub struct AskedFor {
    /// The user, whoever owns them.
    #[sqlx(flatten)]
    pub user: User,
    /// Name of the administrator.
    pub asker_name: String,
    /// Their role.
    pub asker_is_sudo: bool,
}

/// The columns of [`LimitColumns`].
macro_rules! limit_columns {
    ($table:literal) => {
        concat!($table, "data_limit, ", $table, "max_connections, ", $table, "max_unique_ips")
    };
}

macro_rules! select_user {
    ($rest:literal) => {
        select_user!("", $rest)
    };
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT u.id, u.username, u.secret, u.status, ",
            $crate::store::users::limit_columns!("u."),
            ", u.data_used, u.expire_at, u.note, u.created_at, u.created_by_admin_id, u.updated_at, u.last_seen_at, \
             u.usage_base, u.reset_strategy, u.next_reset_at, a.username AS owner, COALESCE(",
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

pub(super) use {limit_columns, select_user};

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
    COUNT = "SELECT COUNT(*) FROM users";
    ONLINE_OF = concat!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(m.connections), 0) AS BIGINT) FROM users u \
         JOIN usage_meters m ON m.node_id = ", local_node!(), " AND m.username = u.username \
         WHERE u.created_by_admin_id = $1 AND m.connections > 0"
    );
    INSERT = concat!(
        "INSERT INTO users (username, secret, status, ", limit_columns!(""), ", expire_at, note, \
         created_at, created_by_admin_id, updated_at, usage_base, reset_strategy, next_reset_at, data_used, revision) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $11, $12, $13, $14, ", this_revision!(), ") RETURNING id"
    );
    INSERT_MANY = concat!(
        "INSERT INTO users (username, secret, status, ", limit_columns!(""), ", data_used, expire_at, \
         note, created_at, created_by_admin_id, usage_base, updated_at, revision) \
         SELECT key, value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT), \
         CAST(value ->> 4 AS BIGINT), CAST(value ->> 5 AS BIGINT), ", time_at!(6), ", value ->> 7, ", time_at!(8), ", \
         CAST(value ->> 9 AS BIGINT), CAST(value ->> 10 AS BIGINT), $2, ", this_revision!(), " FROM json_each($1)"
    );
    UPDATE = concat!(
        "UPDATE users SET secret = $2, status = $3, data_limit = $4, max_connections = $5, max_unique_ips = $6, \
         data_used = $7, expire_at = $8, note = $9, updated_at = $10, usage_base = $11, reset_strategy = $12, \
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

/// The user of this name, in any case, if they belong to `owner` (`None`: whoever owns them).
pub async fn by_name(db: Db<'_>, name: &str, owner: Option<i64>) -> StoreResult<Option<User>> {
    query!(fetch_optional as User, db, BY_NAME, folded(name), owner)
}

/// The user of this name, in any case, and the administrator who holds an access token, as long as its token epoch and login
/// session are valid: both in one trip to the database.
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

/// How many users there are.
pub async fn count(db: Db<'_>) -> StoreResult<usize> {
    query!(fetch_one as (i64,), db, COUNT).map(|(count,)| usize::try_from(count).unwrap_or(0))
}

/// How many of this owner's users have connections, and how many connections these are.
pub async fn online_of(db: Db<'_>, owner: i64) -> StoreResult<(i64, i64)> {
    query!(fetch_one as (i64, i64), db, ONLINE_OF, owner)
}

/// Adds a user and gives their row id; what is joined into `user` and its `id` are ignored.
/// [`super::StoreError::Conflict`] if the name is taken in any case.
pub async fn insert(db: Db<'_>, user: &User) -> StoreResult<i64> {
    let (profile, limits) = (&user.profile, user.profile.limits.numbers());
    query!(
        fetch_one as (i64,),
        db,
        INSERT,
        user.username.as_str(),
        user.secret.to_hex(),
        profile.status.as_str(),
        limits.data,
        limits.connections,
        limits.addresses,
        profile.expire_at,
        &profile.note,
        user.created_at,
        user.created_by_admin_id,
        profile.usage_base,
        profile.reset_strategy.as_str(),
        profile.next_reset_at,
        profile.data_used,
    )
    .map(|(id,)| id)
}

/// Adds users, all of whose names are free, in as few statements as is reasonable.
pub async fn insert_many(mut db: Db<'_>, users: &[User], now: DateTime<Utc>) -> StoreResult<()> {
    for batch in users.chunks(super::BATCH) {
        let rows = json_rows(batch.iter().map(|user| {
            let (profile, limits) = (&user.profile, user.profile.limits.numbers());
            let columns = (
                user.secret.to_hex(),
                profile.status.as_str(),
                limits.data,
                limits.connections,
                limits.addresses,
                profile.data_used,
                profile.expire_at.map(|end| end.timestamp()),
                &profile.note,
                user.created_at.timestamp(),
                user.created_by_admin_id,
                profile.usage_base,
            );
            (user.username.as_str(), columns)
        }));
        execute!(db.reborrow(), INSERT_MANY, rows, now)?;
    }
    Ok(())
}

/// Writes everything of `user` that an administrator or a rule can change.
pub async fn update(db: Db<'_>, user: &User) -> StoreResult<()> {
    let (profile, limits) = (&user.profile, user.profile.limits.numbers());
    execute!(
        db,
        UPDATE,
        user.id,
        user.secret.to_hex(),
        profile.status.as_str(),
        limits.data,
        limits.connections,
        limits.addresses,
        profile.data_used,
        profile.expire_at,
        &profile.note,
        user.updated_at,
        profile.usage_base,
        profile.reset_strategy.as_str(),
        profile.next_reset_at,
    )
    .map(drop)
}

/// Writes what a bulk action or a due reset changes of `users`: status, traffic limit, usage and dates, at `now`.
pub async fn update_many<'u>(
    mut db: Db<'_>,
    users: impl IntoIterator<Item = &'u User>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let seconds = |moment: Option<DateTime<Utc>>| moment.map(|moment| moment.timestamp());
    let users: Vec<&User> = users.into_iter().collect();
    for batch in users.chunks(super::BATCH) {
        let rows = json_rows(batch.iter().map(|user| {
            let Profile { status, limits, data_used, usage_base, expire_at, next_reset_at, .. } = &user.profile;
            let (data_limit, end, reset) = (limits.numbers().data, seconds(*expire_at), seconds(*next_reset_at));
            (user.id, (status.as_str(), data_limit, data_used, usage_base, end, reset))
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
