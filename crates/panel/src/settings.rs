//! Reads the settings from the environment and from flags, and reports all problems at once.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use mtpannel_core::link::Endpoint;
use secrecy::SecretString;

use crate::logging::Logging;
use crate::store::DatabaseUrl;

mod parse;
mod secret;

use parse::{
    base_path, config_path, header_value, http_url, networks, number, proxy_kind, secret_key, socket_address, switch,
};

/// The settings as text, before they are checked. Those that may hold a secret are environment variables only, because
/// everybody on the machine can read a command line.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Settings (each is also an environment variable)")]
pub struct RawSettings {
    /// Path of the proxy's config.toml, in a directory that panel and proxy share.
    #[arg(
        long,
        global = true,
        env = "TELEMT_CONFIG_PATH",
        default_value = "data/telemt/config.toml",
        value_name = "FILE"
    )]
    telemt_config_path: String,
    /// Address of the proxy's Prometheus metrics.
    #[arg(
        long,
        global = true,
        env = "TELEMT_METRICS_URL",
        default_value = "http://127.0.0.1:9090/metrics",
        value_name = "URL"
    )]
    telemt_metrics_url: String,
    /// Address of telemt's control API, which says whether telemt has read the file; not asked if empty.
    #[arg(long, global = true, env = "TELEMT_API_URL", value_name = "URL")]
    telemt_api_url: Option<String>,
    /// Host in the links: name or IP address at which clients reach the proxy.
    #[arg(long, global = true, env = "PROXY_HOST", default_value = "", hide_default_value = true, value_name = "HOST")]
    proxy_host: String,
    /// Port in the links.
    #[arg(long, global = true, env = "PROXY_PORT", default_value = "443", value_name = "PORT")]
    proxy_port: String,
    /// Masking domain: the site that the proxy pretends to be (FakeTLS).
    #[arg(
        long,
        global = true,
        env = "TLS_DOMAIN",
        default_value = "",
        hide_default_value = true,
        value_name = "DOMAIN"
    )]
    tls_domain: String,
    /// Address and port of the API.
    #[arg(long, global = true, env = "LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: String,
    /// Address and port of the panel's own metrics; do not expose it to the internet.
    #[arg(
        long,
        global = true,
        env = "PANEL_METRICS_LISTEN",
        default_value = "127.0.0.1:9100",
        value_name = "ADDRESS:PORT"
    )]
    panel_metrics_listen: String,
    /// Seconds between two scrapes of the proxy's metrics.
    #[arg(long, global = true, env = "METRICS_SCRAPE_INTERVAL_SECONDS", default_value = "30", value_name = "SECONDS")]
    metrics_scrape_interval_seconds: String,
    /// Minutes for which an access token is valid.
    #[arg(long, global = true, env = "JWT_EXPIRE_MINUTES", default_value = "60", value_name = "MINUTES")]
    jwt_expire_minutes: String,
    /// Days for which the audit log is kept; 0 keeps it forever.
    #[arg(long, global = true, env = "AUDIT_KEEP_DAYS", default_value = "365", value_name = "DAYS")]
    audit_keep_days: String,
    /// Networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted, separated by commas.
    #[arg(long, global = true, env = "TRUSTED_PROXIES", default_value = "", value_name = "NETWORKS")]
    trusted_proxies: String,
    /// Path at which a reverse proxy publishes the panel, such as /panel.
    #[arg(long, global = true, env = "BASE_PATH", default_value = "", value_name = "PATH")]
    base_path: String,
    /// Whether the API documentation is served at /api/docs: true or false.
    #[arg(long, global = true, env = "API_DOCS", default_value = "true", value_name = "WHETHER")]
    api_docs: String,
    /// Which proxy runs: external (telemt, in a container of its own) or embedded (the built-in one, in this process).
    #[arg(long, global = true, env = "PROXY", default_value = "external", value_name = "WHICH")]
    proxy: String,
    /// Form of the log on standard error: text or json.
    #[arg(long, global = true, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    log_format: String,
    /// What is logged: a level such as info, or directives such as mtpannel=debug,sqlx=warn.
    #[arg(long, global = true, env = "RUST_LOG", value_name = "DIRECTIVES")]
    rust_log: Option<String>,
}

/// A variable whose value is not valid, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    variable: &'static str,
    advice: String,
}

/// All variables whose values are not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", describe(.0))]
pub struct SettingsError(Vec<Problem>);

