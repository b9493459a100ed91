//! `mtpannel admin …`

use std::io::{IsTerminal as _, Read as _};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use mtpannel_core::user::Username;
use secrecy::{ExposeSecret as _, SecretString};

use crate::clock::Clock;
use crate::random;
use crate::service::admins::{self as service, NewAdmin};
use crate::service::{By, password, password::Passwords};
use crate::store::{Store, admins};

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Create an administrator
    #[command(
        after_help = "Without --password-stdin it asks for the password on a terminal; elsewhere it draws one and \
        prints it once.\n\nExamples:\n  mtpannel admin create root --sudo\n  \
        mtpannel admin create helper --password-stdin < password.txt"
    )]
    Create(CreateArgs),
    /// List administrators
    List,
    /// Give an administrator a new password; his tokens and sessions end
    SetPassword(SetPasswordArgs),
    /// Delete an administrator; his users stay. Not the last sudo one
    Delete {
        /// Name, in any case
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// Name: 3 to 32 letters, digits, '_', '.', '-'
    name: Username,
    /// He sees and manages everything
    #[arg(long)]
    sudo: bool,
    /// Read the password from standard input, up to the first line end
    #[arg(long)]
    password_stdin: bool,
    /// Do nothing if there is any administrator already
    #[arg(long)]
    unless_any: bool,
}

#[derive(Debug, Args)]
pub(super) struct SetPasswordArgs {
    /// Name, in any case
    name: String,
    /// Read the password from standard input, up to the first line end
    #[arg(long)]
    password_stdin: bool,
}

impl AdminCommand {
    pub(super) async fn run(self, store: &Store) -> anyhow::Result<()> {
        match self {
            Self::Create(args) => create(store, args).await,
            Self::List => list(store).await,
            Self::SetPassword(args) => set_password(store, args).await,
            Self::Delete { name } => {
                service::remove(store, &By::CommandLine, &name, Clock::system().now()).await?;
                println!("deleted {name}");
                Ok(())
            }
        }
    }
}

async fn create(store: &Store, args: CreateArgs) -> anyhow::Result<()> {
    if args.unless_any && admins::count(store.read().await?.db()).await? > 0 {
        return Ok(());
    }
    let (password, generated) = new_password(args.password_stdin)?;
    let hash = Passwords::default().hash(password.clone()).await;
    let admin = NewAdmin { username: &args.name, hash: &hash, is_sudo: args.sudo, now: Clock::system().now() };
    service::insert(store, &By::CommandLine, &admin).await?;
    let role = if args.sudo { "sudo administrator" } else { "administrator" };
    println!("created {role} {}", args.name);
    show(&password, generated);
    Ok(())
}

async fn set_password(store: &Store, args: SetPasswordArgs) -> anyhow::Result<()> {
    // Before the password is asked for, so that a wrong name costs nothing.
    ensure!(admins::by_name(store.read().await?.db(), &args.name).await?.is_some(), "there is no such administrator");
    let (password, generated) = new_password(args.password_stdin)?;
    let hash = Passwords::default().hash(password.clone()).await;
    service::set_password(store, &By::CommandLine, &args.name, &hash, Clock::system().now()).await?;
    println!("changed the password of {}; his older tokens and sessions are void", args.name);
    show(&password, generated);
    Ok(())
}

async fn list(store: &Store) -> anyhow::Result<()> {
    println!("{:<32}  {:<5}  {:<20}  last login", "name", "sudo", "created");
    for admin in admins::page(store.read().await?.db(), i64::MAX, 0).await? {
        let login = admin.last_login_at.map_or_else(|| "never".to_owned(), |at| at.format("%FT%TZ").to_string());
        let sudo = if admin.is_sudo { "yes" } else { "no" };
        println!("{:<32}  {sudo:<5}  {}  {login}", admin.username, admin.created_at.format("%FT%TZ"));
    }
    Ok(())
}

/// A password from standard input, from a terminal without echo, or drawn; and whether it was drawn.
fn new_password(from_stdin: bool) -> anyhow::Result<(SecretString, bool)> {
    let (password, generated): (SecretString, bool) = if from_stdin {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
        (text.lines().next().unwrap_or_default().into(), false)
    } else if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("password: ")?;
        if first != rpassword::prompt_password("again: ")? {
            bail!("the two are different");
        }
        (first.into(), false)
    } else {
        (random::password().into(), true)
    };
    if let Err(error) = password::check(&password) {
        bail!("the password {}", error.message);
    }
    Ok((password, generated))
}

fn show(password: &SecretString, generated: bool) {
    if generated {
        println!("password: {}", password.expose_secret());
        println!("it is shown this once only; change it with: mtpannel admin set-password");
    }
}
