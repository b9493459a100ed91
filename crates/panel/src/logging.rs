//! Where the log goes: standard error, as text or JSON.

use std::io::IsTerminal as _;

use anyhow::{Context as _, bail};
use tracing_subscriber::EnvFilter;

/// Begins logging as `LOG_FORMAT` (text or json) and `RUST_LOG` (`default` if it is not set) say.
pub(crate) fn init(default: &str) -> anyhow::Result<()> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(text) if !text.trim().is_empty() => text.parse::<EnvFilter>().context("RUST_LOG")?,
        _ => EnvFilter::new(default),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    match std::env::var("LOG_FORMAT").as_deref() {
        Err(_) | Ok("" | "text") => log.init(),
        Ok("json") => log.json().flatten_event(true).init(),
        Ok(_) => bail!("LOG_FORMAT: must be text or json"),
    }
    Ok(())
}
