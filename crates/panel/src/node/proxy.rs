//! Runs the built-in proxy and its scraper. Panel and proxy share only the file and the metrics, as with any other proxy.
//! The proxy starts before the scraper and stops after it, so that the last byte is counted.

use std::time::Duration;

use mtpannel_proxy::Proxy;
use tokio_util::sync::CancellationToken;

use crate::app::SharedApp;
use crate::node::metering::scraper;
use crate::runtime::health::Task;

/// Time between two attempts to start it.
const RETRY: Duration = Duration::from_secs(5);

/// Runs both until `stop`. They start once the panel has written the file, because the proxy refuses one without users.
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

/// Makes the last scrape when no connection is left, so that the counters no longer change.
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
