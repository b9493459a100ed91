//! The settings of masking (`[censorship]`).

use std::time::Duration;

use super::{ConfigError, Masking, raw, rules};

/// Most bytes in the first application record of an answer, because clients on iOS read no more.
const FIRST_RECORD_MAX: usize = 10_240;
/// Largest value of `mask_relay_max_bytes` (telemt 3.4.25 refuses more, too).
const MAX_BYTES: usize = 64 << 20;
/// How long a visit may last, and may be silent, if the file does not say. telemt's defaults are a minute and five
/// seconds. But usual web servers keep a silent connection for a minute or more, so ending it sooner would show that a
/// proxy is there.
pub(super) const USUAL_TIME: Duration = Duration::from_mins(5);
/// Longest time that a file may set, in milliseconds: a day.
const MAX_TIME: u64 = 86_400_000;

pub(super) fn masking(censorship: raw::Censorship) -> Result<Masking, ConfigError> {
    let mut domains = vec![censorship.tls_domain];
    domains.extend(censorship.tls_domains);
    for domain in &mut domains {
        domain.make_ascii_lowercase();
        rules::check_domain(domain).map_err(ConfigError::new)?;
    }
    if censorship.mask_port == 0 {
        return Err(ConfigError::new("censorship.mask_port must not be 0"));
    }
    Ok(Masking {
        enabled: censorship.mask,
        domains,
        by_sni: censorship.mask_dynamic,
        host: censorship.mask_host.filter(|host| !host.is_empty()),
        port: censorship.mask_port,
        unknown_sni: censorship.unknown_sni_action,
        first_record: censorship.fake_cert_len.clamp(1, FIRST_RECORD_MAX),
        relay_bytes: bytes(censorship.mask_relay_max_bytes)?,
        relay_time: time(censorship.mask_relay_timeout_ms),
        relay_idle: time(censorship.mask_relay_idle_timeout_ms),
    })
}

fn bytes(most: usize) -> Result<usize, ConfigError> {
    if (1..=MAX_BYTES).contains(&most) {
        Ok(most)
    } else {
        Err(ConfigError::new("censorship.mask_relay_max_bytes must be from 1 to 67108864"))
    }
}

fn time(milliseconds: Option<u64>) -> Duration {
    milliseconds.map_or(USUAL_TIME, |time| Duration::from_millis(time.clamp(1, MAX_TIME)))
}
