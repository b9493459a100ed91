//! Health of the periodic tasks and of the proxy. It is not stored, because it is about this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use mtpannel_core::exposition::FileVerdict;

/// The periodic tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Config sync: writes the file.
    ConfigSync,
    /// Reads the proxy's metrics.
    Scrape,
    /// Expires and resets users.
    Enforcement,
    /// Rolls up and prunes history.
    Retention,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 4] = [Self::ConfigSync, Self::Scrape, Self::Enforcement, Self::Retention];

    /// Its name in answers and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigSync => "config_sync",
            Self::Scrape => "scrape",
            Self::Enforcement => "enforcement",
            Self::Retention => "retention",
        }
    }
}

/// State of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskState {
    /// Its last success.
    pub last_success: Option<DateTime<Utc>>,
    /// Its last failure, if nothing succeeded since.
    pub failure: Option<String>,
}

/// A compressed text: the last metrics of the proxy, kept for requests. 100,000 users make 60 MB of text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PackedText(Arc<[Vec<u8>]>);

impl PackedText {
    /// The text; `None` cannot be, unless memory was damaged.
    pub fn text(&self) -> Option<String> {
        let mut text = Vec::new();
        for block in self.0.iter() {
            text.append(&mut lz4_flex::decompress_size_prepended(block).ok()?);
        }
        String::from_utf8(text).ok()
    }
}

/// Packs a text as it arrives.
#[derive(Debug, Default)]
pub struct Packer {
    blocks: Vec<Vec<u8>>,
    block: Vec<u8>,
}

impl Packer {
    /// Bytes that are packed together.
    const BLOCK: usize = 64 << 10;

    /// Adds the next part.
    pub fn push(&mut self, part: &[u8]) {
        self.block.extend_from_slice(part);
        if self.block.len() >= Self::BLOCK {
            self.pack();
        }
    }

    /// The text so far.
    pub fn finish(mut self) -> PackedText {
        self.pack();
        PackedText(self.blocks.into())
    }

    fn pack(&mut self) {
        let mut packed = lz4_flex::compress_prepend_size(&self.block);
        packed.shrink_to_fit();
        self.blocks.push(packed);
        self.block.clear();
    }
}

/// The proxy's last answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ProxyView {
    /// When it answered.
    pub at: DateTime<Utc>,
    /// Its text.
    pub text: PackedText,
    /// Its version.
    pub version: Option<String>,
    /// Its uptime, seconds.
    pub uptime: f64,
    /// Whether it left out series of some users, so that nothing is concluded from what is missing.
    pub suppressed: bool,
    /// Users with at least one connection.
    pub online: u64,
    /// Open connections of all users.
    pub connections: i64,
}

/// Whether the proxy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyState {
    /// It answered the last scrape.
    Up,
    /// It did not.
    Unreachable,
    /// It was not asked yet.
    Unknown,
}

#[derive(Debug, Default)]
struct Inner {
    tasks: BTreeMap<Task, TaskState>,
    proxy: Option<ProxyView>,
    file_accepted: Option<bool>,
    file_refused: Option<FileVerdict>,
    cannot_count: bool,
}

/// Health of this process's tasks and of the proxy.
#[derive(Debug, Default)]
pub struct Health(Mutex<Inner>);

impl Health {
    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A task has done its work.
    pub fn succeeded(&self, task: Task, now: DateTime<Utc>) {
        self.with(|inner| inner.tasks.insert(task, TaskState { last_success: Some(now), failure: None }));
    }

    /// A task has failed, and why.
    pub fn failed(&self, task: Task, why: impl Into<String>) {
        self.with(|inner| inner.tasks.entry(task).or_default().failure = Some(why.into()));
    }

    /// State of a task.
    pub fn task(&self, task: Task) -> TaskState {
        self.with(|inner| inner.tasks.get(&task).cloned().unwrap_or_default())
    }

    /// The proxy has answered.
    pub fn proxy_answered(&self, view: ProxyView) {
        self.with(|inner| inner.proxy = Some(view));
    }

    /// The proxy's last answer.
    pub fn proxy(&self) -> Option<ProxyView> {
        self.with(|inner| inner.proxy.clone())
    }

    /// Whether the proxy answers.
    pub fn proxy_state(&self) -> ProxyState {
        self.with(|inner| {
            let has_failed = inner.tasks.get(&Task::Scrape).is_some_and(|task| task.failure.is_some());
            match (has_failed, &inner.proxy) {
                (true, _) => ProxyState::Unreachable,
                (false, Some(_)) => ProxyState::Up,
                (false, None) => ProxyState::Unknown,
            }
        })
    }

    /// Whether the proxy's last answer lacked counters that accounting needs.
    pub fn set_cannot_count(&self, cannot_count: bool) {
        self.with(|inner| inner.cannot_count = cannot_count);
    }

    /// Whether the proxy answers and its traffic cannot be counted.
    pub fn cannot_count(&self) -> bool {
        self.with(|inner| inner.cannot_count)
    }

    /// The built-in proxy has told what it makes of the file.
    pub fn file_judged(&self, verdict: FileVerdict) {
        self.file_accepted(Some(verdict.is_current));
        self.with(|inner| inner.file_refused = (!verdict.is_current).then_some(verdict));
    }

    /// Why and since when the proxy refuses the file, if it does and says so.
    pub fn file_refusal(&self) -> Option<FileVerdict> {
        self.with(|inner| inner.file_refused.clone())
    }

    /// The proxy's metrics or telemt's control API have told whether the proxy runs with the file as the panel wrote it.
    pub fn file_accepted(&self, accepted: Option<bool>) {
        self.with(|inner| inner.file_accepted = accepted);
    }

    /// Whether the proxy runs with the file as the panel wrote it; `None` if that is not known.
    pub fn is_file_accepted(&self) -> Option<bool> {
        self.with(|inner| inner.file_accepted)
    }
}
