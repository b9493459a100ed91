//! Use cases on one proxy user.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, Utc};
use mtpannel_core::audit::By;
use mtpannel_core::patch::Patch;
use mtpannel_core::policy::Actor;
use mtpannel_core::user::{Limit, NOTE_MAX, ResetStrategy, Status, Username};
use serde_json::{Value, json};

use super::error::Problems;
use super::{ServiceError, ServiceResult, auth};
use crate::app::App;
use crate::change::Change;
use crate::random;
use crate::runtime::roster::{Selection, belongs};
use crate::runtime::sync::ConfigSync;
use crate::store::users::User;
use crate::store::{Db, NodeId, StoreError, admins, audit, meters, session_cuts, users};

const USER: &str = "user";

/// A user to be created, as it came in.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// Name.
    pub username: String,
    /// Bytes he may move.
    pub data_limit: Option<i64>,
    /// Sessions at once.
    pub max_connections: Option<i64>,
    /// Addresses at once.
    pub max_unique_ips: Option<i64>,
    /// End of his time.
    pub expire_at: Option<DateTime<Utc>>,
    /// Note.
    pub note: String,
    /// How often usage is reset; `None` for never.
    pub reset_strategy: Option<ResetStrategy>,
}

/// Changes to a user, as they came in.
#[derive(Debug, Clone, Default)]
pub struct UserPatch {
    /// `active` or `disabled`: what an administrator may say.
    pub status: Option<Status>,
    /// Bytes he may move.
    pub data_limit: Patch<i64>,
    /// Sessions at once.
    pub max_connections: Patch<i64>,
    /// Addresses at once.
    pub max_unique_ips: Patch<i64>,
    /// End of his time.
    pub expire_at: Patch<DateTime<Utc>>,
    /// Note; cleared means empty.
    pub note: Patch<String>,
    /// How often usage is reset; cleared means never.
    pub reset_strategy: Patch<ResetStrategy>,
}

/// The user of this name that the holder of an access token may see, and who that is.
pub async fn get(app: &App, token: &str, name: &str) -> ServiceResult<(User, Actor)> {
    let holder = auth::check(app, token)?.holder;
    let now = app.clock.now();
    if let Some(found) = users::by_name_for(app.store.read().await?.db(), name, &holder, now).await? {
        let asker = Actor { id: holder.admin_id, username: found.asker_name, is_sudo: found.asker_is_sudo };
        if belongs(found.user.created_by_admin_id, asker.scope().owner()) {
            return Ok((found.user, asker));
        }
    }
    // Either he may see nobody of this name, or he is nobody himself.
    auth::authenticate(app, token).await?;
    Err(ServiceError::NotFound(USER))
}

/// One page of the users that `selection` holds, in its order, and how many it holds in all.
pub async fn list(app: &App, selection: Selection, offset: usize, limit: usize) -> ServiceResult<(Vec<User>, usize)> {
    let ids = app.roster.select(&app.store, selection).await?;
    let page = ids.iter().copied().skip(offset).take(limit);
    let order: HashMap<i64, usize> = page.clone().enumerate().map(|(at, id)| (id, at)).collect();
    let mut users = users::by_ids(app.store.read().await?.db(), page).await?;
    users.sort_by_key(|user| order.get(&user.id).copied());
    Ok((users, ids.len()))
}

/// Creates a user with a fresh secret.
pub async fn create(app: &App, by: &By, actor: &Actor, new: NewUser) -> ServiceResult<(User, ConfigSync)> {
    let username = check_new(&new)?;
    let mut change = Change::begin(app).await?;
    let now = change.now;
    // He may have been deleted since he was let in.
    let gone = ServiceError::Unauthorized("this administrator has just been deleted");
    admins::by_id(change.db(), actor.id).await?.ok_or(gone)?;
    let mut user = User {
        id: 0,
        username,
        secret: random::secret(),
        status: Status::Active,
        data_limit: new.data_limit,
        data_used: 0,
        max_connections: new.max_connections,
        max_unique_ips: new.max_unique_ips,
        expire_at: new.expire_at.map(|end| end.trunc_subsecs(0)),
        note: new.note,
        created_at: now,
        created_by_admin_id: Some(actor.id),
        updated_at: now,
        last_seen_at: None,
        usage_base: None,
        reset_strategy: new.reset_strategy.unwrap_or(ResetStrategy::None),
        next_reset_at: new.reset_strategy.and_then(|strategy| strategy.next_reset(now)),
        owner: Some(actor.username.clone()),
        lifetime: 0,
        connections: 0,
        unique_ips: 0,
    };
    user.status = user.standing().status(now);
    (user.usage_base, user.lifetime) =
        meters::starting_base(change.db(), NodeId::LOCAL, user.username.as_str()).await?;
    user.id = users::insert(change.db(), &user).await.map_err(|error| match error {
        StoreError::Conflict => ServiceError::Conflict(format!(
            "there is a user '{}' already; names are compared without case",
            user.username
        )),
        error => error.into(),
    })?;
    let after = Some(visible(&user));
    audit::record(change.db(), by, now, "user.create", Some(user.username.as_str()), (None, after)).await?;
    let sync = change.finish().await?;
    Ok((user, sync))
}

/// Changes a user; his status follows from what is true then.
pub async fn update(
    app: &App,
    by: &By,
    actor: &Actor,
    name: &str,
    patch: UserPatch,
) -> ServiceResult<(User, ConfigSync)> {
    check_patch(&patch)?;
    mutate(app, by, actor, name, "user.update", |user, now| apply(user, patch, now)).await
}

