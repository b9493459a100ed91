//! The built program in a directory and an environment of its own.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Its standard output, if it succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// Its standard error, if it failed with 1 and printed nothing else.
    #[track_caller]
    pub fn failed(self) -> String {
        assert_eq!(self.code, 1, "{self:?}");
        assert!(self.stderr.contains("error: "), "{self:?}");
        self.stderr
    }
}

/// A directory with a database in it, and an environment that knows nothing else.
pub struct Place {
    pub folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Self { folder, variables: Vec::new() };
        place.set("DATABASE_URL", "sqlite:///panel.db");
        place.set("TELEMT_CONFIG_PATH", "config.toml");
        // Nobody listens there.
        place.set("TELEMT_METRICS_URL", "http://127.0.0.1:1/metrics");
        place.set("PROXY_HOST", "proxy.example.com");
        place.set("TLS_DOMAIN", "example.com");
        place
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(present, _)| present != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn database(&self) -> PathBuf {
        self.path("panel.db")
    }

    /// The program with these arguments, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mtpannel"));
        command.args(arguments).env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        finished(self.command(arguments).output().unwrap())
    }

    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        finished(child.wait_with_output().unwrap())
    }

    /// A connection to the database file, for what no command does.
    pub async fn connect(&self) -> sqlx::SqliteConnection {
        connect(&self.database()).await
    }
}

/// A panel that serves in a place; killed with the test unless it was ended before.
pub struct Panel {
    child: Child,
    pub address: String,
    pub metrics_address: String,
    log: PathBuf,
}

impl Panel {
    /// Starts it and waits until it has written the file.
    pub fn start(place: &mut Place) -> Self {
        let (address, metrics_address) = (free_address(), free_address());
        place.set("LISTEN", &address);
        place.set("PANEL_METRICS_LISTEN", &metrics_address);
        let log = place.path("serve.log");
        let child = place.command(&["serve"]).stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
        let mut panel = Self { child, address, metrics_address, log };
        let deadline = Instant::now() + Duration::from_secs(20);
        while place.run(&["healthcheck"]).code != 0 || !place.path("config.toml").exists() {
            assert!(panel.child.try_wait().unwrap().is_none(), "it ended: {}", panel.log());
            assert!(Instant::now() < deadline, "it did not start: {}", panel.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        panel
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// What it holds in memory, in KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Ends it in order and gives its log.
    pub fn end(mut self) -> String {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert!(self.child.wait().unwrap().success(), "{}", self.log());
        self.log()
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

pub async fn connect(path: &Path) -> sqlx::SqliteConnection {
    use sqlx::ConnectOptions as _;
    sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

fn finished(output: Output) -> Run {
    Run {
        code: output.status.code().expect("it was not killed"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
