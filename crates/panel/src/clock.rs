//! The only place that reads clocks, so that a test can set the time.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use mtpannel_core::usage::Clocks;
use rustix::time::{ClockId, clock_gettime};

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    steady: Arc<dyn Fn() -> Option<Clocks> + Send + Sync>,
}

impl Clock {
    /// The system's clocks.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the only place that reads the clock")]
        Self::new(Utc::now)
    }

    /// A clock whose time is what `now` returns, with the system's monotonic clocks.
    pub fn new(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        let boot = read_boot_id();
        Self::with_steady(now, move || Some(read_steady(boot.clone()?)))
    }

    /// A clock whose time is what `now` returns, with monotonic clocks that show what `steady` returns.
    pub fn with_steady(
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
        steady: impl Fn() -> Option<Clocks> + Send + Sync + 'static,
    ) -> Self {
        Self { now: Arc::new(now), steady: Arc::new(steady) }
    }

    /// The time in whole seconds, as it is stored and shown.
    pub fn now(&self) -> DateTime<Utc> {
        self.precise().trunc_subsecs(0)
    }

    /// The time in milliseconds, for the order of scrapes and the gap between two files.
    pub fn precise(&self) -> DateTime<Utc> {
        (self.now)().trunc_subsecs(3)
    }

    /// What the monotonic clocks show; `None` if the boot id is not known, without which their values mean nothing.
    pub fn steady(&self) -> Option<Clocks> {
        (self.steady)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// The kernel's id of the present boot: monotonic clocks start again with each one.
fn read_boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

fn read_steady(boot: String) -> Clocks {
    #[expect(clippy::cast_precision_loss, reason = "seconds since the machine's start")]
    let seconds = |clock| {
        let read = clock_gettime(clock);
        read.tv_sec as f64 + read.tv_nsec as f64 / 1e9
    };
    Clocks { boot, real: seconds(ClockId::Boottime), running: seconds(ClockId::Monotonic) }
}
