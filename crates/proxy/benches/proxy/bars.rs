//! What the figures have to reach.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Bulk throughput, as a share of the plain relay's.
pub(crate) const BULK: f64 = 0.6;
/// Bytes that an idle connection takes.
pub(crate) const IDLE: u64 = 24 * 1_024;
/// A reload with 100,000 users.
pub(crate) const RELOAD: Duration = Duration::from_millis(500);
/// The median handshake while visitors come, compared with the quiet one.
pub(crate) const STORM: f64 = 2.0;

static MET: AtomicUsize = AtomicUsize::new(0);
static MISSED: AtomicUsize = AtomicUsize::new(0);

/// The verdict on a figure, to be printed after it.
pub(crate) fn verdict(met: bool, bar: &str) -> String {
    if met { &MET } else { &MISSED }.fetch_add(1, Relaxed);
    format!("[{} {bar}]", if met { "ok:" } else { "MISSED:" })
}

/// Prints how many figures reached their bars since the last call.
pub(crate) fn summary() {
    let (met, missed) = (MET.swap(0, Relaxed), MISSED.swap(0, Relaxed));
    println!("  {met} of {} bars met", met + missed);
}
