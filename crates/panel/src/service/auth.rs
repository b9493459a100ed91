//! Logging in, staying logged in, logging out.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel_core::policy::Actor;
use mtpannel_core::user::CLOCKS_DIFFER;
use secrecy::SecretString;
use serde_json::json;

use super::login_limit::Attempt;
use super::password::Verdict;
use super::token::Family;
use super::{By, ServiceError, ServiceResult, audit};
use crate::app::App;
use crate::random;
use crate::store::admins::{self, Admin, Credentials};
use crate::store::sessions::{self, Session};
use crate::store::{StoreResult, Tx};

/// A browser's session ends after this long without use …
const SESSION_IDLE: TimeDelta = TimeDelta::days(7);
/// … and after this long in any case.
const SESSION_LONGEST: TimeDelta = TimeDelta::days(30);
/// For this long after a rotation the token before is still taken: two tabs may ask at the same time, and an answer may be
/// lost on its way to a browser that is reloaded.
const ROTATION_GRACE: TimeDelta = TimeDelta::minutes(1);

const WRONG_LOGIN: &str = "wrong user name or password";
const NO_TOKEN: &str = "a valid access token is needed";
const NO_SESSION: &str = "the session has ended; log in again";

/// A browser's new refresh token and when its cookie ends.
pub struct RefreshToken {
    /// The token, which is stored nowhere.
    pub token: String,
    /// When the session ends unless it is used before.
    pub expires_at: DateTime<Utc>,
}

/// Name and password → access token (specification section 2.1).
pub async fn login(
    app: &App,
    name: &str,
    password: SecretString,
    address: Option<IpAddr>,
) -> ServiceResult<SecretString> {
    enter(app, name, password, address).await?.finish(app).await
}

/// The same for a browser: access token and refresh token of a session that begins with the login.
pub async fn begin_session(
    app: &App,
    name: &str,
    password: SecretString,
    address: Option<IpAddr>,
) -> ServiceResult<(SecretString, RefreshToken)> {
    let mut entry = enter(app, name, password, address).await?;
    let family = hex::encode(random::bytes::<16>());
    let expires_at = entry.now + SESSION_IDLE;
    sessions::insert(entry.tx.db(), &family, entry.admin.id, entry.now, expires_at).await?;
    let token = app.tokens.issue_refresh(&Family { family, generation: 0 });
    Ok((entry.finish(app).await?, RefreshToken { token, expires_at }))
}

/// A login that is right, not committed yet.
struct Entry {
    tx: Tx<'static>,
    admin: Admin,
    attempt: Attempt,
    now: DateTime<Utc>,
}

impl Entry {
    async fn finish(self, app: &App) -> ServiceResult<SecretString> {
        self.tx.commit().await?;
        self.attempt.succeeded();
        Ok(app.tokens.issue(self.admin.id, self.admin.token_epoch, self.now))
    }
}

/// Compares name and password. Hashing takes its time, outside of the transaction; so the login counts only if the hash
/// that was compared is still the stored one in it, and a new password is never undone or outlived.
async fn enter(app: &App, name: &str, password: SecretString, address: Option<IpAddr>) -> ServiceResult<Entry> {
    let attempt = app
        .login_limit
        .begin(address, name, app.clock.now())
        .map_err(|retry_after_seconds| ServiceError::TooManyLogins { retry_after_seconds })?;
    let (known, bcrypt) = credentials(app, name).await?;
    let hash = known.as_ref().map(|known| known.hashed_password.clone());
    let verdict = app.passwords.verify(password, hash, bcrypt).await;
    let now = app.clock.now();
    let (Some(known), Verdict::Right | Verdict::RightWithBetterHash(_)) = (&known, &verdict) else {
        // The typed name stays out of the log: people type passwords there. A known name may be named.
        return refuse(app, address, known.is_some().then_some(name), now).await;
    };
    let mut tx = app.store.write().await?;
    let Some(admin) = admins::by_credentials(tx.db(), known).await? else {
        drop(tx);
        return refuse(app, address, Some(name), now).await;
    };
    if let Verdict::RightWithBetterHash(hash) = verdict {
        admins::upgrade_hash(tx.db(), admin.id, &hash).await?;
    }
    admins::logged_in(tx.db(), admin.id, now).await?;
    let by = By::Admin { actor: actor(&admin), address };
    audit::record(tx.db(), &by, now, "admin.login", Some(&admin.username), (None, None)).await?;
    Ok(Entry { tx, admin, attempt, now })
}

/// What a login under this name is compared with, and what all logins are compared with as well while there are bcrypt
/// hashes. No administrator has a name outside of ASCII, whatever a database takes for its lower case.
async fn credentials(app: &App, name: &str) -> StoreResult<(Option<Credentials>, Option<String>)> {
    let mut conn = app.store.read().await?;
    let known = if name.is_ascii() { admins::credentials(conn.db(), name).await? } else { None };
    Ok((known, admins::any_bcrypt_hash(conn.db()).await?))
}

