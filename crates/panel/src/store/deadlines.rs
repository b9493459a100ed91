//! Table `users` by its dates: users whose expiry or reset is due, and those whom a wrong clock has expired or put off.

use chrono::{DateTime, Utc};
use mtpannel_core::user::ResetStrategy;

use super::users::{User, select_user};
use super::{Db, StoreResult, execute, json_rows, lifetime, local_node, query, sql_texts};

/// The strategies with a schedule.
const SCHEDULES: [ResetStrategy; 3] = [ResetStrategy::Daily, ResetStrategy::Weekly, ResetStrategy::Monthly];

sql_texts! {
    EXPIRING = select_user!("WHERE u.status IN ('active', 'limited') AND u.expire_at <= $1 LIMIT $2");
    REVIVED = select_user!("WHERE u.status = 'expired' AND u.expire_at > $1 LIMIT $2");
    PUT_OFF = select_user!(
        "WHERE (u.reset_strategy = 'daily' AND u.next_reset_at > $1) \
         OR (u.reset_strategy = 'weekly' AND u.next_reset_at > $2) \
         OR (u.reset_strategy = 'monthly' AND u.next_reset_at > $3) LIMIT $4"
    );
    RESETTING = select_user!("WHERE u.next_reset_at <= $1 LIMIT $2");
    LAST_EXPIRED = "SELECT MAX(expire_at) FROM users WHERE status = 'expired'";
    LAST_RESET = "SELECT MAX(next_reset_at) FROM users WHERE reset_strategy = $1 AND next_reset_at IS NOT NULL";
    RESET_AT = "SELECT id, reset_at FROM users \
        WHERE reset_at IS NOT NULL AND id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))";
    SET_RESET_AT = "UPDATE users SET reset_at = $2 WHERE id IN (SELECT CAST(key AS BIGINT) FROM json_each($1))";
    NEXT_EXPIRY = "SELECT MIN(expire_at) FROM users WHERE status IN ('active', 'limited')";
    NEXT_RESET = "SELECT MIN(next_reset_at) FROM users WHERE next_reset_at IS NOT NULL";
}

/// At most `limit` users whose expiry has passed at `now` but whose status does not say so.
pub async fn expiring(db: Db<'_>, now: DateTime<Utc>, limit: i64) -> StoreResult<Vec<User>> {
    query!(fetch_all as User, db, EXPIRING, now, limit)
}

/// At most `limit` users whose status is `expired` although they expire after `now`.
pub async fn revived(db: Db<'_>, now: DateTime<Utc>, limit: i64) -> StoreResult<Vec<User>> {
    query!(fetch_all as User, db, REVIVED, now, limit)
}

/// At most `limit` users whose next reset is later than the next one after `now`.
pub async fn put_off(db: Db<'_>, now: DateTime<Utc>, limit: i64) -> StoreResult<Vec<User>> {
    let next = |strategy: ResetStrategy| strategy.next_reset(now).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let [daily, weekly, monthly] = SCHEDULES.map(next);
    query!(fetch_all as User, db, PUT_OFF, daily, weekly, monthly, limit)
}

/// At most `limit` users whose usage is to be reset by `now`.
pub async fn resetting(db: Db<'_>, now: DateTime<Utc>, limit: i64) -> StoreResult<Vec<User>> {
    query!(fetch_all as User, db, RESETTING, now, limit)
}

/// When those of `users` who were reset by their schedule were reset last, by row id.
pub async fn last_resets(db: Db<'_>, users: &[User]) -> StoreResult<Vec<(i64, DateTime<Utc>)>> {
    query!(fetch_all as (i64, DateTime<Utc>), db, RESET_AT, json_rows(users.iter().map(|user| (user.id, 0))))
}

/// Notes that users with these row ids were reset by their schedule at `now`.
pub async fn set_last_reset(db: Db<'_>, ids: impl IntoIterator<Item = i64>, now: DateTime<Utc>) -> StoreResult<()> {
    execute!(db, SET_RESET_AT, json_rows(ids.into_iter().map(|id| (id, 0))), now).map(drop)
}

/// Whether [`revived`] or [`put_off`] would give a user.
pub async fn is_misjudged(mut db: Db<'_>, now: DateTime<Utc>) -> StoreResult<bool> {
    type Row = (Option<DateTime<Utc>>,);
    let (expired,) = query!(fetch_one as Row, db.reborrow(), LAST_EXPIRED)?;
    if expired.is_some_and(|end| end > now) {
        return Ok(true);
    }
    for strategy in SCHEDULES {
        let (last,) = query!(fetch_one as Row, db.reborrow(), LAST_RESET, strategy.as_str())?;
        if last.is_some_and(|last| strategy.next_reset(now).is_some_and(|next| last > next)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The next moment at which a user expires or is reset.
pub async fn next_deadline(mut db: Db<'_>) -> StoreResult<Option<DateTime<Utc>>> {
    type Row = (Option<DateTime<Utc>>,);
    let (expiry,) = query!(fetch_one as Row, db.reborrow(), NEXT_EXPIRY)?;
    let (reset,) = query!(fetch_one as Row, db, NEXT_RESET)?;
    Ok([expiry, reset].into_iter().flatten().min())
}
