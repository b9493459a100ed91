//! A panel as a process, which can be killed and started again over the same database and file.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use mtpannel::store::{DatabaseUrl, Store};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fake_proxy::FakeProxy;

const PASSWORD: &str = "a long password";
/// How long something may take that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a panel works with; outlives every process.
pub struct Site {
    pub folder: TempDir,
    database: String,
    metrics_url: String,
    client: reqwest::Client,
}

impl Site {
    /// A site with the administrator `root`.
    pub fn new(folder: TempDir, database: String, proxy: &FakeProxy) -> Self {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let site = Self { folder, database, metrics_url: proxy.url(), client };
        let mut create = site.command(&["admin", "create", "root", "--sudo", "--unless-any", "--password-stdin"]);
        let mut create = create.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        create.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(create.wait().unwrap().success());
        site
    }

    pub fn config_path(&self) -> PathBuf {
        self.folder.path().join("telemt/config.toml")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mtpannel"));
        command.args(arguments).env_clear().current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let config = self.config_path().display().to_string();
        command.envs([
            ("DATABASE_URL", self.database.as_str()),
            ("TELEMT_CONFIG_PATH", &config),
            ("TELEMT_METRICS_URL", &self.metrics_url),
            ("METRICS_SCRAPE_INTERVAL_SECONDS", "1"),
            // The same in every life, so that tokens outlive them.
            ("SECRET_KEY", "0123456789abcdef0123456789abcdef-faults"),
            ("LISTEN", "127.0.0.1:0"),
            ("PANEL_METRICS_LISTEN", "127.0.0.1:0"),
            ("PROXY_HOST", "proxy.example.com"),
            ("TLS_DOMAIN", "example.com"),
        ]);
        command
    }

    /// Starts a process; it may not serve yet.
    pub fn start(&self) -> Panel {
        self.spawn(self.command(&["serve"]))
    }

    /// The same for one that can write no file of more than so many KiB, as on a disk that is full.
    pub fn start_on_a_full_disk(&self, kib: u64) -> Panel {
        let serve = self.command(&["serve"]);
        let mut command = Command::new("sh");
        // In blocks of 512 bytes. Without the trap a write beyond the limit would not fail, but end the process.
        command.args(["-c", "trap '' XFSZ && ulimit -f $0 && exec \"$1\" serve"]).arg((2 * kib).to_string());
        command.arg(serve.get_program()).env_clear().current_dir(self.folder.path());
        command.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.spawn(command)
    }

    /// The same for one whose database, an SQLite file in the folder `disk` of the site, is on a disk of so many KiB of its own.
    /// Nobody else sees that disk but through [`Panel::disk`].
    pub fn start_on_a_small_disk(&self, kib: u64) -> Panel {
        let serve = self.command(&["serve"]);
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-euc"]).arg(
            "cp -a disk moved && mount -t tmpfs -o size=\"$0\"k none disk && cp -a moved/. disk && exec \"$1\" serve",
        );
        command.arg(kib.to_string()).arg(serve.get_program()).env_clear().current_dir(self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.spawn(command)
    }

    /// Whether the program's own health check finds the service well.
    pub fn is_healthy(&self, panel: &Panel) -> bool {
        let mut check = self.command(&["healthcheck"]);
        check
            .env("LISTEN", panel.api.url.trim_start_matches("http://"))
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    fn spawn(&self, mut command: Command) -> Panel {
        let log = self.folder.path().join(format!("log-{}", crate::random(u64::MAX)));
        let child = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        let api = Api { url: String::new(), token: String::new(), client: self.client.clone() };
        Panel { child, log, api }
    }

    /// Starts a process and waits until it serves and the file says what the database says.
    pub async fn start_and_wait(&self) -> Panel {
        let mut panel = self.start();
        panel.is_ready().await;
        panel
    }

    /// The database, from outside the panel.
    pub async fn store(&self) -> Store {
        let url: DatabaseUrl = self.database.parse().unwrap();
        Store::open(&url, chrono::DateTime::UNIX_EPOCH).await.unwrap()
    }
}

/// The API of a process, which may be gone already.
#[derive(Clone)]
pub struct Api {
    url: String,
    token: String,
    client: reqwest::Client,
}

impl Api {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    pub async fn create(&self, name: &str, mut fields: Value) -> reqwest::Result<(StatusCode, Value)> {
        fields["username"] = name.into();
        let answer = self.request(Method::POST, "/api/users").json(&fields).send().await?;
        Ok((answer.status(), answer.json().await?))
    }
}

/// A running process; killed at the end at the latest.
pub struct Panel {
    child: Child,
    log: PathBuf,
    pub api: Api,
}

impl Panel {
    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it serves, and logs in.
    pub async fn serves(&mut self) {
        eventually("the address in the log", async || self.log().contains("the API is at ")).await;
        let log = self.log();
        let line = log.lines().find(|line| line.contains("the API is at ")).unwrap();
        let (_, address) = line.split_once("the API is at ").unwrap();
        address.split_whitespace().next().unwrap().clone_into(&mut self.api.url);
        let body = json!({"username": "root", "password": PASSWORD});
        let answer = self.api.request(Method::POST, "/api/admin/token").json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().clone_into(&mut self.api.token);
    }

    /// Waits until it serves and the file says what the database says.
    pub async fn is_ready(&mut self) {
        self.serves().await;
        eventually("readiness", async || {
            let ready = self.api.request(Method::GET, "/health/ready").send().await.unwrap();
            ready.json::<Value>().await.unwrap()["config_sync"] == true
        })
        .await;
    }

    /// What is in a folder of the site as the process sees it.
    pub fn disk(&self, folder: &std::path::Path) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.child.id(), folder.display()))
    }

    /// Logs in, or gives the status of the refusal.
    pub async fn login(&self) -> StatusCode {
        let body = json!({"username": "root", "password": PASSWORD});
        self.api.request(Method::POST, "/api/admin/token").json(&body).send().await.unwrap().status()
    }

    /// The answer of `/health/ready`.
    pub async fn readiness(&self) -> (StatusCode, Value) {
        let ready = self.api.request(Method::GET, "/health/ready").send().await.unwrap();
        (ready.status(), ready.json().await.unwrap())
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and does not wait for it.
    pub fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// How it ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `holds`, and fails the test if it does not come to that.
pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
