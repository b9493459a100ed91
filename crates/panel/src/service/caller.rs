//! Who asks: from a credential to an administrator and what they may do.

use std::marker::PhantomData;
use std::net::IpAddr;
use std::ops::Deref;

use chrono::{DateTime, Utc};
use mtpannel_core::audit::By;
use mtpannel_core::policy::{Actor, Permission, Right, Scope};

use super::{ServiceError, ServiceResult};
use crate::app::App;
use crate::runtime::token::Grant;
use crate::store::admins;
use crate::store::users::{self, User};

pub(super) const NO_TOKEN: &str = "a valid access token is needed";

/// Whoever asks for something, as the database knows them at that moment.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The administrator.
    pub actor: Actor,
    /// What they may do.
    pub permissions: &'static [Permission],
    /// Address of their client.
    pub address: Option<IpAddr>,
    /// When they gave their password.
    pub logged_in_at: DateTime<Utc>,
}

impl Caller {
    /// An administrator who has logged in, with everything that their role allows.
    pub const fn new(actor: Actor, address: Option<IpAddr>, logged_in_at: DateTime<Utc>) -> Self {
        let permissions = actor.permissions();
        Self { actor, permissions, address, logged_in_at }
    }

    /// The users that they see.
    pub const fn scope(&self) -> Scope {
        self.actor.scope()
    }

    /// Who acts, for the audit log.
    pub fn by(&self) -> By {
        By::Admin { actor: self.actor.clone(), address: self.address }
    }

    /// The proof that they have a permission; [`ServiceError::Forbidden`] if they do not.
    pub fn allow<R: Right>(self) -> ServiceResult<Allowed<R>> {
        if self.permissions.contains(&R::PERMISSION) {
            Ok(Allowed { caller: self, right: PhantomData })
        } else {
            Err(ServiceError::Forbidden("only a sudo administrator may do this".into()))
        }
    }
}

/// A caller who has the permission `R`. Use cases ask for this, so that none can be called without the check.
#[derive(Debug, Clone)]
pub struct Allowed<R> {
    caller: Caller,
    right: PhantomData<R>,
}

impl<R> Deref for Allowed<R> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

/// Access token → caller.
pub async fn authenticate(app: &App, token: &str, address: Option<IpAddr>) -> ServiceResult<Caller> {
    let Grant { holder, logged_in_at } = check(app, token)?;
    let admin = admins::by_holder(app.store.read().await?.db(), &holder, app.clock.now()).await?;
    let admin = admin.ok_or(ServiceError::Unauthorized(NO_TOKEN))?;
    Ok(Caller::new(actor(&admin), address, logged_in_at))
}

/// Access token → caller, together with the user of this name, if the caller sees one: in one trip to the database.
pub async fn authenticate_with_user(
    app: &App,
    token: &str,
    address: Option<IpAddr>,
    name: &str,
) -> ServiceResult<(Caller, Option<User>)> {
    let Grant { holder, logged_in_at } = check(app, token)?;
    let found = users::by_name_for(app.store.read().await?.db(), name, &holder, app.clock.now()).await?;
    let Some(found) = found else {
        // There is no user of this name, or the token is void.
        return Ok((authenticate(app, token, address).await?, None));
    };
    let actor = Actor { id: holder.admin_id, username: found.asker_name, is_sudo: found.asker_is_sudo };
    let caller = Caller::new(actor, address, logged_in_at);
    let user = Some(found.user).filter(|user| caller.scope().sees(user.created_by_admin_id));
    Ok((caller, user))
}

/// Access token → what it says; the database has yet to confirm it.
fn check(app: &App, token: &str) -> ServiceResult<Grant> {
    app.tokens.check(token, app.clock.now()).ok_or(ServiceError::Unauthorized(NO_TOKEN))
}

/// The administrator of a row, as the one who acts.
pub(super) fn actor(admin: &admins::Admin) -> Actor {
    Actor { id: admin.id, username: admin.username.clone(), is_sudo: admin.is_sudo }
}
