//! Use cases on administrators.

use mtpannel_core::audit::By;
use mtpannel_core::fault::{FieldError, FieldErrors};
use mtpannel_core::policy::AdminsWrite;
use mtpannel_core::user::Username;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::auth;
use super::caller::{Allowed, Caller};
use super::{ServiceError, ServiceResult};
use crate::app::App;
use crate::runtime::password;
use crate::store::admins::{self, Admin};
use crate::store::audit;
use crate::store::{Db, Store, StoreError, sessions, state, users};

const ADMIN: &str = "administrator";

/// Changes to an administrator.
#[derive(Debug, Default)]
pub struct AdminPatch {
    /// A new password.
    pub password: Option<SecretString>,
    /// A new role.
    pub is_sudo: Option<bool>,
    /// The present password of the caller, if they logged in too long ago.
    pub current_password: Option<SecretString>,
}

/// A page of administrators, by name, and how many there are.
pub async fn list(app: &App, _: &Allowed<AdminsWrite>, limit: i64, offset: i64) -> ServiceResult<(Vec<Admin>, i64)> {
    let mut conn = app.store.read().await?;
    Ok((admins::page(conn.db(), limit, offset).await?, admins::count(conn.db()).await?))
}

/// Creates an administrator whose password was hashed already.
pub async fn insert(store: &Store, by: &By, admin: &NewAdmin<'_>) -> ServiceResult<Admin> {
    let mut tx = store.write().await?;
    let name = admin.username.as_str();
    let created =
        admins::insert(tx.db(), name, admin.hash, admin.is_sudo, admin.now).await.map_err(|error| match error {
            StoreError::Conflict => ServiceError::Conflict(format!(
                "there is an administrator '{name}' already; names are compared without case"
            )),
            error => error.into(),
        })?;
    let log = (None, Some(visible(&created)));
    audit::record(tx.db(), by, admin.now, "admin.create", Some(&created.username), log).await?;
    tx.commit().await?;
    Ok(created)
}

/// An administrator to be created.
#[derive(Debug)]
pub struct NewAdmin<'a> {
    /// Name.
    pub username: &'a Username,
    /// Hash of the password.
    pub hash: &'a str,
    /// Whether they manage everything.
    pub is_sudo: bool,
    /// When.
    pub now: chrono::DateTime<chrono::Utc>,
}

/// Creates an administrator.
pub async fn create(
    app: &App,
    caller: &Allowed<AdminsWrite>,
    username: &str,
    password: SecretString,
    is_sudo: bool,
) -> ServiceResult<Admin> {
    let mut errors = FieldErrors::default();
    let username = errors.take("username", username.parse::<Username>());
    errors.take("password", password::check(&password).map_err(|error| error.message));
    errors.finish()?;
    let username = username.ok_or(ServiceError::Invalid(Vec::new()))?;
    let hash = app.passwords.hash(password).await;
    insert(&app.store, &caller.by(), &NewAdmin { username: &username, hash: &hash, is_sudo, now: app.clock.now() })
        .await
}

/// Changes an administrator's password or role; either voids their older tokens and login sessions. Both outlive the
/// caller's token, so a token alone is not enough.
pub async fn update(app: &App, caller: &Caller, name: &str, patch: AdminPatch) -> ServiceResult<Admin> {
    let actor = &caller.actor;
    if !actor.may_set_password_of(name) {
        return Err(ServiceError::Forbidden("only a sudo administrator may change others".into()));
    }
    if patch.is_sudo.is_some() && !actor.may_set_role_of(name) {
        return Err(ServiceError::Forbidden("roles are changed by another sudo administrator".into()));
    }
    if patch.password.is_none() && patch.is_sudo.is_none() {
        return Err(ServiceError::Invalid(vec![FieldError::new("password", "or is_sudo must be given")]));
    }
    if let Some(password) = &patch.password {
        password::check(password).map_err(|error| ServiceError::Invalid(vec![error]))?;
    }
    let proof = auth::prove(app, caller, patch.current_password).await?;
    let hash = match patch.password {
        Some(password) => Some(app.passwords.hash(password).await),
        None => None,
    };
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    proof.holds(tx.db()).await?;
    let before = find(tx.db(), name).await?;
    if let Some(hash) = &hash {
        admins::set_password(tx.db(), before.id, hash).await?;
    }
    if let Some(is_sudo) = patch.is_sudo {
        if before.is_sudo && !is_sudo {
            keep_one_sudo(tx.db()).await?;
        }
        admins::set_sudo(tx.db(), before.id, is_sudo).await?;
    }
    sessions::delete_of(tx.db(), before.id).await?;
    let after = find(tx.db(), name).await?;
    let mut described = visible(&after);
    if hash.is_some() {
        described["password"] = Value::from("(replaced)");
    }
    let log = (Some(visible(&before)), Some(described));
    audit::record(tx.db(), &caller.by(), now, "admin.update", Some(&after.username), log).await?;
    tx.commit().await?;
    Ok(after)
}

/// Deletes an administrator; their users stay, without an owner.
pub async fn delete(app: &App, caller: &Allowed<AdminsWrite>, name: &str) -> ServiceResult<()> {
    if !caller.actor.may_delete(name) {
        return Err(ServiceError::Forbidden("nobody may delete themselves".into()));
    }
    remove(&app.store, &caller.by(), name, app.clock.now()).await
}

/// Deletes an administrator unless they are the last sudo one.
pub async fn remove(store: &Store, by: &By, name: &str, now: chrono::DateTime<chrono::Utc>) -> ServiceResult<()> {
    let mut tx = store.write().await?;
    let admin = find(tx.db(), name).await?;
    if admin.is_sudo {
        keep_one_sudo(tx.db()).await?;
    }
    users::disown(tx.db(), admin.id).await?;
    admins::delete(tx.db(), admin.id).await?;
    state::bump(tx.db()).await?;
    audit::record(tx.db(), by, now, "admin.delete", Some(&admin.username), (Some(visible(&admin)), None)).await?;
    Ok(tx.commit().await?)
}

/// Replaces an administrator's password from the command line.
pub async fn set_password(
    store: &Store,
    by: &By,
    name: &str,
    hash: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> ServiceResult<()> {
    let mut tx = store.write().await?;
    let admin = find(tx.db(), name).await?;
    admins::set_password(tx.db(), admin.id, hash).await?;
    sessions::delete_of(tx.db(), admin.id).await?;
    let after = Some(json!({"password": "(replaced)"}));
    audit::record(tx.db(), by, now, "admin.update", Some(&admin.username), (None, after)).await?;
    Ok(tx.commit().await?)
}

async fn find(db: Db<'_>, name: &str) -> ServiceResult<Admin> {
    admins::by_name(db, name).await?.ok_or(ServiceError::NotFound(ADMIN))
}

async fn keep_one_sudo(db: Db<'_>) -> ServiceResult<()> {
    if admins::count_sudo(db).await? > 1 {
        return Ok(());
    }
    Err(ServiceError::Conflict("this is the last sudo administrator; make another one first".into()))
}

fn visible(admin: &Admin) -> Value {
    json!({"username": admin.username, "is_sudo": admin.is_sudo})
}
