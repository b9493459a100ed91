//! `mtpannel config`.

use std::time::Duration;

use super::{audit_read, must_exist, output, tell};
use crate::clock::Clock;
use crate::config_file::{ConfigFile, Rendered};
use crate::random;
use crate::service::preview;
use crate::settings::{ProxySettings, RawSettings};
use crate::store::{DatabaseUrl, Store};

/// How long a running panel may take to write what has just changed, before the file counts as different.
const SETTLE: Duration = Duration::from_secs(1);

pub(super) async fn render(settings: &RawSettings) -> anyhow::Result<()> {
    let (url, proxy) = settings.database_and_proxy()?;
    let store = open(&url).await?;
    let text = rendered(&store, &proxy).await?.text;
    audit_read(&store, "config.render", None).await;
    output::print(&text)
}

pub(super) async fn check(settings: &RawSettings) -> anyhow::Result<()> {
    let mut fine = true;
    if let Err(problems) = settings.service() {
        fine = false;
        tell(&format!("error: {problems}"));
    } else {
        output::print("settings: fine\n")?;
    }
    // Without these two there is nothing to compare; what is wrong with them was told just now.
    if let Ok((url, proxy)) = settings.database_and_proxy() {
        match check_file(&url, &proxy).await {
            Ok(verdict) => output::print(&format!("{}: {verdict}\n", proxy.config_path.display()))?,
            Err(error) => {
                fine = false;
                tell(&format!("error: {error:#}"));
            }
        }
    }
    anyhow::ensure!(fine, "the configuration is not fine");
    Ok(())
}

async fn check_file(url: &DatabaseUrl, proxy: &ProxySettings) -> anyhow::Result<&'static str> {
    // First, because it needs no database.
    let present = ConfigFile::new(proxy).check()?;
    let path = proxy.config_path.display();
    anyhow::ensure!(present, "{path}: there is no such file yet; the panel writes it when it starts");
    let store = open(url).await?;
    if rendered(&store, proxy).await?.differs {
        tokio::time::sleep(SETTLE).await;
        anyhow::ensure!(
            !rendered(&store, proxy).await?.differs,
            "{path}: does not say what the database says; a panel that runs writes it within seconds, its log tells why not"
        );
    }
    Ok("parses, and says what the database says")
}

async fn open(url: &DatabaseUrl) -> anyhow::Result<Store> {
    must_exist(url)?;
    Ok(Store::open(url, Clock::system().now()).await?)
}

async fn rendered(store: &Store, proxy: &ProxySettings) -> anyhow::Result<Rendered> {
    let mut file = ConfigFile::new(proxy);
    let text = file.read()?;
    let access = preview::access(store, text.as_deref(), Clock::system().precise()).await?;
    Ok(file.render(&access, &random::secret())?)
}
