//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::clock::Clock;
use crate::settings::{self, RawSettings};
use crate::store::Store;
use crate::{logging, serve};

mod admin;
mod config;
mod data;
mod healthcheck;
mod user;

/// Control panel for MTProxy: users, links, accounting, and the proxy's config.toml
#[derive(Debug, Parser)]
#[command(
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Set by the environment only, because they may hold a secret:\n  \
        DATABASE_URL     sqlite:////abs/path, sqlite:///rel/path or postgres://… [default: sqlite:///data/panel.db]\n  \
        SECRET_KEY       key that signs tokens, at least 32 random bytes: openssl rand -hex 32\n  \
        TELEMT_API_AUTH  value of Authorization for telemt's control API\n\
        And for the log:\n  \
        LOG_FORMAT       text or json [default: text]\n  \
        RUST_LOG         such as info or mtpannel=debug [default: info]\n\
        A file .env in the working directory is read first; the real environment wins.\n\n\
        Examples:\n  mtpannel admin create root --sudo\n  mtpannel serve\n  mtpannel user links alice"
)]
pub struct Cli {
    #[command(flatten)]
    settings: RawSettings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the panel until it is told to end
    Serve,
    /// Administrators of the panel
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Users of the proxy
    #[command(subcommand)]
    User(user::UserCommand),
    /// The proxy's config.toml
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Write a consistent copy of the SQLite database to a new file, also beside a running panel
    #[command(after_help = "For PostgreSQL use pg_dump.\n\nExample:\n  mtpannel backup panel-2026-12-31.db")]
    Backup(data::BackupArgs),
    /// Replace the SQLite database by a copy, after checking the copy; the panel must not run
    #[command(
        after_help = "The present database is kept beside it.\n\nExample:\n  mtpannel restore panel-2026-12-31.db"
    )]
    Restore(data::RestoreArgs),
    /// Bring the database's schema up to date (`serve` does it, too)
    Migrate,
    /// Print the OpenAPI document of the API
    Openapi,
    /// Exit with 0 if the panel on this machine answers, else with 1
    Healthcheck,
}

impl Cli {
    /// Does what the command line says.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        logging::init(if matches!(self.command, Command::Serve) { "info" } else { "warn" })?;
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(self.dispatch())
    }

    async fn dispatch(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve => serve::run(self.settings.service()?).await?,
            Command::Admin(command) => command.run(&open().await?).await?,
            Command::User(command) => command.run(&open().await?, &self.settings).await?,
            Command::Config(command) => return command.run(&self.settings).await,
            Command::Backup(args) => args.run().await?,
            Command::Restore(args) => args.run().await?,
            Command::Migrate => {
                open().await?;
                println!("the schema is up to date");
            }
            Command::Openapi => println!("{}", crate::http::openapi().to_pretty_json()?),
            Command::Healthcheck => return healthcheck::run(&self.settings).await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The database of the environment, with its schema up to date.
async fn open() -> anyhow::Result<Store> {
    Ok(Store::open(&settings::database_url()?, Clock::system().now()).await?)
}
