//! How much visitors may see of the masked site (`censorship.mask_relay_*`).

use std::time::Duration;

use super::ConfigError;

/// Most that `mask_relay_max_bytes` may be (telemt 3.4.25 refuses more).
const MAX_BYTES: usize = 64 << 20;
/// How long a visit may last and be silent where the file does not say. Longer than telemt's minute and five seconds, because
/// the usual web servers keep a silent connection for a minute or more: to end it sooner would show that somebody else does.
pub(super) const USUAL_TIME: Duration = Duration::from_mins(5);
/// Longest time that a file may give, a day.
const MAX_TIME: u64 = 86_400_000;

pub(super) fn bytes(most: usize) -> Result<usize, ConfigError> {
    if (1..=MAX_BYTES).contains(&most) {
        Ok(most)
    } else {
        Err(ConfigError::new("censorship.mask_relay_max_bytes must be from 1 to 67108864"))
    }
}

pub(super) fn time(milliseconds: Option<u64>) -> Duration {
    milliseconds.map_or(USUAL_TIME, |time| Duration::from_millis(time.clamp(1, MAX_TIME)))
}
