//! Login, renewal of login sessions, logout.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel_core::audit::By;
use mtpannel_core::user::CLOCKS_DIFFER;
use secrecy::SecretString;
use serde_json::json;

use super::caller::{Caller, NO_TOKEN, actor};
use super::password_check::{Compared, Origin, compare};
use super::{ServiceError, ServiceResult};
use crate::app::App;
use crate::random;
use crate::runtime::login_limit::network;
use crate::runtime::token::{Device, Family, Grant};
use crate::store::admins::{self, Admin, Holder};
use crate::store::audit;
use crate::store::sessions::{self, Session};
use crate::store::{Db, StoreResult, Tx, login_networks};

/// A login session ends after this long without use …
const SESSION_IDLE: TimeDelta = TimeDelta::days(7);
/// … and after this long in any case.
const SESSION_LONGEST: TimeDelta = TimeDelta::days(30);
/// For this long after a rotation the previous token is still accepted: two tabs may ask at the same time, and an answer may be
/// lost on its way to a browser that is reloaded.
const ROTATION_GRACE: TimeDelta = TimeDelta::minutes(1);
/// For this long after a login its tokens may change passwords and roles.
const FRESH_FOR: TimeDelta = TimeDelta::minutes(10);

const NO_SESSION: &str = "the session has ended; log in again";

/// A browser's new refresh token and when its cookie ends.
pub struct RefreshToken {
    /// The token, which is stored nowhere.
    pub token: String,
    /// When the login session ends unless it is used before.
    pub expires_at: DateTime<Utc>,
}

/// What a browser gets that has logged in.
pub struct Begun {
    /// Access token of the login session.
    pub access_token: SecretString,
    /// Refresh token of the login session.
    pub refresh: RefreshToken,
    /// Value of the cookie by which the browser is known from now on.
    pub device: String,
    /// When a replaced refresh token of the account was used, if the administrator has not been told yet.
    pub reuse_detected_at: Option<DateTime<Utc>>,
}

/// Name and password → access token. It belongs to no login session: it ends by itself, and with all others of the
/// administrator.
pub async fn login(
    app: &App,
    name: &str,
    password: SecretString,
    address: Option<IpAddr>,
) -> ServiceResult<SecretString> {
    let entry = enter(app, name, password, Origin { address, device: None }).await?;
    let token = app.tokens.issue(&entry.grant(None), entry.now);
    entry.tx.commit().await?;
    Ok(token)
}

/// The same for a browser: access token and refresh token of a login session that begins now.
pub async fn begin_session(app: &App, name: &str, password: SecretString, origin: Origin<'_>) -> ServiceResult<Begun> {
    let mut entry = enter(app, name, password, origin).await?;
    let (now, admin_id) = (entry.now, entry.admin.id);
    let family = hex::encode(random::bytes::<16>());
    let expires_at = now + SESSION_IDLE;
    sessions::insert(entry.tx.db(), &family, admin_id, now, expires_at).await?;
    if entry.admin.reuse_detected_at.is_some() {
        admins::set_reuse_detected(entry.tx.db(), admin_id, None).await?;
    }
    let access_token = app.tokens.issue(&entry.grant(Some(&family)), now);
    entry.tx.commit().await?;
    let known = origin.device.and_then(|token| app.tokens.check_device(token, now));
    let device = Device::after_login(known, || hex::encode(random::bytes::<16>()), admin_id, now);
    Ok(Begun {
        access_token,
        refresh: RefreshToken { token: app.tokens.issue_refresh(&Family { family, generation: 0 }), expires_at },
        device: app.tokens.issue_device(&device),
        reuse_detected_at: entry.admin.reuse_detected_at,
    })
}

/// A login with a right password that is not committed yet. While it exists it is counted as a login under way.
struct Entry {
    tx: Tx<'static>,
    admin: Admin,
    now: DateTime<Utc>,
    _compared: Compared,
}

impl Entry {
    fn grant(&self, session: Option<&str>) -> Grant {
        grant(&self.admin, session, self.now)
    }
}