/// Gives a user a fresh secret and cuts the sessions that were opened with the old one (contract, trap 2).
pub async fn regenerate_secret(app: &App, by: &By, actor: &Actor, name: &str) -> ServiceResult<(User, ConfigSync)> {
    let mut change = Change::begin(app).await?;
    let now = change.now;
    let mut user = find(change.db(), actor, name).await?;
    user.secret = random::secret();
    user.updated_at = now;
    users::update(change.db(), &user).await?;
    session_cuts::order(change.db(), [user.username.as_str()], now).await?;
    let masked = Some(json!({"secret": "(replaced)"}));
    audit::record(change.db(), by, now, "user.regenerate_secret", Some(user.username.as_str()), (None, masked)).await?;
    let sync = change.finish().await?;
    Ok((user, sync))
}

/// Sets a user's usage to 0; status, quota and file follow.
pub async fn reset_usage(app: &App, by: &By, actor: &Actor, name: &str) -> ServiceResult<(User, ConfigSync)> {
    mutate(app, by, actor, name, "user.reset_usage", User::reset_usage).await
}

/// Deletes a user and cuts his sessions.
pub async fn delete(app: &App, by: &By, actor: &Actor, name: &str) -> ServiceResult<ConfigSync> {
    let mut change = Change::begin(app).await?;
    let now = change.now;
    let user = find(change.db(), actor, name).await?;
    users::delete(change.db(), [user.id]).await?;
    session_cuts::order_for_deleted(change.db(), [user.username.as_str()], now).await?;
    let before = Some(visible(&user));
    audit::record(change.db(), by, now, "user.delete", Some(user.username.as_str()), (before, None)).await?;
    Ok(change.finish().await?)
}

async fn mutate(
    app: &App,
    by: &By,
    actor: &Actor,
    name: &str,
    action: &str,
    change_user: impl FnOnce(&mut User, DateTime<Utc>),
) -> ServiceResult<(User, ConfigSync)> {
    let mut change = Change::begin(app).await?;
    let now = change.now;
    let mut user = find(change.db(), actor, name).await?;
    let before = visible(&user);
    change_user(&mut user, now);
    user.updated_at = now;
    users::update(change.db(), &user).await?;
    let log = (Some(before), Some(visible(&user)));
    audit::record(change.db(), by, now, action, Some(user.username.as_str()), log).await?;
    let sync = change.finish().await?;
    Ok((user, sync))
}

async fn find(db: Db<'_>, actor: &Actor, name: &str) -> ServiceResult<User> {
    users::by_name(db, name, actor.scope().owner()).await?.ok_or(ServiceError::NotFound(USER))
}

fn apply(user: &mut User, patch: UserPatch, now: DateTime<Utc>) {
    user.data_limit = patch.data_limit.apply(user.data_limit);
    user.max_connections = patch.max_connections.apply(user.max_connections);
    user.max_unique_ips = patch.max_unique_ips.apply(user.max_unique_ips);
    user.expire_at = patch.expire_at.apply(user.expire_at).map(|end| end.trunc_subsecs(0));
    user.note = patch.note.apply(Some(std::mem::take(&mut user.note))).unwrap_or_default();
    let strategy = patch.reset_strategy.apply(Some(user.reset_strategy)).unwrap_or(ResetStrategy::None);
    if strategy != user.reset_strategy {
        user.reset_strategy = strategy;
        user.next_reset_at = strategy.next_reset(now);
    }
    let mut standing = user.standing();
    if let Some(status) = patch.status {
        standing.disabled = status == Status::Disabled;
    }
    user.status = standing.status(now);
}

/// A user's fields for the audit log: everything that can change, without the secret.
pub(super) fn visible(user: &User) -> Value {
    json!({
        "username": user.username.as_str(),
        "status": user.status.as_str(),
        "data_limit": user.data_limit,
        "data_used": user.data_used,
        "max_connections": user.max_connections,
        "max_unique_ips": user.max_unique_ips,
        "expire_at": user.expire_at,
        "note": user.note,
        "reset_strategy": user.reset_strategy.as_str(),
    })
}

fn check_new(new: &NewUser) -> ServiceResult<Username> {
    let mut problems = Problems::default();
    let username = problems.take("username", new.username.parse::<Username>());
    check_limits(&mut problems, [new.data_limit, new.max_connections, new.max_unique_ips]);
    check_note(&mut problems, &new.note);
    problems.finish()?;
    username.ok_or(ServiceError::Invalid(Vec::new()))
}

fn check_patch(patch: &UserPatch) -> ServiceResult<()> {
    let value = |patch: &Patch<i64>| patch.apply(None);
    let mut problems = Problems::default();
    if matches!(patch.status, Some(Status::Limited | Status::Expired)) {
        problems.push("status", "can be set to active or disabled; limited and expired follow from the limits");
    }
    check_limits(
        &mut problems,
        [value(&patch.data_limit), value(&patch.max_connections), value(&patch.max_unique_ips)],
    );
    if let Patch::Set(note) = &patch.note {
        check_note(&mut problems, note);
    }
    problems.finish()
}

fn check_limits(problems: &mut Problems, limits: [Option<i64>; 3]) {
    for (field, limit) in ["data_limit", "max_connections", "max_unique_ips"].into_iter().zip(limits) {
        problems.take(field, limit.map(Limit::try_from).transpose());
    }
}

fn check_note(problems: &mut Problems, note: &str) {
    if note.chars().count() > NOTE_MAX {
        problems.push("note", format!("may have at most {NOTE_MAX} characters"));
    }
    if note.contains('\0') {
        problems.push("note", "may not hold a NUL character");
    }
}
