//! The dashboard's figures, health, history and the audit log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::user::UserBody;
use super::{ConfigSyncBody, Moment};
use crate::app::App;
use crate::http::problem::Problem;
use crate::service::ConfigSync;
use crate::service::health::Task;
use crate::service::history::{Range, Step};
use crate::service::soon::Soon;
use crate::settings::{ProxyKind, ProxySettings, Settings};
use crate::store::DatabaseUrl;
use crate::store::audit::{Deed, Filter};
use crate::store::traffic::Moved;
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
    /// Whether the database answers and the file is written.
    pub(in crate::http) ready: bool,
    pub(in crate::http) database: bool,
    /// Whether config.toml says what the database says.
    pub(in crate::http) config_sync: bool,
    /// Whether the last scrape of the proxy succeeded.
    pub(in crate::http) scrape: bool,
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
        age_seconds: state.last_success.map(|at| (app.clock.now() - at).num_seconds()),
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
    /// Those of them that brought no right secret.
    #[schema(required)]
    pub(in crate::http) bad_connections: Option<i64>,
    /// Open sessions of all users; null if it is not known.
    #[schema(required)]
    pub(in crate::http) connections: Option<i64>,
    /// Users with a session; null if it is not known.
    #[schema(required)]
    pub(in crate::http) online: Option<u64>,
    pub(in crate::http) users: UserCounts,
    /// The 100 users with the most traffic.
    pub(in crate::http) user_traffic: Vec<UserTraffic>,
    pub(in crate::http) proxy: ProxyBody,
    pub(in crate::http) config_sync: ConfigSyncBody,
    /// When the panel changed the proxy's file last; null if it has not since its start.
    #[schema(required)]
    pub(in crate::http) config_written_at: Option<Moment>,
    pub(in crate::http) tasks: Vec<TaskBody>,
    pub(in crate::http) panel: PanelBody,
}

/// Users who are about to lose service, at most 10 in each list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SoonBody {
    /// Their time ends within a week; the next first.
    by_time: Vec<UserBody>,
    /// They have used 80 % of their traffic or more; the fullest first.
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

/// Who runs the proxy.
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
            proxy_host: endpoint.host.clone(),
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
            data_used: user.data_used,
            data_limit: user.data_limit,
            connections: user.connections,
            unique_ips: user.unique_ips,
        }
    }
}

/// How the proxy is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProxyBody {
    state: ProxyState,
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
}

/// How the proxy is, in a word.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProxyState {
    /// It answered the last scrape.
    Ok,
    /// It did not.
    Unreachable,
    /// It was not asked yet.
    Unknown,
}

impl ProxyBody {
    pub(in crate::http) fn new(app: &App) -> Self {
        let (view, failure) = (app.health.proxy(), app.health.task(Task::Scrape).failure);
        let state = match (&view, &failure) {
            (_, Some(_)) => ProxyState::Unreachable,
            (Some(_), None) => ProxyState::Ok,
            (None, None) => ProxyState::Unknown,
        };
        Self {
            state,
            suppressed: view.as_ref().is_some_and(|view| view.suppressed),
            scraped_at: view.as_ref().map(|view| Moment(view.at)),
            scrape_age_seconds: view.as_ref().map(|view| (app.clock.now() - view.at).num_seconds().max(0)),
            version: view.and_then(|view| view.version),
            failure,
            config_accepted: app.health.is_file_accepted(),
            config_failure: app.health.file_refusal(),
        }
    }
}

/// The panel itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PanelBody {
    pub(in crate::http) version: &'static str,
}

/// How the file stands, outside a mutation.
pub(in crate::http) fn config_sync(app: &App) -> ConfigSyncBody {
    let outcome = app.sync.outcome();
    let sync = match (outcome.failure, outcome.written) {
        (Some(failure), _) => ConfigSync::Pending(failure.detail),
        (None, Some(_)) => ConfigSync::Applied,
        (None, None) => ConfigSync::Pending("not written yet since the start".into()),
    };
    sync.into()
}

/// Which part of the history.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Beginning, with a zone; a day before the end if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Moment>,
    /// End, exclusive; now if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Moment>,
    /// Width of the points; `hour` for up to two days and `day` for more if absent.
    #[param(inline)]
    step: Option<StepWord>,
}

/// Width of the points of a history, UTC.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StepWord {
    /// As it is stored: by scrape for a day, then by the hour, after 30 days by the day.
    Stored,
    /// By the hour.
    Hour,
    /// By the day.
    Day,
}

impl HistoryQuery {
    pub(in crate::http) fn range(self, now: DateTime<Utc>) -> Result<Range, Problem> {
        let step = self.step.map(|step| match step {
            StepWord::Stored => Step::Stored,
            StepWord::Hour => Step::Hour,
            StepWord::Day => Step::Day,
        });
        Ok(Range::new(self.from.map(|from| from.0), self.to.map(|to| to.0), step, now)?)
    }
}

/// Traffic over time; steps in which nothing moved are left out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct History {
    points: Vec<Point>,
}

/// Bytes that moved in one step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Point {
    /// Beginning of the step.
    at: Moment,
    /// Bytes from the clients.
    octets_from: i64,
    /// Bytes to the clients.
    octets_to: i64,
}

impl From<Vec<Moved>> for History {
    fn from(rows: Vec<Moved>) -> Self {
        let point = |moved: Moved| Point {
            at: Moment(moved.recorded_at),
            octets_from: moved.octets_from,
            octets_to: moved.octets_to,
        };
        Self { points: rows.into_iter().map(point).collect() }
    }
}

/// Which part of the audit log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Entries to skip.
    #[param(minimum = 0, default = 0)]
    pub(in crate::http) offset: Option<i64>,
    /// Entries to show.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    pub(in crate::http) limit: Option<i64>,
    /// Name of who did it, in any case.
    #[param(pattern = r"^[^\u0000]*$")]
    actor: Option<String>,
    /// What was done, such as `user.create`.
    #[param(pattern = r"^[^\u0000]*$")]
    action: Option<String>,
    /// On whom, in any case.
    #[param(pattern = r"^[^\u0000]*$")]
    target: Option<String>,
}

impl AuditQuery {
    pub(in crate::http) fn filter(self) -> Result<Filter, Problem> {
        for (field, value) in [("actor", &self.actor), ("action", &self.action), ("target", &self.target)] {
            if value.as_ref().is_some_and(|value| value.contains('\0')) {
                return Err(Problem::invalid_field(field, "may not hold a NUL character"));
            }
        }
        Ok(Filter { actor: self.actor, action: self.action, target: self.target })
    }
}

/// A page of the audit log, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    pub(in crate::http) entries: Vec<AuditEntry>,
    /// How many match in all.
    pub(in crate::http) total: i64,
}

/// One deed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// Grows with every deed.
    id: i64,
    at: Moment,
    /// Name of the administrator; `command line`; `-` for a failed login.
    actor: String,
    #[schema(required)]
    address: Option<String>,
    #[schema(example = "user.update")]
    action: String,
    #[schema(required)]
    target: Option<String>,
    /// The fields that changed, before; secrets are masked.
    #[schema(required, value_type = Option<Object>)]
    before: Option<Value>,
    /// The same fields, after.
    #[schema(required, value_type = Option<Object>)]
    after: Option<Value>,
}

impl From<Deed> for AuditEntry {
    fn from(deed: Deed) -> Self {
        let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        Self {
            id: deed.id,
            at: Moment(deed.at),
            actor: deed.actor,
            address: deed.address,
            action: deed.action,
            target: deed.target,
            before: json(deed.before),
            after: json(deed.after),
        }
    }
}