impl SettingsError {
    /// One problem. `variable` may also name a source of variables, such as `.env`.
    pub fn new(variable: &'static str, advice: impl Into<String>) -> Self {
        Self(vec![Problem { variable, advice: advice.into() }])
    }

    /// Joins the problems of several errors.
    pub fn all(errors: impl IntoIterator<Item = Self>) -> Self {
        Self(errors.into_iter().flat_map(|error| error.0).collect())
    }
}

fn describe(problems: &[Problem]) -> String {
    problems.iter().fold(String::from("the settings are not valid:"), |mut text, problem| {
        let _ = write!(text, "\n  {}: {}", problem.variable, problem.advice);
        text
    })
}

/// telemt's control API.
#[derive(Debug, Clone)]
pub struct ProxyApi {
    /// Its address, without a slash at the end.
    pub url: String,
    /// Exact value of its `Authorization` header, if it wants one.
    pub auth: Option<SecretString>,
}

/// Which program runs the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyKind {
    /// Another program, such as telemt, behind a router.
    External,
    /// The built-in proxy in this process. A new file has it listen on the port of the links.
    Embedded {
        /// Where a new file has it serve its metrics: the address that the panel scrapes.
        metrics: SocketAddr,
    },
}

/// The settings of the proxy, its file and its links.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    /// Which program runs it.
    pub kind: ProxyKind,
    /// Path of `config.toml`.
    pub config_path: PathBuf,
    /// Where clients reach the proxy.
    pub endpoint: Endpoint,
}

/// The settings of the running service.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database.
    pub database: DatabaseUrl,
    /// The proxy, its file and its links.
    pub proxy: ProxySettings,
    /// Key that signs tokens.
    pub secret_key: SecretString,
    /// Address of the proxy's Prometheus metrics.
    pub metrics_url: String,
    /// telemt's control API, if its address is set.
    pub proxy_api: Option<ProxyApi>,
    /// Time between two scrapes.
    pub scrape_interval: Duration,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where the panel's own metrics are served.
    pub metrics_listen: SocketAddr,
    /// For how long an access token is valid.
    pub token_lifetime: Duration,
    /// For how long the audit log is kept; `None` for ever.
    pub audit_kept_for: Option<Duration>,
    /// Networks of reverse proxies that are trusted to name the client.
    pub trusted_proxies: Vec<IpNet>,
    /// Path prefix: empty, or with a slash in front and none at the end.
    pub base_path: String,
    /// Whether the API documentation is served.
    pub api_docs: bool,
}

/// Collects the problems of all variables that are read with it.
#[derive(Default)]
struct Reader(Vec<Problem>);

impl Reader {
    fn check<T>(&mut self, variable: &'static str, value: Result<T, impl ToString>) -> Option<T> {
        value.map_err(|error| self.0.push(Problem { variable, advice: error.to_string() })).ok()
    }

    /// Returns the value if there was no problem; it is `None` only if there was one.
    fn finish<T>(self, value: Option<T>) -> Result<T, SettingsError> {
        value.filter(|_| self.0.is_empty()).ok_or(SettingsError(self.0))
    }
}

/// The database's address from `DATABASE_URL` or `DATABASE_URL_FILE`. It may hold a password, so it is no flag.
pub fn database_url() -> Result<DatabaseUrl, SettingsError> {
    let mut reader = Reader::default();
    let url = read_database_url(&mut reader);
    reader.finish(url)
}

