//! The log on standard error, as text or as JSON.

use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

/// The settings of the log.
#[derive(Debug)]
pub struct Logging {
    /// `LOG_FORMAT`.
    pub format: Format,
    /// `RUST_LOG`.
    pub filter: EnvFilter,
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text for people.
    Text,
    /// A JSON object.
    Json,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word.trim() {
            "" | "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json"),
        }
    }
}

impl Logging {
    /// Parses a level or directives.
    ///
    /// # Errors
    /// If they are not valid.
    pub fn filter(directives: &str) -> Result<EnvFilter, &'static str> {
        EnvFilter::try_new(directives)
            .map_err(|_| "must be a level such as info, or directives such as mtpannel=debug,sqlx=warn")
    }

    /// Starts the log for the whole process; panics are logged as well.
    ///
    /// # Errors
    /// If it was started before.
    pub fn start(self) -> anyhow::Result<()> {
        let builder = tracing_subscriber::fmt().with_env_filter(self.filter).with_writer(std::io::stderr);
        let started = match self.format {
            Format::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
            Format::Json => builder.json().flatten_event(true).try_init(),
        };
        started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))?;
        std::panic::set_hook(Box::new(log_panic));
        Ok(())
    }
}

/// Logs a panic, in the span of the request whose handler has panicked.
pub(crate) fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    tracing::error!(location, "panicked: {}", panic.payload_as_str().unwrap_or("(no message)"));
}
