//! The dashboard's figures, settings and health.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::user::UserBody;
use super::{ConfigSyncBody, Moment};
use crate::app::App;
use crate::runtime::health::{ProxyState, Task};
use crate::runtime::warnings::Warning;
use crate::service::soon::Soon;
use crate::settings::{ProxyKind, ProxySettings, Settings};
use crate::store::DatabaseUrl;
use crate::store::users::User;

/// That the process lives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthBody {
    #[schema(example = "ok")]
    pub(in crate::http) status: &'static str,
}

/// Whether everything works; without details, because anybody may ask.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a probe of its own")]
pub(crate) struct ReadyBody {
    /// Whether the database answers and takes writes, the file is written and traffic can be counted.
    pub(in crate::http) ready: bool,
    /// Whether the database answers.
    pub(in crate::http) database: bool,
    /// Whether the database takes writes: false for example on a full disk.
    pub(in crate::http) database_writable: bool,
    /// Whether config.toml says what the database says.
    pub(in crate::http) config_sync: bool,
    /// Whether the last scrape of the proxy succeeded.
    pub(in crate::http) scrape: bool,
    /// Whether the proxy's last answer has the counters that accounting needs; true as long as it does not answer.
    pub(in crate::http) accounting: bool,
    pub(in crate::http) tasks: Vec<TaskAge>,
}

/// How long ago a periodic task succeeded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskAge {
    name: &'static str,
    #[schema(required)]
    last_success: Option<Moment>,
    #[schema(required)]
    age_seconds: Option<i64>,
    /// Whether it failed since.
    failing: bool,
}

/// A periodic task.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskBody {
    #[serde(flatten)]
    age: TaskAge,
    /// Why it failed.
    #[schema(required)]
    failure: Option<String>,
}

/// The ages of every task.
pub(in crate::http) fn task_ages(app: &App) -> Vec<TaskAge> {
    Task::ALL.into_iter().map(|task| task_age(app, task)).collect()
}

fn task_age(app: &App, task: Task) -> TaskAge {
    let state = app.health.task(task);
    TaskAge {
        name: task.as_str(),
        age_seconds: state.last_success.map(|at| (app.clock.now() - at).num_seconds().max(0)),
        last_success: state.last_success.map(Moment),
        failing: state.failure.is_some(),
    }
}

/// Every task with its failure.
pub(in crate::http) fn tasks(app: &App) -> Vec<TaskBody> {
    Task::ALL
        .into_iter()
        .map(|task| TaskBody { age: task_age(app, task), failure: app.health.task(task).failure })
        .collect()
}

/// The dashboard's figures.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatsBody {
    /// Seconds since the proxy's start, at the last good scrape; null before the first.
    #[schema(required)]
    pub(in crate::http) uptime: Option<f64>,
    /// Connections since its start.
    #[schema(required)]
    pub(in crate::http) total_connections: Option<i64>,
    /// Those of them without a valid secret.
    #[schema(required)]
    pub(in crate::http) bad_connections: Option<i64>,
    /// Open connections of the users that the administrator sees; null if it is not known.
    #[schema(required)]
    pub(in crate::http) connections: Option<i64>,
    /// How many of these users have a connection; null if it is not known.
    #[schema(required)]
    pub(in crate::http) online: Option<i64>,
    pub(in crate::http) users: UserCounts,
    /// The 100 users with the most traffic.
    pub(in crate::http) user_traffic: Vec<UserTraffic>,
    pub(in crate::http) proxy: ProxyBody,
    pub(in crate::http) config_sync: ConfigSyncBody,
    /// When the panel changed the proxy's file last; null if it has not since its start.
    #[schema(required)]
    pub(in crate::http) config_written_at: Option<Moment>,
    pub(in crate::http) tasks: Vec<TaskBody>,
    /// Warnings: conditions that stop nothing and that the operator should know of.
    pub(in crate::http) warnings: Vec<WarningBody>,
    pub(in crate::http) panel: PanelBody,
}

/// Users whose time or traffic is nearly used up, at most 10 in each list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SoonBody {
    /// Those who expire within a week; the next first.
    by_time: Vec<UserBody>,
    /// Those who have used 80 % of their limit or more; the fullest first.
    by_traffic: Vec<UserBody>,
}

impl From<Soon> for SoonBody {
    fn from(soon: Soon) -> Self {
        let bodies = |users: Vec<User>| users.into_iter().map(UserBody::from).collect();
        Self { by_time: bodies(soon.by_time), by_traffic: bodies(soon.by_traffic) }
    }
}

/// What is configured, without secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SettingsBody {
    /// Host in the links.
    proxy_host: String,
    /// Port in the links.
    proxy_port: u16,
    /// Domain that the proxy pretends to be.
    tls_domain: String,
    proxy: ProxyWord,
    /// The proxy's file.
    config_path: String,
    database: DatabaseWord,
    /// Seconds between two readings of the proxy's metrics.
    scrape_interval_seconds: u64,
    /// Seconds for which an access token is valid.
    token_lifetime_seconds: u64,
}

