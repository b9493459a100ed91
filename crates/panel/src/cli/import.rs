//! `mtpannel import`: takes over users from the older Python panel or from a telemt file.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use mtpannel_core::document::read_renamed_users;

use super::args::How;
use super::{causes, output, tell};
use crate::clock::Clock;
use crate::node::metering::record::{self as metering, Scrape};
use crate::node::metering::scraper;
use crate::node::projection::file::ConfigFile;
use crate::service::import::read::{ReadError, read};
use crate::service::import::{self, Summary};
use crate::service::import_file;
use crate::settings::{ProxySettings, RawSettings};
use crate::store::old_panel::OldPanel;
use crate::store::{DatabaseUrl, InstanceLock, NodeId, Store};

pub(super) async fn panel_db(settings: &RawSettings, file: &Path, how: How) -> anyhow::Result<()> {
    let (url, metrics_url) = settings.database_and_metrics_url()?;
    ensure!(file.is_file(), "{}: there is no such file", file.display());
    let lock = match &url {
        DatabaseUrl::Sqlite(database) => {
            let same =
                database.canonicalize().is_ok_and(|database| file.canonicalize().is_ok_and(|file| file == database));
            ensure!(!same, "{}: is the present database", file.display());
            Some(InstanceLock::acquire(database)?)
        }
        DatabaseUrl::Postgres(_) => None,
    };
    let old = OldPanel::open(file).await.with_context(|| format!("{}: cannot be opened", file.display()))?;
    let old = match read(old, &how.renames.into_iter().collect()).await {
        Ok(old) => old,
        Err(ReadError::Problems(problems)) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            tell(&lines.join("\n"));
            bail!("{}: {} problems; nothing was imported", file.display(), problems.len());
        }
        Err(error) => bail!("{}: {error}", file.display()),
    };
    let clock = Clock::system();
    let store = Store::open_locked(&url, clock.now(), lock.as_ref()).await?;
    let scrape = scrape(&store, &metrics_url, &clock).await?;
    let changes = old.changes.iter().fold(String::new(), |text, change| text + &format!("changed: {change}\n"));
    let summary = import::apply(&store, old, scrape.as_ref(), clock.now(), how.dry_run).await?;
    store.close().await;
    output::print(&(changes + &summarize(&summary, how.dry_run)))?;
    if scrape.is_some_and(|scrape| scrape.snapshot.suppressed) {
        tell(
            "warning: the proxy's metrics leave out some users, so their counters could not be taken as the base; see below",
        );
        warn_about_the_base();
    } else if !summary.has_base {
        warn_about_the_base();
    }
    Ok(())
}

pub(super) async fn telemt_config(settings: &RawSettings, file: &Path, how: How) -> anyhow::Result<()> {
    let (url, proxy) = settings.database_and_proxy()?;
    let source = ConfigFile::new(&ProxySettings { config_path: file.to_owned(), ..proxy }).read()?;
    let source = source.with_context(|| format!("{}: there is no such file", file.display()))?;
    let users = read_renamed_users(&source, &how.renames.into_iter().collect());
    let users = users.with_context(|| format!("{}: nothing was imported", file.display()))?;
    let now = Clock::system().now();
    let store = Store::open(&url, now).await?;
    let summary = import_file::apply(&store, users, now, how.dry_run).await?;
    store.close().await;
    output::print(&summarize_file(&summary, how.dry_run))
}

fn summarize_file(summary: &import_file::Summary, dry_run: bool) -> String {
    let done = if dry_run { "nothing was imported; it would be" } else { "imported" };
    let mut text = format!("{done}: users: {}\n", summary.new.len());
    for name in &summary.new {
        let _ = writeln!(text, "new: {name}");
    }
    for name in &summary.present {
        let _ = writeln!(text, "here already with the same secret, unchanged: {name}");
    }
    text
}

async fn scrape(store: &Store, url: &str, clock: &Clock) -> anyhow::Result<Option<Scrape>> {
    let ordinal = metering::ordinal(store, NodeId::LOCAL).await?;
    match scraper::read_once(url, clock, NodeId::LOCAL, ordinal).await {
        Ok(scrape) => Ok(Some(scrape)),
        Err(error) => {
            tell(&format!(
                "warning: the proxy's metrics at TELEMT_METRICS_URL could not be read: {}",
                causes(&error).join(": ")
            ));
            Ok(None)
        }
    }
}

fn warn_about_the_base() {
    tell(
        "warning: the first scrape adds everything that the proxy has counted since its start, including what the old \
         panel has counted already. Restart the proxy before the panel, so that it counts from 0.",
    );
}

fn summarize(summary: &Summary, dry_run: bool) -> String {
    let mut text = format!(
        "{}: administrators: {}, users: {}, traffic rows: {}, rows of proxy figures: {}\n",
        if dry_run { "nothing was imported; it would be" } else { "imported" },
        summary.admins,
        summary.users,
        summary.traffic,
        summary.stats
    );
    let mut add = |count: usize, what: &str| {
        if count > 0 {
            let _ = writeln!(text, "{what}: {count}");
        }
    };
    add(summary.orphans, "users without an owner, because theirs is gone");
    add(summary.ownerless_traffic, "traffic rows of deleted users, now in the totals only");
    add(summary.negative, "negative numbers in traffic rows, now 0");
    if !summary.kept_admins.is_empty() {
        let names = summary.kept_admins.join(", ");
        let _ = writeln!(text, "administrators who were here already and stay as they are: {names}");
    }
    if summary.has_base {
        text.push_str("the proxy's present counters are the base; traffic counts from now on\n");
    }
    text
}
