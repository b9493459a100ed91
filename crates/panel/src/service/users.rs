//! Use cases on one proxy user.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use mtpannel_core::link::ProxyLinks;
use mtpannel_core::policy::{Scope, UsersRead, UsersSecrets, UsersWrite};
use mtpannel_core::user::{Profile, UserPatch, Username};
use serde_json::{Value, json};

use super::caller::Allowed;
use super::{ServiceError, ServiceResult};
use crate::app::App;
use crate::change::Change;
use crate::random;
use crate::runtime::roster::Selection;
use crate::runtime::sync::ConfigSync;
use crate::store::users::User;
use crate::store::{Db, NodeId, StoreError, admins, audit, meters, session_cuts, users};

const USER: &str = "user";

/// A user to be created.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Name.
    pub username: Username,
    /// What the request sets; the rest is as in [`Profile::new`].
    pub patch: UserPatch,
}

/// The user that was asked for; [`ServiceError::NotFound`] if there is none whom the caller sees.
pub fn found(user: Option<User>) -> ServiceResult<User> {
    user.ok_or(ServiceError::NotFound(USER))
}

/// The links of a user. That they were shown is noted in the audit log as `action`.
pub fn show_links(app: &App, caller: &Allowed<UsersSecrets>, user: &User, action: &'static str) -> ProxyLinks {
    app.shown.note(&app.store, &caller.by(), app.clock.now(), action, Some(user.username.as_str()));
    app.settings.proxy.endpoint.links(&user.secret)
}

/// One page of the users that `selection` holds, in its order, and how many it holds in all.
pub async fn list(
    app: &App,
    _: &Allowed<UsersRead>,
    selection: Selection,
    offset: usize,
    limit: usize,
) -> ServiceResult<(Vec<User>, usize)> {
    let ids = app.roster.select(&app.store, selection).await?;
    let page = ids.iter().copied().skip(offset).take(limit);
    let order: HashMap<i64, usize> = page.clone().enumerate().map(|(at, id)| (id, at)).collect();
    let mut users = users::by_ids(app.store.read().await?.db(), page).await?;
    users.sort_by_key(|user| order.get(&user.id).copied());
    Ok((users, ids.len()))
}

/// Creates a user with a fresh secret.
pub async fn create(app: &App, caller: &Allowed<UsersWrite>, new: NewUser) -> ServiceResult<(User, ConfigSync)> {
    let mut change = Change::begin(app).await?;
    let now = change.now;
    // They may have been deleted since their token was checked.
    let gone = ServiceError::Unauthorized("this administrator has just been deleted");
    admins::by_id(change.db(), caller.actor.id).await?.ok_or(gone)?;
    let (usage_base, lifetime) = meters::starting_base(change.db(), NodeId::LOCAL, new.username.as_str()).await?;
    let mut profile = Profile { usage_base, ..Profile::new() };
    profile.apply(new.patch, now);
    let mut user = User {
        lifetime,
        created_by_admin_id: Some(caller.actor.id),
        owner: Some(caller.actor.username.clone()),
        ..User::new(new.username, random::secret(), profile, now)
    };
    user.id = users::insert(change.db(), &user).await.map_err(|error| match error {
        StoreError::Conflict => ServiceError::Conflict(format!(
            "there is a user '{}' already; names are compared without case",
            user.username
        )),
        error => error.into(),
    })?;
    let after = Some(visible(&user));
    audit::record(change.db(), &caller.by(), now, "user.create", Some(user.username.as_str()), (None, after)).await?;
    let sync = change.finish().await?;
    Ok((user, sync))
}

/// Changes a user; the status follows.
pub async fn update(
    app: &App,
    caller: &Allowed<UsersWrite>,
    name: &str,
    patch: UserPatch,
) -> ServiceResult<(User, ConfigSync)> {
    mutate(app, caller, name, "user.update", |user, now| user.profile.apply(patch, now)).await
}

/// Gives a user a fresh secret and cuts the connections that were opened with the old one (docs/contract-telemt.md, trap 2).
pub async fn regenerate_secret(
    app: &App,
    caller: &Allowed<UsersWrite>,
    name: &str,
) -> ServiceResult<(User, ConfigSync)> {
    let mut change = Change::begin(app).await?;
    let now = change.now;
    let mut user = find(change.db(), caller.scope(), name).await?;
    user.secret = random::secret();
    user.updated_at = now;
    users::update(change.db(), &user).await?;
    session_cuts::order(change.db(), [user.username.as_str()], now).await?;
    let masked = Some(json!({"secret": "(replaced)"}));
    audit::record(
        change.db(),
        &caller.by(),
        now,
        "user.regenerate_secret",
        Some(user.username.as_str()),
        (None, masked),
    )
    .await?;
    let sync = change.finish().await?;
    Ok((user, sync))
}

/// Sets a user's usage to 0; status, quota and file follow.
pub async fn reset_usage(app: &App, caller: &Allowed<UsersWrite>, name: &str) -> ServiceResult<(User, ConfigSync)> {
    mutate(app, caller, name, "user.reset_usage", User::reset_usage).await
}

/// Deletes a user and cuts their connections.
pub async fn delete(app: &App, caller: &Allowed<UsersWrite>, name: &str) -> ServiceResult<ConfigSync> {
    let mut change = Change::begin(app).await?;
    let now = change.now;
    let user = find(change.db(), caller.scope(), name).await?;
    users::delete(change.db(), [user.id]).await?;
    session_cuts::order_for_deleted(change.db(), [user.username.as_str()], now).await?;
    let before = Some(visible(&user));
    audit::record(change.db(), &caller.by(), now, "user.delete", Some(user.username.as_str()), (before, None)).await?;
    Ok(change.finish().await?)
}

async fn mutate(
    app: &App,
    caller: &Allowed<UsersWrite>,
    name: &str,
    action: &str,
    change_user: impl FnOnce(&mut User, DateTime<Utc>),
) -> ServiceResult<(User, ConfigSync)> {
    let mut change = Change::begin(app).await?;
    let now = change.now;
    let mut user = find(change.db(), caller.scope(), name).await?;
    let before = visible(&user);
    change_user(&mut user, now);
    user.updated_at = now;
    users::update(change.db(), &user).await?;
    let log = (Some(before), Some(visible(&user)));
    audit::record(change.db(), &caller.by(), now, action, Some(user.username.as_str()), log).await?;
    let sync = change.finish().await?;
    Ok((user, sync))
}

async fn find(db: Db<'_>, scope: Scope, name: &str) -> ServiceResult<User> {
    found(users::by_name(db, name, scope.owner()).await?)
}

/// A user's fields for the audit log: everything that can change, without the secret.
pub(super) fn visible(user: &User) -> Value {
    let profile = &user.profile;
    let mut fields = json!({
        "username": user.username.as_str(),
        "status": profile.status.as_str(),
        "data_used": profile.data_used,
        "expire_at": profile.expire_at,
        "note": profile.note,
        "reset_strategy": profile.reset_strategy.as_str(),
    });
    profile.limits.numbers().named().each(|(field, limit)| fields[field] = json!(limit));
    fields
}
