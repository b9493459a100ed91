//! Logging in, staying logged in, logging out.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel_core::policy::Actor;
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::login_limit::Attempt;
use super::password::Verdict;
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
/// For this long after a rotation the token before is still taken, because two tabs may ask at the same time.
const ROTATION_GRACE: TimeDelta = TimeDelta::seconds(10);

const WRONG_LOGIN: &str = "wrong user name or password";
const NO_TOKEN: &str = "a valid access token is needed";
const NO_SESSION: &str = "the session has ended; log in again";

/// A browser's new refresh token and when its cookie ends.
pub struct RefreshToken {
    /// The token; only its hash is stored.
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
    let refresh = RefreshToken { token: fresh_token(&family), expires_at: entry.now + SESSION_IDLE };
    let hash = digest(&refresh.token);
    sessions::insert(entry.tx.db(), &family, entry.admin.id, &hash, entry.now, refresh.expires_at).await?;
    Ok((entry.finish(app).await?, refresh))
}

/// A login that is right, not committed yet.
struct Entry {
    tx: Tx,
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
    let refused = || ServiceError::Unauthorized(NO_TOKEN);
    let (id, epoch) = app.tokens.check(token, app.clock.now()).ok_or_else(refused)?;
    let admin = admins::by_id(app.store.read().await?.db(), id).await?.ok_or_else(refused)?;
    if admin.token_epoch == epoch { Ok(actor(&admin)) } else { Err(refused()) }
}

/// Refresh token → access token and, unless another tab was just given it, a new refresh token. A token that was replaced,
/// however long ago, ends its session, because one of the two who have it must have stolen it.
pub async fn refresh(app: &App, token: &str) -> ServiceResult<(SecretString, Option<RefreshToken>)> {
    let ended = || ServiceError::Unauthorized(NO_SESSION);
    let family = known_family(app, token).await?.ok_or_else(ended)?;
    let now = app.clock.now();
    let hash = digest(token);
    let mut tx = app.store.write().await?;
    let session = sessions::by_family(tx.db(), family).await?.ok_or_else(ended)?;
    let just_rotated = session.previous_hash.is_some() && now <= session.rotated_at + ROTATION_GRACE;
    let is_current = session.token_hash == hash;
    let is_previous = session.previous_hash.as_ref() == Some(&hash);
    if session.expires_at <= now || !(is_current || is_previous && just_rotated) {
        sessions::delete(tx.db(), family).await?;
        tx.commit().await?;
        return Err(ended());
    }
    let admin = admins::by_id(tx.db(), session.admin_id).await?.ok_or_else(ended)?;
    // One rotation per grace, so that no tab is ever two behind.
    let renewed = if just_rotated { None } else { Some(renewal(family, &session, now)) };
    if let Some(renewed) = &renewed {
        sessions::rotate(tx.db(), family, &digest(&renewed.token), now, renewed.expires_at).await?;
    }
    tx.commit().await?;
    Ok((app.tokens.issue(admin.id, admin.token_epoch, now), renewed))
}

/// Ends the browser's session that has this refresh token; says nothing about whether there was one.
pub async fn end_session(app: &App, token: &str) -> ServiceResult<()> {
    let Some(family) = known_family(app, token).await? else { return Ok(()) };
    let mut tx = app.store.write().await?;
    sessions::delete(tx.db(), family).await?;
    Ok(tx.commit().await?)
}

/// The family of a refresh token, if there is a session of it. Only reads, so that strangers do not keep writers waiting.
async fn known_family<'t>(app: &App, token: &'t str) -> StoreResult<Option<&'t str>> {
    let family = token.split_once('.').map(|(family, _)| family);
    let Some(family) = family.filter(|family| family.bytes().all(|byte| byte.is_ascii_hexdigit())) else {
        return Ok(None);
    };
    let session = sessions::by_family(app.store.read().await?.db(), family).await?;
    Ok(session.map(|_| family))
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

fn renewal(family: &str, session: &Session, now: DateTime<Utc>) -> RefreshToken {
    let expires_at = (now + SESSION_IDLE).min(session.created_at + SESSION_LONGEST);
    RefreshToken { token: fresh_token(family), expires_at }
}

fn fresh_token(family: &str) -> String {
    format!("{family}.{}", random::token())
}

fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
