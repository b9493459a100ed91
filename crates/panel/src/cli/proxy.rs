//! `mtpannel proxy`: runs the built-in proxy alone.

use std::path::Path;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use crate::serve::end_signal;

pub(super) async fn run(config: &Path) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        if let Err(error) = end_signal().await {
            tracing::error!(%error, "signals cannot be received");
        }
        stopped.cancel();
    });
    mtpannel_proxy::run(config, stop).await.with_context(|| format!("the proxy cannot serve {}", config.display()))
}
