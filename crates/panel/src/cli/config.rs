//! `mtpannel config`: prints, checks and changes the proxy's `config.toml`.

use std::net::IpAddr;
use std::time::Duration;

use mtpannel_core::document::{MaskSite, set_mask_domain};
use mtpannel_core::include::Source;
use mtpannel_core::link::MaskDomain;

use super::{audit_read, causes, output, tell};
use crate::clock::Clock;
use crate::node::projection::file::{ConfigFile, Rendered};
use crate::node::projection::preview;
use crate::random;
use crate::runtime::warnings;
use crate::runtime::warnings::Warning;
use crate::runtime::warnings::endpoint::differences;
use crate::settings::{ProxySettings, RawSettings};
use crate::store::{DatabaseUrl, Store};

/// How long a running panel may take to write a change before the file counts as out of sync.
const SETTLE: Duration = Duration::from_secs(1);

pub(super) async fn render(settings: &RawSettings) -> anyhow::Result<()> {
    let (url, proxy) = settings.database_and_proxy()?;
    let mut file = ConfigFile::new(&proxy);
    let database = Database::open(&url).await?;
    let text = database.rendered(&mut file).await?.text;
    if !database.is_new {
        audit_read(&database.store, "config.render", None).await;
    }
    output::print(&text)
}

pub(super) async fn check(settings: &RawSettings) -> anyhow::Result<()> {
    let mut fine = true;
    match settings.service() {
        Ok(settings) => {
            output::print("settings: fine\n")?;
            for warning in warnings::settings::warnings(&settings) {
                tell(&format!("warning: {warning}"));
            }
        }
        Err(problems) => {
            fine = false;
            tell(&format!("error: {problems}"));
        }
    }
    // Without these settings there is nothing to compare. Their problems were reported above.
    if let Ok((url, proxy)) = settings.database_and_proxy() {
        match check_file(&url, &proxy).await {
            Ok(Checked { verdict, warnings }) => {
                output::print(&format!("{}: {verdict}\n", proxy.config_path.display()))?;
                for warning in warnings {
                    fine &= !warning.breaks_links();
                    let severity = if warning.breaks_links() { "error" } else { "warning" };
                    tell(&format!("{severity}: {warning}"));
                }
            }
            Err(error) => {
                fine = false;
                tell(&format!("error: {}", causes(&error).join(": ")));
            }
        }
    }
    anyhow::ensure!(fine, "the configuration is not fine");
    Ok(())
}

pub(super) fn template(settings: &RawSettings, router: Option<IpAddr>, site: Option<&MaskSite>) -> anyhow::Result<()> {
    let proxy = settings.proxy()?;
    let text = Source::alone(ConfigFile::new(&proxy).template(router));
    output::print(&set_mask_domain(&text, &proxy.endpoint.domain, site)?)
}

pub(super) fn set_domain(settings: &RawSettings, domain: &MaskDomain, site: Option<&MaskSite>) -> anyhow::Result<()> {
    let proxy = settings.proxy()?;
    let is_new = ConfigFile::new(&proxy).set_mask_domain(domain, site)?;
    let verdict = if is_new { "changed" } else { "says this already" };
    output::print(&format!("{}: {verdict}\n", proxy.config_path.display()))
}

/// The result of a check of a file that can be read.
struct Checked {
    verdict: &'static str,
    warnings: Vec<Warning>,
}

async fn check_file(url: &DatabaseUrl, proxy: &ProxySettings) -> anyhow::Result<Checked> {
    let mut file = ConfigFile::new(proxy);
    // This needs no database, so it comes first.
    let is_present = file.check()?;
    let path = proxy.config_path.display();
    let database = Database::open(url).await?;
    anyhow::ensure!(
        is_present || database.is_new,
        "{path}: there is no such file yet; the panel writes it when it starts"
    );
    let differs = database.rendered(&mut file).await?.differs;
    let warnings = file.file_endpoint().map(|endpoint| differences(proxy, endpoint)).unwrap_or_default();
    let verdict = match (database.is_new, is_present) {
        (true, false) => "there is no such file yet; the panel makes it when it starts for the first time",
        (true, true) => "parses; the panel takes over its users when it starts for the first time",
        (false, _) => {
            if differs {
                tokio::time::sleep(SETTLE).await;
                anyhow::ensure!(
                    !database.rendered(&mut file).await?.differs,
                    "{path}: does not say what the database says; a panel that runs writes it within seconds, its log tells why not"
                );
            }
            "parses, and says what the database says"
        }
    };
    Ok(Checked { verdict, warnings })
}

/// The database of the settings. Before the first start of the panel there is none. Commands that only look at the file do
/// not create it, and use an empty one in a temporary folder, which is removed with this value.
struct Database {
    store: Store,
    is_new: bool,
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    async fn open(url: &DatabaseUrl) -> anyhow::Result<Self> {
        let now = Clock::system().now();
        match url {
            DatabaseUrl::Sqlite(path) if !path.exists() => {
                let folder = tempfile::tempdir()?;
                let empty = DatabaseUrl::Sqlite(folder.path().join("empty.db"));
                Ok(Self { store: Store::open(&empty, now).await?, is_new: true, _folder: Some(folder) })
            }
            url => Ok(Self { store: Store::open(url, now).await?, is_new: false, _folder: None }),
        }
    }

    async fn rendered(&self, file: &mut ConfigFile) -> anyhow::Result<Rendered> {
        let present = file.read()?;
        let access = preview::access(&self.store, present.as_ref(), Clock::system().precise()).await?;
        Ok(file.render(&access, &random::secret())?)
    }
}