/// Notes a failed login. Those under names that nobody has are noted up to a number only, because strangers make them.
async fn refuse(app: &App, address: Option<IpAddr>, target: Option<&str>, now: DateTime<Utc>) -> ServiceResult<Entry> {
    if target.is_some() || app.login_limit.notes_stranger(now) {
        let mut tx = app.store.write().await?;
        audit::record(tx.db(), &By::Stranger { address }, now, "admin.login_failed", target, (None, None)).await?;
        tx.commit().await?;
    }
    Err(ServiceError::Unauthorized(WRONG_LOGIN))
}

/// Access token → the administrator as he is in the database now.
pub async fn authenticate(app: &App, token: &str) -> ServiceResult<Actor> {
    let (id, epoch) = check(app, token)?;
    let admin = admins::by_id(app.store.read().await?.db(), id).await?;
    let admin = admin.filter(|admin| admin.token_epoch == epoch).ok_or(ServiceError::Unauthorized(NO_TOKEN))?;
    Ok(actor(&admin))
}

/// Access token → row id and token epoch of an administrator, which the database has yet to confirm.
pub(super) fn check(app: &App, token: &str) -> ServiceResult<(i64, i64)> {
    app.tokens.check(token, app.clock.now()).ok_or(ServiceError::Unauthorized(NO_TOKEN))
}

/// Refresh token → access token and the session's present refresh token. One that was replaced before ends its session,
/// however long ago that was, because one of the two who have it must have stolen it.
pub async fn refresh(app: &App, token: &str) -> ServiceResult<(SecretString, RefreshToken)> {
    let ended = || ServiceError::Unauthorized(NO_SESSION);
    let Family { family, generation } = app.tokens.check_refresh(token).ok_or_else(ended)?;
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let session = sessions::by_family(tx.db(), &family).await?;
    let session = session.filter(|session| is_in_time(session, now)).ok_or_else(ended)?;
    let just_rotated = session.generation > 0 && now <= session.rotated_at + ROTATION_GRACE;
    let is_current = generation == session.generation;
    let is_previous = generation + 1 == session.generation;
    if !(is_current || is_previous && just_rotated) {
        sessions::delete(tx.db(), &family).await?;
        tx.commit().await?;
        return Err(ended());
    }
    let admin = admins::by_id(tx.db(), session.admin_id).await?.ok_or_else(ended)?;
    // One rotation per grace, so that no tab is ever two behind.
    let (generation, expires_at) = if just_rotated {
        (session.generation, session.expires_at)
    } else {
        let expires_at = (now + SESSION_IDLE).min(session.created_at + SESSION_LONGEST);
        sessions::rotate(tx.db(), &family, now, expires_at).await?;
        (session.generation + 1, expires_at)
    };
    tx.commit().await?;
    let token = app.tokens.issue_refresh(&Family { family, generation });
    Ok((app.tokens.issue(admin.id, admin.token_epoch, now), RefreshToken { token, expires_at }))
}

/// Whether a session has not ended. One that ends further ahead than any that is given now was given by a wrong clock, and
/// would last too long. Neither is deleted: it may be the present clock that is wrong.
fn is_in_time(session: &Session, now: DateTime<Utc>) -> bool {
    let end = session.expires_at;
    now < end && end <= now + SESSION_IDLE + CLOCKS_DIFFER
}

/// Ends the browser's session that has this refresh token; says nothing about whether there was one.
pub async fn end_session(app: &App, token: &str) -> ServiceResult<()> {
    let Some(Family { family, .. }) = app.tokens.check_refresh(token) else { return Ok(()) };
    let mut tx = app.store.write().await?;
    sessions::delete(tx.db(), &family).await?;
    Ok(tx.commit().await?)
}

/// The administrator who acts, as he is now.
pub async fn myself(app: &App, actor: &Actor) -> ServiceResult<Admin> {
    admins::by_id(app.store.read().await?.db(), actor.id).await?.ok_or(ServiceError::Unauthorized(NO_TOKEN))
}

/// Ends every session and voids every token of the administrator behind `by`.
pub async fn log_out_everywhere(app: &App, by: &By, actor: &Actor) -> ServiceResult<()> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    admins::void_tokens(tx.db(), actor.id).await?;
    sessions::delete_of(tx.db(), actor.id).await?;
    let what = Some(json!({"tokens": "(voided)"}));
    audit::record(tx.db(), by, now, "admin.log_out_everywhere", Some(&actor.username), (None, what)).await?;
    Ok(tx.commit().await?)
}

/// The administrator of a row, as the one who acts.
pub fn actor(admin: &Admin) -> Actor {
    Actor { id: admin.id, username: admin.username.clone(), is_sudo: admin.is_sudo }
}
