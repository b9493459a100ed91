//! The command line.
//!
//! The result of a command goes to standard output, everything else to standard error. Exit codes: 0 done, 1 not done
//! (with the reason), 2 wrong usage.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::FromArgMatches as _;

use args::{AdminCommand, Cli, Command, ConfigCommand, ImportCommand, UserCommand};

use crate::clock::Clock;
use crate::settings::{self, SettingsError};
use crate::store::{DatabaseUrl, Store};

mod admin;
mod args;
mod backup;
mod config;
mod env_file;
mod healthcheck;
mod import;
mod migrate;
mod output;
mod password;
mod proxy;
mod serve;
mod user;

/// Runs the program with the process's arguments and environment.
pub fn main() -> ExitCode {
    match prepare(std::env::args_os()).and_then(|(cli, runtime)| runtime.block_on(run(cli))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

fn prepare(args: impl Iterator<Item = OsString>) -> anyhow::Result<(Cli, tokio::runtime::Runtime)> {
    // Before there is any other thread, because it changes the environment.
    let env = env_file::load(Path::new(".env"));
    let matches = args::parser().get_matches_from(args);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let level = if matches!(cli.command, Command::Serve | Command::Proxy { .. }) { "info" } else { "warn" };
    match (env, cli.settings.logging(level)) {
        (Ok(notices), Ok(logging)) => {
            logging.start()?;
            for notice in notices {
                tracing::warn!("{notice}");
            }
        }
        (env, logging) => {
            // These two commands report all problems of the settings at once.
            let checks_all = matches!(cli.command, Command::Serve | Command::Config(ConfigCommand::Check));
            let service = if checks_all { cli.settings.service().err() } else { None };
            return Err(SettingsError::all([env.err(), logging.err(), service].into_iter().flatten()).into());
        }
    }
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    Ok((cli, runtime))
}

async fn run(Cli { settings, command, .. }: Cli) -> anyhow::Result<()> {
    match command {
        Command::Serve => serve::run(settings.service()?).await,
        Command::Proxy { config } => proxy::run(&config).await,
        Command::Admin(AdminCommand::Create { name, sudo, password_stdin, unless_any }) => {
            admin::create(&name, sudo, password_stdin, unless_any).await
        }
        Command::Admin(AdminCommand::List) => admin::list().await,
        Command::Admin(AdminCommand::SetPassword { name, password_stdin }) => {
            admin::set_password(&name, password_stdin).await
        }
        Command::Admin(AdminCommand::Delete { name }) => admin::delete(&name).await,
        Command::User(UserCommand::List) => user::list().await,
        Command::User(UserCommand::Links { name, qr }) => user::links(&settings, &name, qr).await,
        Command::Config(ConfigCommand::Render) => config::render(&settings).await,
        Command::Config(ConfigCommand::Check) => config::check(&settings).await,
        Command::Config(ConfigCommand::Template { router, mask_site }) => {
            config::template(&settings, router, mask_site.as_ref())
        }
        Command::Config(ConfigCommand::SetDomain { domain, mask_site }) => {
            config::set_domain(&settings, &domain, mask_site.as_ref())
        }
        Command::Import(ImportCommand::PanelDb { file, how }) => import::panel_db(&settings, &file, how).await,
        Command::Import(ImportCommand::TelemtConfig { file, how }) => {
            import::telemt_config(&settings, &file, how).await
        }
        Command::Backup { file } => backup::backup(&file).await,
        Command::Restore { file } => backup::restore(&file).await,
        Command::Migrate => migrate::run().await,
        Command::Openapi => output::print(&serve::openapi()?),
        Command::Healthcheck => healthcheck::run(&settings).await,
    }
}

/// Reports a failure on standard error: what was not done and, below it, each cause.
fn report(error: &anyhow::Error) -> ExitCode {
    tell(&format!("error: {}", causes(error).join("\n  because: ")));
    ExitCode::FAILURE
}

/// The texts of an error and its causes, without repetition: many errors include the text of their source.
fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if texts.last().is_none_or(|last| !last.contains(&cause)) {
            texts.push(cause);
        }
    }
    texts
}

/// Opens the database of the settings, and creates it if it does not exist.
async fn open() -> anyhow::Result<Store> {
    Ok(Store::open(&settings::database_url()?, Clock::system().now()).await?)
}

/// Opens the database of the settings, which must exist: a command that only reads does not create one.
async fn open_existing() -> anyhow::Result<Store> {
    let url = settings::database_url()?;
    must_exist(&url)?;
    Ok(Store::open(&url, Clock::system().now()).await?)
}

/// Adds an action to the audit log for data that a command shows or copies. A database that is read-only is only a warning:
/// whoever can run the command can read the database in any case.
async fn audit_read(store: &Store, action: &'static str, target: Option<&str>) {
    if let Err(error) = crate::service::audit::record_command(store, Clock::system().now(), action, target).await {
        tell(&format!("warning: the audit log has no entry for this: {error}"));
    }
}

fn must_exist(url: &DatabaseUrl) -> anyhow::Result<()> {
    match url {
        DatabaseUrl::Sqlite(path) if !path.exists() => anyhow::bail!(
            "there is no database {}; is DATABASE_URL set, and is this the right directory?",
            path.display()
        ),
        _ => Ok(()),
    }
}

/// Prints a line that is not the result of a command on standard error.
fn tell(text: &str) {
    // If standard error is closed, this cannot be reported anywhere.
    let _ = writeln!(io::stderr(), "{text}");
}
