//! What is reached through the service's front: the running panel and the description of its API.

use crate::settings::Settings;
use crate::{http, serve};

pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    serve::run(settings).await
}

/// The description of the API: JSON and a newline.
pub(super) fn openapi() -> anyhow::Result<String> {
    Ok(format!("{}\n", http::openapi().to_pretty_json()?))
}
