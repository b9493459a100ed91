//! The clock's port: everything that needs the time asks here, and a test may set it.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the port")]
        Self(Arc::new(Utc::now))
    }

    /// A clock that shows what `now` gives.
    pub fn new(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time in whole seconds, as it is stored and shown.
    pub fn now(&self) -> DateTime<Utc> {
        self.precise().trunc_subsecs(0)
    }

    /// The time in milliseconds, for the order of scrapes and the gap between two files.
    pub fn precise(&self) -> DateTime<Utc> {
        (self.0)().trunc_subsecs(3)
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
