//! `mtpannel config …`

use std::io::Write as _;
use std::process::ExitCode;

use clap::Subcommand;

use crate::clock::Clock;
use crate::config_file::{ConfigFile, Rendered};
use crate::random;
use crate::service::projection;
use crate::settings::RawSettings;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print the whole file, byte for byte as it would be written now
    Render,
    /// Check the settings and the file; exit with 0 only if the file says what the database says
    Check,
}

impl ConfigCommand {
    pub(super) async fn run(self, settings: &RawSettings) -> anyhow::Result<ExitCode> {
        if matches!(self, Self::Check) {
            settings.service()?;
        }
        let mut file = ConfigFile::new(&settings.proxy()?);
        let store = super::open().await?;
        let (_, access) = projection::load(&store, Clock::system().precise()).await?;
        let Rendered { text, differs } = file.render(&access, &random::secret())?;
        match self {
            Self::Render => std::io::stdout().write_all(text.as_bytes())?,
            Self::Check if differs => {
                println!("{}: is not what the database says; a running panel writes it", file.path().display());
                return Ok(ExitCode::FAILURE);
            }
            Self::Check => println!("{}: says what the database says", file.path().display()),
        }
        Ok(ExitCode::SUCCESS)
    }
}
