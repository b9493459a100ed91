//! Follows `config.toml` and applies it when it has changed.
//!
//! The file is checked with one `stat` every 30 ms. That is cheap, and it also notices what a watch of the directory
//! misses: symbolic links that are switched, and single files that are mounted into a container (docs/contract-telemt.md,
//! trap 7).
//!
//! A file that was moved into place is complete and is read at once. Any other file may still be being written, and is read
//! when it has not changed between two checks. Included files are followed in the same way.
//!
//! A file that cannot be read is tried again at each check, because it may revoke a user. A file that was read and
//! refused is not read again until it changes.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::config::files::{Files, load};
use crate::config::{Config, ConfigError, Ignored};
use crate::ports;
use crate::shared::Shared;
use crate::warnings::Code;

/// Time between two checks of the file.
const LOOK: Duration = Duration::from_millis(30);
/// Checks between two updates of the order of keys: about a second.
const REORDER: u32 = 33;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// Its content is not valid.
    #[error("{0}")]
    Config(#[from] ConfigError),
}

/// Follows the file, and cuts the connections of users when they expire.
///
/// It runs in a thread of its own, so that neither busy relays nor blocking work delay a revocation.
pub(crate) struct Watcher {
    shared: Arc<Shared>,
    path: PathBuf,
    /// The state of the files that was last applied or refused.
    done: Files,
    /// The state of the files at the last check.
    seen: Files,
    /// Whether the file could not be read at the last check and that was reported.
    unreadable: bool,
    /// Unknown keys that were logged already.
    named: HashSet<String>,
    /// Number of checks so far.
    looks: u32,
}

/// Cancels `ended` when the watcher's thread ends, also by a panic: no revocation is applied after that.
struct Alarm {
    shared: Arc<Shared>,
    ended: CancellationToken,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!("the thread that follows the configuration has failed");
            self.shared.stats.refused_file(ports::now(), "the thread that follows the file has failed".to_owned());
        }
        self.ended.cancel();
    }
}

impl Watcher {
    /// A watcher of the file at `path`, of which the state `applied` is in force.
    pub(crate) fn new(shared: Arc<Shared>, path: PathBuf, applied: Files) -> Self {
        let (done, seen, named) = (applied.clone(), applied, HashSet::new());
        let mut watcher = Self { shared, path, done, seen, unreadable: false, named, looks: 0 };
        let (ignored, rules) = (watcher.shared.config.ignored.clone(), watcher.shared.config.rules_ignored.clone());
        watcher.report_ignored(ignored, &rules);
        watcher
    }

    /// Starts the thread, which runs until `stop`. The token that is returned is cancelled when the thread has ended for
    /// any reason.
    pub(crate) fn start(self, stop: CancellationToken) -> io::Result<CancellationToken> {
        let ended = CancellationToken::new();
        let alarm = Alarm { shared: Arc::clone(&self.shared), ended: ended.clone() };
        thread::Builder::new().name("config-watch".to_owned()).spawn(move || {
            let _alarm = alarm;
            self.run(&stop);
        })?;
        Ok(ended)
    }

    fn run(mut self, stop: &CancellationToken) {
        let mut last = ports::now();
        while !stop.is_cancelled() {
            self.look();
            let now = ports::now();
            self.shared.directory.expire(last, now);
            last = now;
            thread::sleep(LOOK);
        }
    }

    /// Checks the file once, and applies or refuses it if it has changed.
    fn look(&mut self) {
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(REORDER) {
            self.shared.directory.reorder(ports::now());
        }
        match self.load_if_changed() {
            Err(LoadError::Read(error)) => return self.report_unreadable(error),
            Err(error) => self.refuse(&error),
            Ok(Some(config)) => self.apply(config),
            Ok(None) => {}
        }
        self.unreadable = false;
    }

