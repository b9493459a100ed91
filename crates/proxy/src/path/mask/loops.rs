//! Detects that the masked site leads back to this proxy. Each visit would then be relayed to the proxy again, without end.
//!
//! A loop cannot be detected from what visitors send: somebody who sends the same hello forty times must see the site
//! forty times. So when many visits to a site are open, the proxy makes a visit of its own, with a hello whose random
//! nobody else knows. If the proxy receives this hello, the site leads back to it, and all visits to the site are closed.
//! That shows nothing to a probe, because there is no real site to compare with.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::sites::Sites;
use crate::ports;

/// Number of open visits from which on a site is checked.
const SUSPICIOUS: usize = 8;
/// How long the result of a check holds, unless the number of visits doubles.
const HOLDS: Duration = Duration::from_mins(1);
/// Longest wait for the proxy's own hello to come back.
const CHECK: Duration = Duration::from_secs(10);

/// The random of a hello.
type Random = [u8; 32];

/// The checks of all hosts of the masked site.
#[derive(Debug, Default)]
pub(super) struct Loops {
    hosts: Mutex<HashMap<String, Host>>,
    /// Notified when a host has to be checked.
    suspicion: Notify,
}

/// What is known of a host.
#[derive(Debug, Default)]
struct Host {
    /// Number of open visits.
    open: usize,
    check: Check,
    /// When it was last checked, and how many visits were open then.
    checked: Option<(Instant, usize)>,
    /// Until when visits are refused because the host leads back to the proxy.
    loops_until: Option<Instant>,
    /// Cancelled to close the open visits.
    cut: CancellationToken,
}

/// The state of a host's check.
#[derive(Debug, Default)]
enum Check {
    #[default]
    None,
    Wanted,
    /// A hello with this random was sent; the token is cancelled when it comes back.
    Underway(Random, CancellationToken),
}

/// A visit that is counted.
#[derive(Debug)]
pub(super) struct Counted<'a> {
    loops: &'a Loops,
    host: String,
    /// Cancelled when the site is found to lead back to the proxy.
    pub(super) cut: CancellationToken,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if let Some(host) = self.loops.hosts().get_mut(&self.host) {
            host.open -= 1;
        }
    }
}

impl Host {
    /// Whether so many visits are open that the host has to be checked.
    fn is_suspicious(&self, now: Instant) -> bool {
        let is_due = |(at, open): (Instant, usize)| self.open >= 2 * open || now.duration_since(at) >= HOLDS;
        self.open >= SUSPICIOUS && matches!(self.check, Check::None) && self.checked.is_none_or(is_due)
    }
}

impl Loops {
    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a visit to the host `name`; `None` if it leads back to the proxy.
    pub(super) fn enter(&self, name: &str, now: Instant) -> Option<Counted<'_>> {
        let mut hosts = self.hosts();
        let host = hosts.entry(name.to_owned()).or_default();
        if host.loops_until.is_some_and(|until| now < until) {
            return None;
        }
        host.open += 1;
        if host.is_suspicious(now) {
            host.check = Check::Wanted;
            self.suspicion.notify_one();
        }
        Some(Counted { loops: self, host: name.to_owned(), cut: host.cut.clone() })
    }

    /// Whether the first bytes of a connection contain the hello of a check. If so, visits to the host of the check are
    /// closed and refused for a while.
    pub(super) fn have_come_back(&self, bytes: &[u8], now: Instant) -> bool {
        for host in self.hosts().values_mut() {
            if let Check::Underway(random, returned) = &host.check
                && bytes.windows(random.len()).any(|window| window == random)
            {
                returned.cancel();
                host.loops_until = Some(now + HOLDS);
                std::mem::take(&mut host.cut).cancel();
                return true;
            }
        }
        false
    }

    /// Checks hosts when they become suspicious. `name_for` gives the server name for a host. Never returns.
    pub(super) async fn follow(&self, sites: &Sites, name_for: impl Fn(&str) -> String) {
        loop {
            self.suspicion.notified().await;
            while let Some((host, random, returned)) = self.next_check() {
                let hello = hello(&name_for(&host), &random);
                let checking = tokio::time::timeout(CHECK, visit(sites, &host, &hello));
                tokio::select! {
                    () = returned.cancelled() => {}
                    // The site has answered, and the hello has not come back.
                    _ = checking => {}
                }
                self.end_check(&host);
            }
        }
    }

    fn next_check(&self) -> Option<(String, Random, CancellationToken)> {
        let mut hosts = self.hosts();
        let (name, host) = hosts.iter_mut().find(|(_, host)| matches!(host.check, Check::Wanted))?;
        let (random, returned) = (ports::random(), CancellationToken::new());
        host.check = Check::Underway(random, returned.clone());
        Some((name.clone(), random, returned))
    }

    fn end_check(&self, name: &str) {
        if let Some(host) = self.hosts().get_mut(name) {
            (host.check, host.checked) = (Check::None, Some((Instant::now(), host.open)));
        }
    }
}