fn grant(admin: &Admin, session: Option<&str>, logged_in_at: DateTime<Utc>) -> Grant {
    let holder = Holder { admin_id: admin.id, epoch: admin.token_epoch, session: session.map(str::to_owned) };
    Grant { holder, logged_in_at }
}

/// Compares name and password. The login counts only if the hash that was compared is still the stored one in its
/// transaction, so that a new password is never undone or outlived.
async fn enter(app: &App, name: &str, password: SecretString, origin: Origin<'_>) -> ServiceResult<Entry> {
    let compared = compare(app, name, password, origin).await?;
    let now = compared.now;
    let mut tx = app.store.write().await?;
    let Some(admin) = admins::by_credentials(tx.db(), &compared.credentials).await? else {
        drop(tx);
        return Err(compared.fail_late(app, origin, name).await);
    };
    if let Some(hash) = &compared.better_hash {
        admins::upgrade_hash(tx.db(), admin.id, hash).await?;
    }
    admins::logged_in(tx.db(), admin.id, now).await?;
    login_networks::note(tx.db(), admin.id, network(origin.address), now).await?;
    let by = By::Admin { actor: actor(&admin), address: origin.address };
    audit::record(tx.db(), &by, now, "admin.login", Some(&admin.username), (None, None)).await?;
    Ok(Entry { tx, admin, now, _compared: compared })
}

/// Makes sure that the caller has logged in lately or knows their present password: a stolen token is not enough for what
/// outlives it. A password that is given is compared in any case.
pub(super) async fn prove(app: &App, caller: &Caller, current_password: Option<SecretString>) -> ServiceResult<Proof> {
    let Some(password) = current_password else {
        let age = app.clock.now() - caller.logged_in_at;
        if (-CLOCKS_DIFFER..=FRESH_FOR).contains(&age) {
            return Ok(Proof(None));
        }
        return Err(ServiceError::FreshLoginRequired { wrong_password: false });
    };
    let origin = Origin { address: caller.address, device: None };
    match compare(app, &caller.actor.username, password, origin).await {
        Ok(compared) => Ok(Proof(Some(compared))),
        Err(ServiceError::Unauthorized(_)) => Err(ServiceError::FreshLoginRequired { wrong_password: true }),
        Err(error) => Err(error),
    }
}

/// Proof that the caller is the administrator themselves.
pub(super) struct Proof(Option<Compared>);

impl Proof {
    /// Makes sure, in the transaction of what is done, that the password that was compared is still the present one.
    pub(super) async fn holds(&self, db: Db<'_>) -> ServiceResult<()> {
        match &self.0 {
            Some(compared) if admins::by_credentials(db, &compared.credentials).await?.is_none() => {
                Err(ServiceError::FreshLoginRequired { wrong_password: true })
            }
            _ => Ok(()),
        }
    }
}

/// Refresh token → access token and the login session's present refresh token. One that was replaced before voids all login
/// sessions and tokens of the account, however long ago that was, because one of the two who have it must have stolen it.
pub async fn refresh(app: &App, token: &str, address: Option<IpAddr>) -> ServiceResult<(SecretString, RefreshToken)> {
    let ended = || ServiceError::Unauthorized(NO_SESSION);
    let Family { family, generation } = app.tokens.check_refresh(token).ok_or_else(ended)?;
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let session = sessions::by_family(tx.db(), &family).await?;
    let session = session.filter(|session| is_in_time(session, now)).ok_or_else(ended)?;
    let admin = admins::by_id(tx.db(), session.admin_id).await?.ok_or_else(ended)?;
    let Some((generation, expires_at)) = rotate(tx.db(), &family, &session, generation, now).await? else {
        void_stolen(tx.db(), &admin, address, now).await?;
        tx.commit().await?;
        return Err(ended());
    };
    tx.commit().await?;
    let token = app.tokens.issue_refresh(&Family { family: family.clone(), generation });
    // As old as the login of the session: renewing a token proves nothing.
    let grant = grant(&admin, Some(&family), session.created_at);
    Ok((app.tokens.issue(&grant, now), RefreshToken { token, expires_at }))
}