    /// Reports that the file cannot be read, once. A missing file, and one that was written to while it was read, are not
    /// reported and change nothing.
    fn report_unreadable(&mut self, error: io::Error) {
        let passes = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Interrupted);
        if !passes && !std::mem::replace(&mut self.unreadable, true) {
            self.refuse(&error.into());
        }
    }

    /// Loads the file, if it has changed and is complete.
    fn load_if_changed(&mut self) -> Result<Option<Config>, LoadError> {
        let files = self.done.look(&self.path)?;
        let before = std::mem::replace(&mut self.seen, files.clone());
        if files == self.done || !(files.were_moved_since(&self.done) || files == before) {
            return Ok(None);
        }
        let (config, files) = load(&self.path)?;
        (self.done, self.seen) = (files.clone(), files);
        Ok(Some(config?))
    }

    fn apply(&mut self, mut config: Config) {
        let (now, users) = (ports::now(), std::mem::take(&mut config.users));
        tracing::info!(users = users.len(), "configuration applied");
        self.shared.directory.apply(users, now);
        self.shared.stats.applied(now);
        self.report_ignored(std::mem::take(&mut config.ignored), &std::mem::take(&mut config.rules_ignored));
        if config != self.shared.config.without_users() {
            tracing::warn!("settings outside [access] have changed and take effect after a restart");
        }
    }

    fn refuse(&self, error: &LoadError) {
        tracing::error!(%error, "the configuration is refused; the old one stays in force");
        self.shared.stats.refused_file(ports::now(), error.to_string());
    }

    /// Logs unknown keys that were not logged before, and raises the warnings about rules that are not applied.
    fn report_ignored(&mut self, ignored: Ignored, rules: &[&str]) {
        self.shared.stats.warnings.replace(Code::RuleIgnored, rules, Instant::now());
        let new: Vec<String> = ignored.keys.into_iter().filter(|key| self.named.insert(key.clone())).collect();
        if !new.is_empty() {
            let (keys, more) = (new.join(", "), ignored.more);
            tracing::info!(keys, more, "the configuration has keys that this proxy does not use");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::time::SystemTime;

    use tempfile::TempDir;

    fn text(users: &str) -> String {
        users.chars().fold("[access.users]\n".to_owned(), |text, user| {
            text + &format!("{user} = \"6384e2b2184bcbf58eccf10ca7a6563c\"\n")
        })
    }

    /// A watcher that checks the file when the test calls it.
    fn watcher() -> (TempDir, Watcher) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("config.toml");
        fs::write(&path, text("a")).unwrap();
        let (config, files) = load(&path).unwrap();
        let shared = Arc::new(Shared::new(config.unwrap(), Vec::new()).unwrap());
        (directory, Watcher::new(shared, path, files))
    }

    /// Checks the file once. Gives the number of users after that, and of files that were applied so far.
    fn look(watcher: &mut Watcher) -> (usize, u64) {
        watcher.look();
        (watcher.shared.directory.current().users.len(), watcher.shared.stats.reloads().applied)
    }

    #[test]
    fn a_file_that_was_moved_into_place_is_read_at_once() {
        let (directory, mut watcher) = watcher();
        let new = directory.path().join(".new");
        fs::write(&new, text("abc")).unwrap();
        // The clock of a file system may be too coarse to tell the two steps apart.
        File::open(&new).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        fs::rename(&new, &watcher.path).unwrap();
        assert_eq!(look(&mut watcher), (3, 1));
        assert_eq!(look(&mut watcher), (3, 1));
    }

    #[test]
    fn a_file_that_may_still_be_written_is_read_when_it_has_stopped_changing() {
        let (_directory, mut watcher) = watcher();
        fs::remove_file(&watcher.path).unwrap();
        assert_eq!(look(&mut watcher), (0, 0));
        for (number, part) in ["ab", "abc", "abcd"].iter().enumerate() {
            fs::write(&watcher.path, text(part)).unwrap();
            assert_eq!(look(&mut watcher), (0, 0), "part {number}");
        }
        assert_eq!(look(&mut watcher), (4, 1));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_reported_once_and_read_when_it_can_be() {
        let (_directory, mut watcher) = watcher();
        fs::remove_file(&watcher.path).unwrap();
        fs::create_dir(&watcher.path).unwrap();
        for _ in 0..5 {
            assert_eq!(look(&mut watcher), (0, 0));
        }
        assert_eq!((watcher.shared.stats.reloads().failed, watcher.shared.stats.reloads().current), (1, false));
        fs::remove_dir(&watcher.path).unwrap();
        fs::write(&watcher.path, text("ab")).unwrap();
        look(&mut watcher);
        assert_eq!(look(&mut watcher), (2, 1));
        assert!(watcher.shared.stats.reloads().current);
    }

    #[test]
    fn included_files_are_followed_like_the_file_itself() {
        let (directory, mut watcher) = watcher();
        let part = directory.path().join("part.toml");
        fs::write(&watcher.path, "include = \"part.toml\"\n").unwrap();
        look(&mut watcher);
        assert_eq!(look(&mut watcher), (0, 0));
        assert_eq!((watcher.shared.stats.reloads().failed, watcher.shared.stats.reloads().current), (1, false));
        // The missing file appears.
        fs::write(&part, text("ab")).unwrap();
        look(&mut watcher);
        assert_eq!(look(&mut watcher), (2, 1));
        assert!(watcher.shared.stats.reloads().current);
        // It is changed: first in place, then by a move.
        for (number, users) in ["abc", "abcd"].iter().enumerate() {
            fs::write(&part, text(users)).unwrap();
            assert_eq!(look(&mut watcher), (2, 1), "part {number}");
        }
        assert_eq!(look(&mut watcher), (4, 2));
        let new = directory.path().join("new.toml");
        fs::write(&new, text("abcde")).unwrap();
        File::open(&new).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        fs::rename(&new, &part).unwrap();
        assert_eq!(look(&mut watcher), (5, 3));
        assert_eq!(look(&mut watcher), (5, 3));
        // It disappears: nothing changes until it is back.
        fs::remove_file(&part).unwrap();
        look(&mut watcher);
        assert_eq!(look(&mut watcher), (5, 3));
        assert!(!watcher.shared.stats.reloads().current);
    }

    #[test]
    fn includes_are_read_as_telemt_reads_them_and_refused_with_file_and_line() {
        let directory = TempDir::new().unwrap();
        let (real, link) = (directory.path().join("real"), directory.path().join("config.toml"));
        fs::create_dir_all(real.join("sub")).unwrap();
        std::os::unix::fs::symlink(real.join("main.toml"), &link).unwrap();
        let put = |name: &str, text: &str| fs::write(real.join(name), text).unwrap();
        put("main.toml", "[access]\r\ninclude = \"sub/one.toml\"\r\ninclude=two.toml\n");
        put("sub/one.toml", "users.a = \"6384e2b2184bcbf58eccf10ca7a6563c\"\ninclude = \"../three.toml\"");
        put("two.toml", "[access.user_enabled]\na = false");
        put("three.toml", "users.b = \"6384e2b2184bcbf58eccf10ca7a6563d\"\n");
        let users = load(&link).unwrap().0.unwrap().users;
        assert_eq!(
            users.iter().map(|user| (user.name.as_str(), user.enabled)).collect::<Vec<_>>(),
            [("a", false), ("b", true)]
        );
        let refused = |name: &str, text: &str, expected: &str| {
            put(name, text);
            let error = load(&link).unwrap().0.unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("6384e2"), "{error}");
        };
        refused("two.toml", "\n[access.user_enabled]\na = 6384e2\n", "two.toml, line 3");
        refused("two.toml", "include = \"main.toml\"", "levels deep");
        refused("two.toml", "[access.users]\nc = \"x\"", "two.toml, line 1");
        refused("main.toml", "\n\ninclude = \"away.toml\"", "main.toml, line 3");
    }

    #[test]
    fn the_end_of_a_watcher_is_signalled_and_a_failure_is_shown() {
        let (_directory, watcher) = watcher();
        watcher.shared.stats.applied(ports::now());
        for fails in [false, true] {
            let ended = CancellationToken::new();
            let alarm = Alarm { shared: Arc::clone(&watcher.shared), ended: ended.clone() };
            let thread = thread::spawn(move || {
                let _alarm = alarm;
                assert!(!fails, "as if a check had failed");
            });
            assert_eq!(thread.join().is_err(), fails);
            assert!(ended.is_cancelled());
            assert_eq!(watcher.shared.stats.reloads().current, !fails);
        }
    }
}
