//! `mtpannel admin`: creates, lists and deletes administrators, and sets their passwords.

use chrono::{DateTime, SecondsFormat, Utc};
use mtpannel_core::audit::By;
use mtpannel_core::user::Username;

use super::{audit_read, open, open_existing, output, password, tell};
use crate::clock::Clock;
use crate::runtime::password::Passwords;
use crate::service::ServiceError;
use crate::service::admins::{self as service, NewAdmin};
use crate::store::{Store, admins};

pub(super) async fn create(name: &Username, is_sudo: bool, from_stdin: bool, unless_any: bool) -> anyhow::Result<()> {
    let store = open().await?;
    let count = admins::count(store.read().await?.db()).await?;
    if unless_any && count > 0 {
        tell("there is an administrator already; nothing was done");
        return Ok(());
    }
    // Before anybody is asked for a password.
    if exists(&store, name).await? {
        anyhow::bail!("there is an administrator '{name}' already; names are compared without case");
    }
    let new = password::obtain(from_stdin)?;
    let hash = Passwords::default().hash(new.password.clone()).await;
    let admin = NewAdmin { username: name, hash: &hash, is_sudo, now: Clock::system().now() };
    let created = service::insert(&store, &By::CommandLine, &admin).await?;
    store.close().await;
    let role = if created.is_sudo { "sudo administrator" } else { "administrator" };
    tell(&format!("created {role} '{}'", created.username));
    new.reveal()
}

pub(super) async fn list() -> anyhow::Result<()> {
    let store = open_existing().await?;
    audit_read(&store, "admin.list", None).await;
    let all = admins::page(store.read().await?.db(), i64::MAX, 0).await?;
    let rows: Vec<[String; 4]> = all
        .into_iter()
        .map(|admin| {
            let role = if admin.is_sudo { "sudo" } else { "admin" };
            let last_login = admin.last_login_at.map_or_else(|| "never".to_owned(), format_time);
            [admin.username, role.to_owned(), format_time(admin.created_at), last_login]
        })
        .collect();
    output::print(&output::format_table(["NAME", "ROLE", "CREATED", "LAST LOGIN"], &rows))
}

pub(super) async fn set_password(name: &Username, from_stdin: bool) -> anyhow::Result<()> {
    let store = open_existing().await?;
    if !exists(&store, name).await? {
        return Err(missing_error(name));
    }
    let new = password::obtain(from_stdin)?;
    let hash = Passwords::default().hash(new.password.clone()).await;
    let now = Clock::system().now();
    service::set_password(&store, &By::CommandLine, name.as_str(), &hash, now)
        .await
        .map_err(|error| with_name(error, name))?;
    store.close().await;
    tell(&format!("replaced the password of '{name}'; they are logged out everywhere"));
    new.reveal()
}

pub(super) async fn delete(name: &Username) -> anyhow::Result<()> {
    let store = open_existing().await?;
    let now = Clock::system().now();
    service::remove(&store, &By::CommandLine, name.as_str(), now).await.map_err(|error| with_name(error, name))?;
    store.close().await;
    tell(&format!("deleted administrator '{name}'; their users stay, without an owner"));
    Ok(())
}

async fn exists(store: &Store, name: &Username) -> anyhow::Result<bool> {
    Ok(admins::by_name(store.read().await?.db(), name.as_str()).await?.is_some())
}

fn missing_error(name: &Username) -> anyhow::Error {
    anyhow::anyhow!("there is no administrator '{name}'")
}

fn with_name(error: ServiceError, name: &Username) -> anyhow::Error {
    match error {
        ServiceError::NotFound(_) => missing_error(name),
        error => error.into(),
    }
}

/// A time in the form in which all commands show it.
pub(super) fn format_time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
