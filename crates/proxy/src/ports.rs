//! The clock and the random source of the system. Nothing else in this crate uses either of them directly.

use chrono::{DateTime, Utc};

/// The present time, for expirations and for the time stamps in hellos.
#[expect(clippy::disallowed_methods, reason = "this is the port")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Fills `bytes` from the system's random source.
///
/// # Panics
/// If the system has no random source; nothing would be secure then.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    #[expect(clippy::disallowed_methods, reason = "this is the port")]
    getrandom::fill(bytes).expect("the system's random source works");
}

/// Fresh random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}