/// Which proxy runs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ProxyWord {
    /// A program of its own.
    External,
    /// The panel.
    Embedded,
}

/// Where the data is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DatabaseWord {
    /// In a file.
    Sqlite,
    /// On a server.
    Postgres,
}

impl From<&Settings> for SettingsBody {
    fn from(settings: &Settings) -> Self {
        let ProxySettings { kind, config_path, endpoint } = &settings.proxy;
        Self {
            proxy_host: endpoint.host.to_string(),
            proxy_port: endpoint.port,
            tls_domain: endpoint.domain.as_str().to_owned(),
            proxy: match kind {
                ProxyKind::External => ProxyWord::External,
                ProxyKind::Embedded { .. } => ProxyWord::Embedded,
            },
            config_path: config_path.display().to_string(),
            database: match settings.database {
                DatabaseUrl::Sqlite(_) => DatabaseWord::Sqlite,
                DatabaseUrl::Postgres(_) => DatabaseWord::Postgres,
            },
            scrape_interval_seconds: settings.scrape_interval.as_secs(),
            token_lifetime_seconds: settings.token_lifetime.as_secs(),
        }
    }
}

/// Users by status.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserCounts {
    pub(crate) total: i64,
    pub(crate) active: i64,
    pub(crate) disabled: i64,
    pub(crate) limited: i64,
    pub(crate) expired: i64,
}

/// One user's traffic.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserTraffic {
    username: String,
    /// Bytes since the last reset, both directions.
    data_used: i64,
    #[schema(required)]
    data_limit: Option<i64>,
    connections: i64,
    unique_ips: i64,
}

impl From<User> for UserTraffic {
    fn from(user: User) -> Self {
        Self {
            username: user.username.to_string(),
            data_used: user.profile.data_used,
            data_limit: user.profile.limits.numbers().data,
            connections: user.connections,
            unique_ips: user.unique_ips,
        }
    }
}

/// The state of the proxy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProxyBody {
    state: ProxyStateWord,
    #[schema(required)]
    version: Option<String>,
    /// Whether it leaves out the series of some users; nothing is concluded from what is missing then.
    suppressed: bool,
    #[schema(required)]
    scraped_at: Option<Moment>,
    #[schema(required)]
    scrape_age_seconds: Option<i64>,
    /// Why the last scrape failed.
    #[schema(required)]
    failure: Option<String>,
    /// Whether it runs with the file as the panel wrote it; null if it cannot be told.
    #[schema(required)]
    config_accepted: Option<bool>,
    /// Why it refuses the file, with line and column; only the built-in proxy tells.
    #[schema(required)]
    config_failure: Option<String>,
    /// When it refused it.
    #[schema(required)]
    config_failed_at: Option<Moment>,
}

/// Whether the proxy answers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ProxyState)]
pub(crate) enum ProxyStateWord {
    /// It answered the last scrape.
    Ok,
    /// It did not.
    Unreachable,
    /// It was not asked yet.
    Unknown,
}

impl From<ProxyState> for ProxyStateWord {
    fn from(state: ProxyState) -> Self {
        match state {
            ProxyState::Up => Self::Ok,
            ProxyState::Unreachable => Self::Unreachable,
            ProxyState::Unknown => Self::Unknown,
        }
    }
}

impl ProxyBody {
    pub(in crate::http) fn new(app: &App) -> Self {
        let view = app.health.proxy();
        let refusal = app.health.file_refusal();
        Self {
            state: app.health.proxy_state().into(),
            suppressed: view.as_ref().is_some_and(|view| view.suppressed),
            scraped_at: view.as_ref().map(|view| Moment(view.at)),
            scrape_age_seconds: view.as_ref().map(|view| (app.clock.now() - view.at).num_seconds().max(0)),
            version: view.and_then(|view| view.version),
            failure: app.health.task(Task::Scrape).failure,
            config_accepted: app.health.is_file_accepted(),
            config_failed_at: refusal.as_ref().and_then(|refusal| refusal.last_failure_at).map(Moment),
            config_failure: refusal.and_then(|refusal| refusal.last_failure),
        }
    }
}

/// A condition that stops nothing and that the operator should know of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WarningBody {
    /// Its name, which does not change between versions.
    #[schema(example = "tls_domain_differs")]
    code: &'static str,
    /// `info`: worth knowing; `warning`: something does not work as expected.
    #[schema(example = "warning")]
    level: &'static str,
    /// Its values by name.
    params: BTreeMap<&'static str, String>,
    /// What it is and what to do, in English.
    detail: String,
}

impl From<Warning> for WarningBody {
    fn from(warning: Warning) -> Self {
        Self {
            code: warning.code(),
            level: warning.level().as_str(),
            params: warning.params(),
            detail: warning.to_string(),
        }
    }
}

/// The panel itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PanelBody {
    pub(in crate::http) version: &'static str,
}
