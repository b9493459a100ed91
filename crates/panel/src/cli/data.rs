//! `mtpannel backup` and `restore`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use crate::clock::Clock;
use crate::settings;
use crate::store::{self, DatabaseUrl, InstanceLock};

const POSTGRES: &str = "DATABASE_URL names a PostgreSQL database: use pg_dump and pg_restore for it";

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// The new file; it must not exist
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The copy that `mtpannel backup` made
    file: PathBuf,
}

fn sqlite_path() -> anyhow::Result<PathBuf> {
    match settings::database_url()? {
        DatabaseUrl::Sqlite(path) => Ok(path),
        DatabaseUrl::Postgres(_) => bail!(POSTGRES),
    }
}

impl BackupArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let path = sqlite_path()?;
        if !path.exists() {
            bail!("{}: there is no database", path.display());
        }
        super::open().await?.copy_to(&self.file).await?;
        println!("wrote {}", self.file.display());
        Ok(())
    }
}

impl RestoreArgs {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let path = sqlite_path()?;
        let _lock = InstanceLock::acquire(&path)?;
        let kept = store::restore(&path, &self.file, Clock::system().now()).await?;
        println!("restored {} from {}", path.display(), self.file.display());
        if let Some(kept) = kept {
            println!("the database before is in {}", kept.display());
        }
        Ok(())
    }
}