/// The generation of the login session's next refresh token, and when the session ends; `None` if the token was replaced before.
async fn rotate(
    db: Db<'_>,
    family: &str,
    session: &Session,
    generation: i64,
    now: DateTime<Utc>,
) -> StoreResult<Option<(i64, DateTime<Utc>)>> {
    let just_rotated = session.generation > 0 && now <= session.rotated_at + ROTATION_GRACE;
    let is_current = generation == session.generation;
    let is_previous = generation + 1 == session.generation;
    if !(is_current || is_previous && just_rotated) {
        return Ok(None);
    }
    // At most one rotation in this time, so that no tab's token is ever two generations old.
    if just_rotated {
        return Ok(Some((session.generation, session.expires_at)));
    }
    let expires_at = (now + SESSION_IDLE).min(session.created_at + SESSION_LONGEST);
    sessions::rotate(db, family, now, expires_at).await?;
    Ok(Some((session.generation + 1, expires_at)))
}

/// Voids all login sessions and tokens of an account whose refresh token was stolen. It is not known who used the replaced
/// token, the administrator or the thief, so the entry in the audit log names neither.
async fn void_stolen(mut db: Db<'_>, admin: &Admin, address: Option<IpAddr>, now: DateTime<Utc>) -> StoreResult<()> {
    void_all(db.reborrow(), admin.id).await?;
    admins::set_reuse_detected(db.reborrow(), admin.id, Some(now)).await?;
    let shown = address.map_or_else(|| "-".to_owned(), |address| address.to_string());
    tracing::warn!(address = %shown, "a refresh token that had been replaced was used; the account's sessions are void");
    let what = Some(json!({"tokens": "(voided)"}));
    let by = By::Unknown { address };
    audit::record(db, &by, now, "admin.token_reuse", Some(&admin.username), (None, what)).await
}

/// Ends every login session and voids every token of an administrator.
async fn void_all(mut db: Db<'_>, admin_id: i64) -> StoreResult<()> {
    admins::void_tokens(db.reborrow(), admin_id).await?;
    sessions::delete_of(db, admin_id).await
}

/// Whether a login session has not ended. One that ends further ahead than any that is given now was given by a wrong clock, and
/// would last too long. Neither is deleted: it may be the present clock that is wrong.
fn is_in_time(session: &Session, now: DateTime<Utc>) -> bool {
    let end = session.expires_at;
    now < end && end <= now + SESSION_IDLE + CLOCKS_DIFFER
}

/// Ends the login session that has this refresh token, and its access tokens; says nothing about whether there was one.
pub async fn end_session(app: &App, token: &str, address: Option<IpAddr>) -> ServiceResult<()> {
    let Some(Family { family, .. }) = app.tokens.check_refresh(token) else { return Ok(()) };
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let Some(session) = sessions::by_family(tx.db(), &family).await? else { return Ok(()) };
    sessions::delete(tx.db(), &family).await?;
    if let Some(admin) = admins::by_id(tx.db(), session.admin_id).await? {
        let by = By::Admin { actor: actor(&admin), address };
        audit::record(tx.db(), &by, now, "admin.logout", Some(&admin.username), (None, None)).await?;
    }
    Ok(tx.commit().await?)
}

/// The administrator who asks, with all that is stored of them.
pub async fn myself(app: &App, caller: &Caller) -> ServiceResult<Admin> {
    admins::by_id(app.store.read().await?.db(), caller.actor.id).await?.ok_or(ServiceError::Unauthorized(NO_TOKEN))
}

/// Ends every login session and voids every token of the administrator who asks.
pub async fn log_out_everywhere(app: &App, caller: &Caller) -> ServiceResult<()> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    void_all(tx.db(), caller.actor.id).await?;
    let what = Some(json!({"tokens": "(voided)"}));
    let target = Some(caller.actor.username.as_str());
    audit::record(tx.db(), &caller.by(), now, "admin.log_out_everywhere", target, (None, what)).await?;
    Ok(tx.commit().await?)
}
