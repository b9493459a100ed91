//! A whole panel in the test's process, over a real database and a real directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use mtpannel::clock::Clock;
use mtpannel::runtime::password::Passwords;
use mtpannel::serve::{self, Running};
use mtpannel::service::admins::{self, NewAdmin};
use mtpannel::settings::{ProxyKind, ProxySettings, Settings};
use mtpannel::store::Store;
use mtpannel_core::audit::By;
use mtpannel_core::link::Endpoint;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

pub mod database;
pub mod fake_proxy;
mod whole;

pub use database::Engine;
pub use fake_proxy::FakeProxy;

pub const KEY: &str = "0123456789abcdef0123456789abcdef-test";
pub const PASSWORD: &str = "a long password";
/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A clock that runs, and that a test may set.
#[derive(Debug, Clone, Default)]
pub struct TestClock {
    ahead: Arc<AtomicI64>,
    /// For how long the machine was suspended, in milliseconds.
    suspended: Arc<AtomicI64>,
}

impl TestClock {
    /// Sets the clock, backward too.
    pub fn advance(&self, by: TimeDelta) {
        self.ahead.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }

    /// What all clocks show after the machine was suspended: those that count the time for which it runs stand still.
    pub fn suspend(&self, time: TimeDelta) {
        self.advance(time);
        self.suspended.fetch_add(time.num_milliseconds(), Ordering::SeqCst);
    }

    #[expect(clippy::disallowed_methods, reason = "the test's clock runs with the system's")]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.ahead.load(Ordering::SeqCst))
    }

    fn clock(&self) -> Clock {
        let (this, that) = (self.clone(), self.clone());
        let system = Clock::system();
        let steady = move || {
            let mut clocks = system.steady()?;
            clocks.real += TimeDelta::milliseconds(that.suspended.load(Ordering::SeqCst)).as_seconds_f64();
            Some(clocks)
        };
        Clock::with_steady(move || this.now(), steady)
    }
}

pub struct TestApp {
    pub folder: Arc<TempDir>,
    pub clock: TestClock,
    pub proxy: Arc<FakeProxy>,
    pub settings: Settings,
    pub running: Option<Running>,
    /// A token of the sudo administrator `root`.
    pub sudo: String,
    client: reqwest::Client,
}

impl TestApp {
    /// A panel with one sudo administrator, `root`.
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, |_, _| {}).await
    }

    /// The same, after `prepare` has put something into the folder or changed a setting.
    pub async fn start_with(engine: Engine, prepare: impl FnOnce(&Path, &mut Settings)) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let proxy = Arc::new(FakeProxy::start().await);
        let mut settings = settings(&folder, engine.fresh(folder.path()).await.parse().unwrap(), &proxy);
        prepare(folder.path(), &mut settings);
        let clock = TestClock::default();
        create_admin(&settings, "root", true, clock.now()).await;
        Self::over(folder, proxy, settings, clock).await
    }

    async fn over(folder: Arc<TempDir>, proxy: Arc<FakeProxy>, settings: Settings, clock: TestClock) -> Self {
        let running = serve::start(settings.clone(), clock.clock()).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut app = Self { folder, clock, proxy, settings, running: Some(running), sudo: String::new(), client };
        app.sudo = app.login("root").await;
        app
    }

    /// Stops the panel in order and starts it again over the same files.
    pub async fn restart(&mut self) {
        self.running.take().unwrap().stop().await;
        let running = serve::start(self.settings.clone(), self.clock.clock()).await.unwrap();
        self.running = Some(running);
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub fn store(&self) -> &Store {
        &self.running().app.store
    }

    pub fn config_path(&self) -> PathBuf {
        self.settings.proxy.config_path.clone()
    }

    pub fn config(&self) -> String {
        std::fs::read_to_string(self.config_path()).unwrap()
    }

    /// The file as data.
    pub fn config_data(&self) -> toml_edit::DocumentMut {
        self.config().parse().unwrap()
    }

    /// The value of `[access.<table>] <name>` as it stands in the file.
    pub fn access(&self, table: &str, name: &str) -> Option<String> {
        let data = self.config_data();
        data.get("access")?.get(table)?.get(name).map(|item| item.to_string().trim().trim_matches('"').to_owned())
    }

    pub async fn create_admin(&self, name: &str, is_sudo: bool) -> String {
        let body = json!({"username": name, "password": PASSWORD, "is_sudo": is_sudo});
        self.post("/api/admins", &body).await.expect(StatusCode::CREATED).await;
        self.login(name).await
    }

    pub async fn login(&self, name: &str) -> String {
        let body = json!({"username": name, "password": PASSWORD});
        let answer = self.request(Method::POST, "/api/admin/token").json(&body).send().await.unwrap();
        answer.expect(StatusCode::OK).await["access_token"].as_str().unwrap().to_owned()
    }

    /// A request without a token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let base_path = if path.starts_with("/api") { &self.settings.base_path } else { "" };
        self.client.request(method, format!("http://{}{base_path}{path}", self.running().address))
    }

    /// A request of `root`.
    pub fn sudo(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&self.sudo)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.sudo(Method::GET, path).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.sudo(Method::POST, path).json(body).send().await.unwrap()
    }

    pub async fn put(&self, path: &str, body: &Value) -> Response {
        self.sudo(Method::PUT, path).json(body).send().await.unwrap()
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.sudo(Method::DELETE, path).send().await.unwrap()
    }

    /// Creates a user; `fields` are added to the name.
    pub async fn create_user(&self, name: &str, fields: Value) -> Value {
        let mut body = json!({"username": name});
        body.as_object_mut().unwrap().extend(fields.as_object().cloned().unwrap_or_default());
        self.post("/api/users", &body).await.expect(StatusCode::CREATED).await
    }

    pub async fn user(&self, name: &str) -> Value {
        self.get(&format!("/api/users/{name}")).await.expect(StatusCode::OK).await
    }

    /// Waits until a scrape that was begun after this call has been recorded.
    pub async fn scraped(&self) {
        let before = self.proxy.change(|figures| figures.asked);
        // The scrape that is under way may have begun before; the one after it has not.
        eventually("two scrapes", async || self.proxy.change(|figures| figures.asked) >= before + 2).await;
        let asked = self.proxy.change(|figures| figures.asked);
        eventually("the end of the scrape", async || self.proxy.change(|figures| figures.asked) > asked).await;
    }
}

