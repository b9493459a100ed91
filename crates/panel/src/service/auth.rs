//! Logging in, staying logged in, logging out.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel_core::policy::Actor;
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::password::Verdict;
use super::{By, ServiceError, ServiceResult, audit};
use crate::app::App;
use crate::random;
use crate::store::admins::{self, Admin};
use crate::store::sessions::{self, Session};

/// A browser's session ends after this long without use …
const SESSION_IDLE: TimeDelta = TimeDelta::days(7);
/// … and after this long in any case.
const SESSION_LONGEST: TimeDelta = TimeDelta::days(30);
/// For this long after a rotation the token before is still taken, because two tabs may ask at the same time.
const ROTATION_GRACE: TimeDelta = TimeDelta::seconds(10);

const WRONG_LOGIN: &str = "wrong user name or password";
const NO_TOKEN: &str = "a valid access token is needed";
const NO_SESSION: &str = "the session has ended; log in again";

/// What a login gives.
#[derive(Debug)]
pub struct Login {
    /// Access token.
    pub access_token: String,
    /// Whom it is for.
    pub admin: Admin,
}

/// A browser's new refresh token and when its cookie ends.
pub struct RefreshToken {
    /// The token; only its hash is stored.
    pub token: String,
    /// When the session ends unless it is used before.
    pub expires_at: DateTime<Utc>,
}

/// Name and password → access token (specification section 2.1).
pub async fn login(app: &App, name: &str, password: SecretString, address: Option<IpAddr>) -> ServiceResult<Login> {
    let attempt = app
        .login_limit
        .begin(address, name)
        .map_err(|retry_after_seconds| ServiceError::TooManyLogins { retry_after_seconds })?;
    let credentials = admins::credentials(app.store.read().await?.db(), name).await?;
    let (id, hash) = credentials.map_or((None, None), |found| (Some(found.id), Some(found.hashed_password)));
    let verdict = app.passwords.verify(password, hash).await;
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let admin = match (&verdict, id) {
        (Verdict::Right | Verdict::RightWithBetterHash(_), Some(id)) => admins::by_id(tx.db(), id).await?,
        _ => None,
    };
    let Some(admin) = admin else {
        // The typed name stays out of the log: people type passwords there. A known name may be named.
        let target = if id.is_some() { Some(name) } else { None };
        let by = By::Stranger { address };
        audit::record(tx.db(), &by, now, "admin.login_failed", target, (None, None)).await?;
        tx.commit().await?;
        return Err(ServiceError::Unauthorized(WRONG_LOGIN));
    };
    if let Verdict::RightWithBetterHash(hash) = verdict {
        admins::upgrade_hash(tx.db(), admin.id, &hash).await?;
    }
    admins::logged_in(tx.db(), admin.id, now).await?;
    let by = By::Admin { actor: actor(&admin), address };
    audit::record(tx.db(), &by, now, "admin.login", Some(&admin.username), (None, None)).await?;
    tx.commit().await?;
    attempt.succeeded();
    Ok(Login { access_token: app.tokens.issue(admin.id, admin.token_epoch, now), admin })
}

/// Access token → the administrator as he is in the database now.
pub async fn authenticate(app: &App, token: &str) -> ServiceResult<Actor> {
    let refused = || ServiceError::Unauthorized(NO_TOKEN);
    let (id, epoch) = app.tokens.check(token, app.clock.now()).ok_or_else(refused)?;
    let admin = admins::by_id(app.store.read().await?.db(), id).await?.ok_or_else(refused)?;
    if admin.token_epoch == epoch { Ok(actor(&admin)) } else { Err(refused()) }
}

/// Begins a browser's session after a login.
pub async fn begin_session(app: &App, admin: &Admin) -> ServiceResult<RefreshToken> {
    let now = app.clock.now();
    let token = random::token();
    let expires_at = now + SESSION_IDLE;
    let mut tx = app.store.write().await?;
    sessions::insert(tx.db(), admin.id, &digest(&token), now, expires_at).await?;
    tx.commit().await?;
    Ok(RefreshToken { token, expires_at })
}

/// Refresh token → access token and, unless another tab was just given it, a new refresh token. A token that was used
/// before ends its session, because one of the two who have it must have stolen it.
pub async fn refresh(app: &App, token: &str) -> ServiceResult<(Login, Option<RefreshToken>)> {
    let ended = || ServiceError::Unauthorized(NO_SESSION);
    let now = app.clock.now();
    let hash = digest(token);
    let mut tx = app.store.write().await?;
    let session = sessions::by_token(tx.db(), &hash).await?.ok_or_else(ended)?;
    let stale = session.token_hash != hash;
    if session.expires_at <= now || (stale && now > session.rotated_at + ROTATION_GRACE) {
        sessions::delete(tx.db(), session.id).await?;
        tx.commit().await?;
        return Err(ended());
    }
    let admin = admins::by_id(tx.db(), session.admin_id).await?.ok_or_else(ended)?;
    let renewed = if stale { None } else { Some(renewal(&session, now)) };
    if let Some(renewed) = &renewed {
        sessions::rotate(tx.db(), session.id, &digest(&renewed.token), now, renewed.expires_at).await?;
    }
    tx.commit().await?;
    Ok((Login { access_token: app.tokens.issue(admin.id, admin.token_epoch, now), admin }, renewed))
}

/// Ends the browser's session that has this refresh token; says nothing about whether there was one.
pub async fn end_session(app: &App, token: &str) -> ServiceResult<()> {
    let mut tx = app.store.write().await?;
    if let Some(session) = sessions::by_token(tx.db(), &digest(token)).await? {
        sessions::delete(tx.db(), session.id).await?;
    }
    Ok(tx.commit().await?)
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

fn renewal(session: &Session, now: DateTime<Utc>) -> RefreshToken {
    let expires_at = (now + SESSION_IDLE).min(session.created_at + SESSION_LONGEST);
    RefreshToken { token: random::token(), expires_at }
}

fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}
