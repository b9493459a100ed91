//! What is reached through the service's front: the running panel and the description of its API.

use crate::settings::Settings;

#[expect(clippy::unused_async, reason = "the service is waited for")]
pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    drop(settings);
    anyhow::bail!("the service is not part of this build")
}

/// The description of the API: JSON and a newline.
pub(super) fn openapi() -> anyhow::Result<String> {
    anyhow::bail!("the API is not part of this build")
}
