//! The built-in proxy beside the panel. The two meet in the file and in the metrics only, as with any other proxy.

use std::time::Duration;

use mtpannel_proxy::Proxy;
use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;

/// Between two attempts to start it.
const RETRY: Duration = Duration::from_secs(5);

/// Serves until `stop`. It starts once the panel has written the file: one without users is refused.
pub async fn run(app: SharedApp, stop: CancellationToken) {
    if stop.run_until_cancelled(app.sync.first_written()).await.is_none() {
        return;
    }
    while let Some(started) = stop.run_until_cancelled(Proxy::start(&app.settings.proxy.config_path)).await {
        match started {
            Ok(proxy) => {
                let (settings, endpoint) = (&app.settings, &app.settings.proxy.endpoint);
                let addresses: Vec<String> = proxy.addresses.iter().map(ToString::to_string).collect();
                // The last line of a start: everything an operator has to know.
                tracing::info!(
                    "the panel is at http://{}{}, the built-in proxy listens on {}; links lead to {}:{}",
                    settings.listen,
                    settings.base_path,
                    addresses.join(", "),
                    endpoint.host,
                    endpoint.port
                );
                app.proxy_started.notify_one();
                stop.cancelled().await;
                return proxy.stop().await;
            }
            Err(error) => {
                tracing::error!(%error, "the built-in proxy cannot start; trying again");
                if stop.run_until_cancelled(tokio::time::sleep(RETRY)).await.is_none() {
                    return;
                }
            }
        }
    }
}