pub fn settings(folder: &TempDir, database: mtpannel::store::DatabaseUrl, proxy: &FakeProxy) -> Settings {
    Settings {
        database,
        proxy: ProxySettings {
            kind: ProxyKind::External,
            config_path: folder.path().join("telemt/config.toml"),
            endpoint: Endpoint {
                host: "proxy.example.com".parse().unwrap(),
                port: 443,
                domain: "example.com".parse().unwrap(),
            },
        },
        secret_key: KEY.into(),
        metrics_url: proxy.url(),
        proxy_api: None,
        scrape_interval: Duration::from_millis(50),
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics_listen: "127.0.0.1:0".parse().unwrap(),
        token_lifetime: Duration::from_hours(1),
        audit_kept_for: Some(Duration::from_hours(24 * 365)),
        trusted_proxies: Vec::new(),
        base_path: String::new(),
        api_docs: true,
    }
}

/// Creates an administrator as the command line does.
pub async fn create_admin(settings: &Settings, name: &str, is_sudo: bool, now: DateTime<Utc>) {
    let store = Store::open(&settings.database, now).await.unwrap();
    let hash = Passwords::default().hash(PASSWORD.into()).await;
    let admin = NewAdmin { username: &name.parse().unwrap(), hash: &hash, is_sudo, now };
    admins::insert(&store, &By::CommandLine, &admin).await.unwrap();
    store.close().await;
}

/// Waits until `holds`, and fails the test if it does not come to that.
pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What tests ask of an answer.
pub trait Answer {
    /// Its JSON body (null if empty), if it has this status.
    fn expect(self, status: StatusCode) -> impl Future<Output = Value>;
    /// Its problem document, if it is one with this status and code.
    fn problem(self, status: StatusCode, code: &str) -> impl Future<Output = Value>;
}

impl Answer for Response {
    async fn expect(self, status: StatusCode) -> Value {
        let (found, text) = (self.status(), self.text().await.unwrap());
        assert_eq!(found, status, "{text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    async fn problem(self, status: StatusCode, code: &str) -> Value {
        let kind = self.headers()["content-type"].clone();
        let body = self.expect(status).await;
        assert_eq!(kind, "application/problem+json", "{body}");
        assert_eq!(body["status"], status.as_u16());
        assert_eq!(body["code"], code, "{body}");
        assert!(body["title"].is_string() && body["detail"].is_string() && body["type"].is_string(), "{body}");
        body
    }
}