/// Sends `hello` to a host and waits for its answer.
async fn visit(sites: &Sites, host: &str, hello: &[u8]) -> io::Result<()> {
    let mut site: TcpStream = sites.connect(host).await?;
    site.write_all(hello).await?;
    site.readable().await
}

/// A usual `ClientHello` (RFC 8446, section 4.1.2) with this random.
fn hello(name: &str, random: &Random) -> Vec<u8> {
    let public = x25519_dalek::x25519(ports::random(), x25519_dalek::X25519_BASEPOINT_BYTES);
    let mut extensions = Vec::new();
    let mut add = |kind: u16, data: Vec<u8>| {
        extensions.extend(kind.to_be_bytes());
        extensions.extend(vector16(&data));
    };
    add(0, vector16(&[&[0][..], &vector16(name.as_bytes())].concat()));
    // Groups: x25519, secp256r1, secp384r1.
    add(10, vector16(&[0, 0x1d, 0, 0x17, 0, 0x18]));
    add(11, vec![1, 0]);
    // Signatures: ECDSA, RSA-PSS and RSA with SHA-256 and SHA-384.
    add(13, vector16(&[4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1]));
    // TLS 1.3 and 1.2.
    add(43, vec![4, 3, 4, 3, 3]);
    add(45, vec![1, 1]);
    add(51, vector16(&[&[0, 0x1d][..], &vector16(&public)].concat()));
    let session_id: [u8; 32] = ports::random();
    let suites = [0x13, 1, 0x13, 2, 0x13, 3, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30];
    let body = [&[3, 3][..], random, &[32], &session_id, &vector16(&suites), &[1, 0], &vector16(&extensions)].concat();
    [&[0x16, 3, 1][..], &vector16(&[&[1, 0][..], &vector16(&body)].concat())].concat()
}

fn vector16(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&length[..], bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ClientHello, hello_length};

    fn open(loops: &Loops, number: usize, now: Instant) -> Vec<Counted<'_>> {
        (0..number).map(|_| loops.enter("site", now).unwrap()).collect()
    }

    fn is_wanted(loops: &Loops) -> bool {
        matches!(loops.hosts()["site"].check, Check::Wanted)
    }

    #[test]
    fn a_host_is_checked_when_many_visits_are_open_and_again_when_they_doubled_or_after_a_minute() {
        let (loops, now) = (Loops::default(), Instant::now());
        let few = open(&loops, SUSPICIOUS - 1, now);
        assert!(!is_wanted(&loops));
        let many = open(&loops, 3, now);
        assert!(is_wanted(&loops));
        loops.next_check().unwrap();
        loops.end_check("site");
        let more = open(&loops, SUSPICIOUS, now);
        assert!(!is_wanted(&loops));
        let twice = open(&loops, 2, now);
        assert!(is_wanted(&loops));
        loops.next_check().unwrap();
        loops.end_check("site");
        let late = loops.enter("site", Instant::now() + HOLDS);
        assert!(is_wanted(&loops));
        drop((few, many, more, twice, late));
        assert_eq!(loops.hosts()["site"].open, 0);
    }

    #[test]
    fn the_proxys_own_hello_shows_a_loop_for_a_minute_and_no_other_hello_does() {
        let (loops, now) = (Loops::default(), Instant::now());
        let visits = open(&loops, SUSPICIOUS, now);
        let (_, random, returned) = loops.next_check().unwrap();
        assert!(!loops.have_come_back(&hello("site", &[7; 32]), now));
        assert!(!visits[0].cut.is_cancelled() && !returned.is_cancelled());
        assert!(loops.have_come_back(&hello("site", &random), now));
        assert!(returned.is_cancelled() && visits.iter().all(|visit| visit.cut.is_cancelled()));
        loops.end_check("site");
        assert!(!loops.have_come_back(&hello("site", &random), now));
        assert!(loops.enter("site", now).is_none() && loops.enter("other", now).is_some());
        assert!(!loops.enter("site", now + HOLDS).unwrap().cut.is_cancelled());
    }

    #[test]
    fn the_proxys_own_hello_is_understood_by_servers() {
        let own = hello("mask.example", &[7; 32]);
        assert_eq!(hello_length(&own), Ok(Some(own.len())));
        let read = ClientHello::parse(&own).unwrap();
        assert_eq!((read.server_name.as_deref(), read.random), (Some("mask.example"), [7; 32]));
        assert!(read.shares_x25519 && read.cipher_suite == Some(0x1301));
    }
}
