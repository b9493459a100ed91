//! Respects what somebody else does to the file: it is not overwritten while they write, and what they wrote is not lost
//! without a copy.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mtpannel_core::access::Access;

use super::ConfigSyncTask;
use crate::node::projection::file::{ConfigFile, ConfigFileError, Look, Rendered, TextDigest};
use crate::random;
use crate::runtime::warnings::{Source, Warning};
use crate::store::{StoreResult, written_files};

/// How long a file that somebody else has changed must stay unchanged before it is read or overwritten.
const QUIET: Duration = Duration::from_secs(2);
/// Longest wait for that in one attempt: a mutation waits 5 s, and is to hear of the reason.
const PATIENCE: Duration = Duration::from_secs(4);
/// Time between two checks of the file.
const LOOK: Duration = Duration::from_millis(200);

impl ConfigSyncTask {
    /// Waits until nobody else writes the file. What a panel has written is complete, so there is no wait for it.
    pub(super) async fn wait_for_quiet(&mut self) -> Result<(), String> {
        let give_up = Instant::now() + PATIENCE;
        let mut asked = None;
        loop {
            let look = self.with_file(|file| Ok(file.look(Instant::now()))).await?;
            let Some(Look { digest, unchanged_for }) = look else { return Ok(()) };
            if unchanged_for >= QUIET {
                return Ok(());
            }
            if digest.is_some() && digest != asked {
                if let Some(digest) = &digest
                    && self.has_written(digest).await
                {
                    return Ok(());
                }
                asked = digest;
            }
            if Instant::now() >= give_up {
                let path = self.app.settings.proxy.config_path.display();
                return Err(format!(
                    "{path}: somebody else is writing it; the panel writes it once it has been left alone for {} s",
                    QUIET.as_secs()
                ));
            }
            tokio::time::sleep(LOOK.min(QUIET.saturating_sub(unchanged_for))).await;
        }
    }

    /// Whether a panel has written this text, or these managed tables, lately. False if the database does not answer.
    async fn has_written(&self, digest: &str) -> bool {
        let known = async { written_files::knows(self.app.store.read().await?.db(), self.node, digest).await };
        known.await.unwrap_or(false)
    }

    /// Keeps a copy of the present file, if somebody else has written something into managed tables that the new text does not
    /// have, and warns of it.
    pub(super) async fn keep_what_is_lost(&mut self, rendered: Rendered) -> Result<Rendered, String> {
        let (rendered, lost) = self
            .with_file(|file| {
                let lost = file.loses(&rendered).map_err(|error| error.to_string())?;
                Ok((rendered, lost))
            })
            .await?;
        let Some(lost) = lost else { return Ok(rendered) };
        if self.has_written(&lost).await {
            return Ok(rendered);
        }
        let now = self.app.clock.precise();
        let (rendered, copy) = self
            .with_file(move |file| {
                let copy = file.keep_copy(&rendered, now).map_err(|error| error.to_string())?;
                Ok((rendered, copy))
            })
            .await?;
        let warning = Warning::FileChangesReplaced { copy: copy.display().to_string() };
        self.app.warnings.replace(Source::Copies, vec![warning]);
        self.copy = Some(copy);
        Ok(rendered)
    }

    /// Stores the digests of what is about to be written, so that it is recognised after a restart. If that fails, the next
    /// start only waits a little: it takes the file for somebody else's.
    pub(super) async fn remember(&self, digests: &[TextDigest]) {
        if let Err(error) = self.store_digests(digests).await {
            tracing::warn!(%error, "the database does not remember which config.toml is the panel's");
        }
    }

    async fn store_digests(&self, digests: &[TextDigest]) -> StoreResult<()> {
        let mut tx = self.app.store.write().await?;
        written_files::remember(tx.db(), self.node, digests.iter().map(String::as_str), self.app.clock.precise())
            .await?;
        tx.commit().await
    }

    /// Withdraws the warning of a copy, once somebody has removed the copy.
    pub(super) fn look_for_copy(&mut self) {
        if self.copy.as_ref().is_some_and(|copy: &PathBuf| !copy.exists()) {
            self.copy = None;
            self.app.warnings.replace(Source::Copies, Vec::new());
        }
    }
}

/// What the file must say, and by which digests it is known then.
pub(super) fn render(file: &mut ConfigFile, access: &Access) -> Result<(Rendered, Vec<TextDigest>), ConfigFileError> {
    let rendered = file.render(access, &random::secret())?;
    let digests = if rendered.differs { rendered.digests().into() } else { Vec::new() };
    Ok((rendered, digests))
}
