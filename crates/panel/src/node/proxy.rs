//! The built-in proxy beside the panel. The two meet in the file and in the metrics only, as with any other proxy.
//! It begins before the scraper and ends after it, so that the last byte is read.

use std::time::Duration;

use mtpannel_proxy::Proxy;
use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;
use crate::node::metering::scraper;
use crate::runtime::health::Task;

/// Between two attempts to start it.
const RETRY: Duration = Duration::from_secs(5);

/// Serves and is scraped until `stop`. It starts once the panel has written the file: one without users is refused.
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
                return scraped_to_the_end(app, proxy, stop).await;
            }
            Err(error) => {
                tracing::error!(%error, "the built-in proxy cannot start; trying again");
                app.health.failed(Task::Scrape, format!("the built-in proxy cannot start: {error}"));
                if stop.run_until_cancelled(tokio::time::sleep(RETRY)).await.is_none() {
                    return;
                }
            }
        }
    }
}

/// The last scrape comes when no session is left and the figures no longer move.
async fn scraped_to_the_end(app: SharedApp, proxy: Proxy, stop: CancellationToken) {
    let drained = CancellationToken::new();
    let drain = async {
        tokio::select! {
            () = stop.cancelled() => {}
            // This task ends too early then, so that the service fails and is started anew.
            error = proxy.failed() => tracing::error!(%error, "the built-in proxy has failed"),
        }
        proxy.drain().await;
        drained.cancel();
    };
    tokio::join!(scraper::run(app, drained.clone()), drain);
    proxy.stop().await;
}