fn read_database_url(reader: &mut Reader) -> Option<DatabaseUrl> {
    secret::DATABASE_URL.check(reader, |url| url.as_deref().unwrap_or("sqlite:///data/panel.db").parse())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

impl RawSettings {
    /// The settings of the log; `default_level` if `RUST_LOG` is not set.
    pub fn logging(&self, default_level: &str) -> Result<Logging, SettingsError> {
        let mut reader = Reader::default();
        let directives = self.rust_log.as_deref().map(str::trim).filter(|directives| !directives.is_empty());
        let format = reader.check("LOG_FORMAT", self.log_format.parse());
        let filter = reader.check("RUST_LOG", Logging::filter(directives.unwrap_or(default_level)));
        let both = format.zip(filter).map(|(format, filter)| Logging { format, filter });
        reader.finish(both)
    }

    /// The settings of the proxy, its file and its links.
    pub fn proxy(&self) -> Result<ProxySettings, SettingsError> {
        let mut reader = Reader::default();
        let proxy = self.read_proxy(&mut reader);
        reader.finish(proxy)
    }

    /// The database, and the settings of the proxy.
    pub fn database_and_proxy(&self) -> Result<(DatabaseUrl, ProxySettings), SettingsError> {
        let mut reader = Reader::default();
        let database = read_database_url(&mut reader);
        let proxy = self.read_proxy(&mut reader);
        reader.finish(database.zip(proxy))
    }

    /// The database, and the address of the proxy's Prometheus metrics.
    pub fn database_and_metrics_url(&self) -> Result<(DatabaseUrl, String), SettingsError> {
        let mut reader = Reader::default();
        let database = read_database_url(&mut reader);
        let metrics_url = reader.check("TELEMT_METRICS_URL", http_url(&self.telemt_metrics_url));
        reader.finish(database.zip(metrics_url))
    }

    /// The address on which the service listens, and its base path, for a health check on this machine.
    pub fn own_address(&self) -> Result<(SocketAddr, String), SettingsError> {
        let mut reader = Reader::default();
        let listen = reader.check("LISTEN", socket_address(&self.listen));
        let base_path = reader.check("BASE_PATH", base_path(&self.base_path));
        let both = listen.zip(base_path);
        reader.finish(both)
    }

    /// All settings, for the running service.
    pub fn service(&self) -> Result<Settings, SettingsError> {
        let mut reader = Reader::default();
        let settings = self.read_service(&mut reader);
        reader.finish(settings)
    }

    fn read_proxy(&self, reader: &mut Reader) -> Option<ProxySettings> {
        let config_path = reader.check("TELEMT_CONFIG_PATH", config_path(&self.telemt_config_path));
        let host = reader.check("PROXY_HOST", self.proxy_host.trim().parse());
        let port = reader.check("PROXY_PORT", number(&self.proxy_port, 1, u16::MAX));
        let domain = reader.check("TLS_DOMAIN", self.tls_domain.trim().parse());
        let kind = reader.check("PROXY", proxy_kind(&self.proxy, &self.telemt_metrics_url));
        Some(ProxySettings {
            kind: kind?,
            config_path: config_path?,
            endpoint: Endpoint { host: host?, port: port?, domain: domain? },
        })
    }

    fn read_service(&self, reader: &mut Reader) -> Option<Settings> {
        let database = read_database_url(reader);
        let proxy = self.read_proxy(reader);
        let secret_key = secret::SECRET_KEY.check(reader, secret_key);
        let metrics_url = reader.check("TELEMT_METRICS_URL", http_url(&self.telemt_metrics_url));
        let api_url = self.telemt_api_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
        let api_url = reader.check("TELEMT_API_URL", api_url.map(http_url).transpose());
        let api_auth = secret::TELEMT_API_AUTH.check(reader, header_value);
        let seconds =
            reader.check("METRICS_SCRAPE_INTERVAL_SECONDS", number(&self.metrics_scrape_interval_seconds, 1, 3_600));
        let listen = reader.check("LISTEN", socket_address(&self.listen));
        let metrics_listen = reader.check("PANEL_METRICS_LISTEN", socket_address(&self.panel_metrics_listen));
        let minutes = reader.check("JWT_EXPIRE_MINUTES", number(&self.jwt_expire_minutes, 1, 60 * 24 * 30));
        let audit_days = reader.check("AUDIT_KEEP_DAYS", number(&self.audit_keep_days, 0_u64, 36_500));
        let trusted_proxies = reader.check("TRUSTED_PROXIES", networks(&self.trusted_proxies));
        let base_path = reader.check("BASE_PATH", base_path(&self.base_path));
        let api_docs = reader.check("API_DOCS", switch(&self.api_docs));
        Some(Settings {
            database: database?,
            proxy: proxy?,
            secret_key: secret_key?,
            metrics_url: metrics_url?,
            proxy_api: api_url?
                .zip(Some(api_auth?))
                .map(|(url, auth)| ProxyApi { url: url.trim_end_matches('/').to_owned(), auth }),
            scrape_interval: Duration::from_secs(seconds?),
            listen: listen?,
            metrics_listen: metrics_listen?,
            token_lifetime: Duration::from_secs(60 * minutes?),
            audit_kept_for: Some(audit_days?).filter(|days| *days > 0).map(|days| Duration::from_hours(24 * days)),
            trusted_proxies: trusted_proxies?,
            base_path: base_path?,
            api_docs: api_docs?,
        })
    }
}
