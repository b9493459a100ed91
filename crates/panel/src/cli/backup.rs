//! `mtpannel backup` and `mtpannel restore`: copies of a SQLite database.

use std::path::Path;

use anyhow::bail;

use super::{audit_read, open_existing, tell};
use crate::clock::Clock;
use crate::service::backup;
use crate::settings;
use crate::store::DatabaseUrl;

pub(super) async fn backup(file: &Path) -> anyhow::Result<()> {
    if let Some(options) = settings::database_url()?.tool_options() {
        bail!("a PostgreSQL database is saved by its own tool: pg_dump --format=custom --file=FILE {options}");
    }
    let store = open_existing().await?;
    backup::backup(&store, file).await?;
    audit_read(&store, "database.backup", None).await;
    store.close().await;
    tell(&format!("wrote {}; it holds secrets", file.display()));
    Ok(())
}

pub(super) async fn restore(file: &Path) -> anyhow::Result<()> {
    let url = settings::database_url()?;
    let DatabaseUrl::Sqlite(database) = &url else {
        let options = url.tool_options().unwrap_or_default();
        bail!("a PostgreSQL database is restored by its own tool: pg_restore --clean --if-exists {options} FILE");
    };
    let restored = backup::restore(database, file, Clock::system().now()).await?;
    let contents = restored.contents;
    tell(&format!(
        "restored {}: users: {}, administrators: {}; everybody has to log in again",
        file.display(),
        contents.users,
        contents.admins
    ));
    if let Some(kept) = restored.kept {
        tell(&format!("the previous database is kept as {}", kept.display()));
    }
    if contents.sudo_admins == 0 {
        tell("warning: it has no sudo administrator; create one with: mtpannel admin create NAME --sudo");
    }
    Ok(())
}
