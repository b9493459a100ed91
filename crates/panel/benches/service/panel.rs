//! The built program in a folder of its own.

use std::fs::File;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

const PASSWORD: &str = "a long password for the bench";
/// Longest wait for the panel to begin or to end.
const PATIENCE: Duration = Duration::from_mins(1);
/// Ticks in which Linux tells processor time.
const TICKS_PER_SECOND: f64 = 100.0;

/// Folder and environment of the program.
pub(crate) struct Place {
    folder: TempDir,
    metrics_url: String,
}

/// The program as it serves; it is killed if it is dropped before [`Panel::stop`].
pub(crate) struct Panel {
    child: Child,
    address: SocketAddr,
    metrics_address: SocketAddr,
    client: Client,
    pub(crate) token: String,
    /// From its start to its first answer.
    pub(crate) first_answer: Duration,
    /// From its start until the file was written and the proxy read.
    pub(crate) settled: Duration,
}

/// Resident bytes of a process.
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

impl Place {
    /// On the disk on which the program was built, because elsewhere `/tmp` may be none.
    pub(crate) fn new(metrics_url: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        Ok(Self { folder, metrics_url: metrics_url.to_owned() })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path("panel.db")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("telemt/config.toml")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mtpannel"));
        command
            .args(arguments)
            .env_clear()
            .current_dir(self.folder.path())
            .env("SECRET_KEY", "5f0c8a9b7d6e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e")
            .env("PROXY_HOST", "proxy.example.com")
            .env("TLS_DOMAIN", "example.com")
            .env("DATABASE_URL", "sqlite:///panel.db")
            .env("TELEMT_CONFIG_PATH", "telemt/config.toml")
            .env("TELEMT_METRICS_URL", &self.metrics_url);
        command
    }

    /// Schema and administrator.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        self.run(&["migrate"], "")?;
        self.run(&["admin", "create", "bench", "--sudo", "--password-stdin"], PASSWORD)
    }

    fn run(&self, arguments: &[&str], input: &str) -> anyhow::Result<()> {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        child.stdin.take().context("it has an input")?.write_all(input.as_bytes())?;
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "mtpannel {} failed: {said}", arguments.join(" "));
        Ok(())
    }

    /// Starts the service and waits until it has nothing more to do.
    pub(crate) async fn start(&self, scrape_seconds: u64) -> anyhow::Result<Panel> {
        let [address, metrics_address] = free_addresses()?;
        let log = File::create(self.path("panel.log"))?;
        let mut command = self.command(&["serve"]);
        command
            .env("LISTEN", address.to_string())
            .env("PANEL_METRICS_LISTEN", metrics_address.to_string())
            .env("METRICS_SCRAPE_INTERVAL_SECONDS", scrape_seconds.to_string())
            .env("JWT_EXPIRE_MINUTES", "600")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let began = Instant::now();
        let child = command.spawn()?;
        let client = Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let mut panel = Panel {
            child,
            address,
            metrics_address,
            client,
            token: String::new(),
            first_answer: Duration::ZERO,
            settled: Duration::ZERO,
        };
        let outcome = panel.begin(began).await;
        outcome.with_context(|| std::fs::read_to_string(self.path("panel.log")).unwrap_or_default())?;
        Ok(panel)
    }
}

/// Two ports of loopback that were free a moment ago.
fn free_addresses() -> anyhow::Result<[SocketAddr; 2]> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok([listeners[0].local_addr()?, listeners[1].local_addr()?])
}

impl Drop for Panel {
    fn drop(&mut self) {
        // After an orderly end both do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Panel {
    async fn begin(&mut self, began: Instant) -> anyhow::Result<()> {
        let health = self.url("/health");
        while self.client.get(&health).send().await.is_err() {
            ensure!(self.child.try_wait()?.is_none(), "it has ended");
            ensure!(began.elapsed() < PATIENCE, "it does not answer");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.first_answer = began.elapsed();
        while !self.is_settled().await? {
            ensure!(began.elapsed() < PATIENCE, "it does not become ready");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.settled = began.elapsed();
        self.token = self.login().await?;
        Ok(())
    }

    async fn is_settled(&self) -> anyhow::Result<bool> {
        let text = self.client.get(self.url("/health/ready")).send().await?.text().await?;
        let ready: Value = serde_json::from_str(&text)?;
        Ok(["config_sync", "scrape"].iter().all(|probe| ready[probe] == true))
    }

    async fn login(&self) -> anyhow::Result<String> {
        let body = json!({"username": "bench", "password": PASSWORD});
        let answer = self.client.post(self.url("/api/admin/token")).json(&body).send().await?.error_for_status()?;
        let answer: Value = answer.json().await?;
        Ok(answer["access_token"].as_str().context("a login gives a token")?.to_owned())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<String> {
        let answer = self.client.get(self.url(path)).bearer_auth(&self.token).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.client.post(self.url(path)).bearer_auth(&self.token).json(body).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// The panel's own metrics.
    pub(crate) async fn own_metrics(&self) -> anyhow::Result<String> {
        let answer = self.client.get(format!("http://{}/metrics", self.metrics_address)).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kibibytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            let number = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next()?.parse().ok());
            number.map(|kibibytes: u64| kibibytes << 10).with_context(|| format!("/proc shows no {field}"))
        };
        Ok(Memory { now: kibibytes("VmRSS")?, peak: kibibytes("VmHWM")? })
    }

    /// Has the next peak count from now on.
    pub(crate) fn forget_peak(&self) -> anyhow::Result<()> {
        Ok(std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    /// Processor time that it has used, seconds.
    pub(crate) fn processor_time(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold anything; user and system time are the 12th and 13th field after it.
        let (_, fields) = stat.rsplit_once(')').context("/proc shows a name")?;
        let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
        Ok(ticks.collect::<Result<Vec<_>, _>>()?.into_iter().map(f64::from).sum::<f64>() / TICKS_PER_SECOND)
    }

    /// Ends it as an operator does.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(told.success(), "it could not be told to end");
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "it ended with {status}");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("it does not end")
    }
}
