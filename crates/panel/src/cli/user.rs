//! `mtpannel user …`

use anyhow::Context as _;
use clap::Subcommand;

use crate::settings::RawSettings;
use crate::store::{Store, users};

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// List users with status, usage, limit and end
    List,
    /// Print both forms of a user's link
    #[command(after_help = "Needs PROXY_HOST, PROXY_PORT and TLS_DOMAIN.\n\nExample:\n  mtpannel user links alice")]
    Links {
        /// Name, in any case
        name: String,
    },
}

impl UserCommand {
    pub(super) async fn run(self, store: &Store, settings: &RawSettings) -> anyhow::Result<()> {
        match self {
            Self::List => list(store).await,
            Self::Links { name } => {
                let endpoint = settings.proxy()?.endpoint;
                let user = users::by_name(store.read().await?.db(), &name, None).await?;
                let links = endpoint.links(&user.context("there is no such user")?.secret);
                println!("{}\n{}", links.tg_link, links.https_link);
                Ok(())
            }
        }
    }
}

async fn list(store: &Store) -> anyhow::Result<()> {
    let mut users = users::listing(store.read().await?.db()).await?;
    users.sort_by_key(|user| user.username.to_lowercase());
    println!("{:<32}  {:<8}  {:>20}  {:>20}  expires", "name", "status", "used (bytes)", "limit (bytes)");
    for user in users {
        let limit = user.data_limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        let end = user.expire_at.map_or_else(|| "never".to_owned(), |end| end.format("%FT%TZ").to_string());
        let (status, used) = (user.status.as_str(), user.data_used);
        println!("{:<32}  {status:<8}  {used:>20}  {limit:>20}  {end}", user.username);
    }
    Ok(())
}
