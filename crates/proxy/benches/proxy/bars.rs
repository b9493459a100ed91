//! The limits that the measured figures have to keep.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Least bulk throughput, as a share of that of the plain relay.
pub(crate) const BULK: f64 = 0.6;
/// Most bytes of memory for an idle connection.
pub(crate) const IDLE: u64 = 24 * 1_024;
/// Longest reload.
pub(crate) const RELOAD: Duration = Duration::from_millis(500);
/// Longest median handshake while visitors connect, as a multiple of the median without them.
pub(crate) const STORM: f64 = 2.0;

static MET: AtomicUsize = AtomicUsize::new(0);
static MISSED: AtomicUsize = AtomicUsize::new(0);

/// Counts whether a figure keeps its limit, and returns the text to print after it.
pub(crate) fn verdict(met: bool, bar: &str) -> String {
    if met { &MET } else { &MISSED }.fetch_add(1, Relaxed);
    format!("[{} {bar}]", if met { "ok:" } else { "MISSED:" })
}

/// Prints how many figures have kept their limits since the last call.
pub(crate) fn summary() {
    let (met, missed) = (MET.swap(0, Relaxed), MISSED.swap(0, Relaxed));
    println!("  {met} of {} bars met", met + missed);
}
