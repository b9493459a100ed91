//! `mtpannel serve` runs the panel; `mtpannel openapi` prints the description of its API.

use crate::settings::Settings;
use crate::{http, serve};

pub(super) async fn run(settings: Settings) -> anyhow::Result<()> {
    serve::run(settings).await
}

/// The description of the API: JSON and a newline.
pub(super) fn openapi() -> anyhow::Result<String> {
    Ok(format!("{}\n", http::openapi().to_pretty_json()?))
}
