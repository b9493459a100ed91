//! Log lines on standard error, as text or as JSON.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// Starts logging. `format` is `LOG_FORMAT`; `RUST_LOG` chooses what is logged, `default_level` if it is not set.
///
/// # Errors
/// If `format` or `RUST_LOG` do not fit, or if logging was started before.
pub fn init(format: &str, default_level: &str) -> anyhow::Result<()> {
    let directives = std::env::var("RUST_LOG").ok().filter(|directives| !directives.trim().is_empty());
    let filter = EnvFilter::try_new(directives.as_deref().unwrap_or(default_level))
        .context("RUST_LOG must be a level such as info, or directives such as mtpannel=debug,sqlx=warn")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format.trim() {
        "" | "text" => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
        "json" => builder.json().flatten_event(true).try_init(),
        _ => anyhow::bail!("LOG_FORMAT must be text or json"),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}
