//! Finds out whose connection it is from its first bytes. Nothing is sent to the client before that is known.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mtpannel_core::user::Secret;
use tokio::time::Instant;

use crate::access::{Access, User};
use crate::accounts::Refusal;
use crate::admission::admit::{Admission, admit};
use crate::admission::replay::{Fingerprint, SKEW};
use crate::admission::search::Probe;
use crate::config::{Modes, UnknownSni};
use crate::inbox::{Inbox, NoMore};
use crate::path::mask::Visit;
use crate::ports;
use crate::shared::Shared;
use crate::stats::count;
use crate::wire::key::HmacKey;
use crate::wire::obfuscated2::{self, INIT};
use crate::wire::{ClientHello, HelloProof, hello_length, in_one_record};

/// How long a connection may send nothing at first. After that, the proxy also connects to the masked site.
const FIRST_BYTE: Duration = Duration::from_secs(10);
/// How long it may pause in the middle of a hello before the proxy does so.
const PAUSE: Duration = Duration::from_millis(500);

/// A client with a valid secret.
pub(crate) struct Client {
    pub(crate) admission: Admission,
    pub(crate) secret: Secret,
    /// The client's own address, also behind a load balancer that sends PROXY headers.
    pub(crate) address: IpAddr,
    /// The hello, if the client uses FakeTLS.
    pub(crate) hello: Option<Hello>,
    /// The init, if the client does not use FakeTLS.
    pub(crate) init: Option<[u8; INIT]>,
}

/// A valid hello, and the key that it was made with.
pub(crate) struct Hello {
    pub(crate) hello: ClientHello,
    pub(crate) key: HmacKey,
}

/// What is done with a connection. `sni` is the server name in its hello, and `why` the label of a metric.
pub(crate) enum Verdict {
    /// It is served.
    Client(Box<Client>),
    /// It has no valid secret and is relayed to the masked site.
    Visitor { why: &'static str, sni: Option<String> },
    /// It has a valid secret, but its user may not be served; it is relayed to the masked site.
    Refused { why: Refusal, sni: Option<String> },
    /// It gets a TLS alert and is closed.
    Rejected,
    /// It is closed, and nothing is sent.
    Closed(&'static str),
}

impl Verdict {
    const fn visitor(why: &'static str) -> Self {
        Self::Visitor { why, sni: None }
    }
}

/// What the first bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
enum Opening {
    /// More bytes are needed.
    Unclear,
    /// A hello in one or more TLS records, which have this length together.
    Record(usize),
    /// The init of a client without TLS.
    Init,
    /// Nothing that a client sends.
    Other,
}

fn classify_opening(bytes: &[u8], modes: Modes) -> Opening {
    let plain = serves_plain(modes);
    match hello_length(bytes) {
        Ok(Some(length)) if modes.tls => Opening::Record(length),
        Ok(None) if modes.tls => Opening::Unclear,
        _ if plain && bytes.len() >= INIT => Opening::Init,
        _ if plain || bytes.is_empty() => Opening::Unclear,
        _ => Opening::Other,
    }
}

const fn serves_plain(modes: Modes) -> bool {
    modes.classic || modes.secure
}

/// Whether the bytes look like another protocol. The random init of a client may look like that, too. So the proxy
/// connects to the masked site without a pause, and the secret decides once the init is complete.
fn looks_foreign(bytes: &[u8], modes: Modes) -> bool {
    let is_record = modes.tls && hello_length(bytes).is_ok();
    !is_record && !obfuscated2::may_begin(bytes)
}

/// Reads until it is known what is done with the connection.
///
/// When the client pauses, the proxy connects to the masked site (`visit`) and passes on what the client sends. So a
/// visitor sees the site's answers at the times at which the site gives them. A client whose hello arrives slowly is
/// still served.
pub(crate) async fn identify<'a>(
    shared: &'a Shared,
    inbox: &mut Inbox,
    visit: &mut Option<Visit<'a>>,
    address: IpAddr,
) -> Verdict {
    let deadline = Instant::now() + shared.config.timeouts.handshake;
    loop {
        if let Some(verdict) = identify_now(shared, inbox, address).await {
            return verdict;
        }
        let quiet = match &*inbox.bytes {
            [] => FIRST_BYTE,
            bytes if looks_foreign(bytes, shared.config.modes) => Duration::ZERO,
            _ => PAUSE,
        };
        match inbox.more(quiet, deadline).await {
            Ok(()) => {}
            Err(NoMore::Silent) => {
                return match identify_init_like_record(shared, inbox, address).await {
                    Some(verdict) => verdict,
                    None => identify_beside_visit(shared, inbox, visit, address, deadline).await,
                };
            }
            Err(end) => return decide_at_end(shared, inbox, end),
        }
    }
}

/// The verdict, if the bytes that have arrived are enough for one.
async fn identify_now(shared: &Shared, inbox: &mut Inbox, address: IpAddr) -> Option<Verdict> {
    match classify_opening(&inbox.bytes, shared.config.modes) {
        Opening::Unclear => None,
        Opening::Record(length) => Some(check_hello(shared, inbox, length, address).await),
        Opening::Init => Some(check_init(shared, inbox, address).await),
        Opening::Other => Some(Verdict::visitor("not_ours")),
    }
}

/// Recognises a client without TLS whose random init begins like a TLS record, so that more bytes seemed to be needed.
async fn identify_init_like_record(shared: &Shared, inbox: &mut Inbox, address: IpAddr) -> Option<Verdict> {
    if !serves_plain(shared.config.modes) || inbox.bytes.len() < INIT {
        return None;
    }
    let verdict = check_init(shared, inbox, address).await;
    matches!(verdict, Verdict::Client(_) | Verdict::Refused { .. }).then_some(verdict)
}

/// Goes on reading, and passes everything on to the masked site. When the site answers, or at the deadline, the
/// connection is a visitor.
async fn identify_beside_visit<'a>(
    shared: &'a Shared,
    inbox: &mut Inbox,
    visit: &mut Option<Visit<'a>>,
    address: IpAddr,
    deadline: Instant,
) -> Verdict {
    let visiting = shared.mask.visit(None);
    tokio::pin!(visiting);
    let mut connecting = true;
    loop {
        tokio::select! {
            more = inbox.more(shared.config.timeouts.handshake, deadline) => match more {
                Ok(()) => {}
                Err(end) => return decide_at_end(shared, inbox, end),
            },
            connected = &mut visiting, if connecting => {
                // A site that cannot be reached is tried once more when the visitor is relayed.
                (connecting, *visit) = (false, connected.ok());
            }
            () = wait_for_answer(visit.as_ref()) => return decide_at_end(shared, inbox, NoMore::Silent),
        }
        if let Some(verdict) = identify_now(shared, inbox, address).await {
            return verdict;
        }
        if let Some(site) = visit
            && site.send(&inbox.bytes).await.is_err()
        {
            return decide_at_end(shared, inbox, NoMore::Silent);
        }
    }
}

async fn wait_for_answer(visit: Option<&Visit<'_>>) {
    match visit {
        Some(visit) => visit.answered().await,
        None => std::future::pending().await,
    }
}

/// The verdict on a connection that sends nothing more, or is not waited for any longer.
fn decide_at_end(shared: &Shared, inbox: &Inbox, end: NoMore) -> Verdict {
    match end {
        NoMore::Silent if looks_foreign(&inbox.bytes, shared.config.modes) => Verdict::visitor("not_ours"),
        NoMore::Silent => {
            count(&shared.stats.handshake_timeouts);
            Verdict::visitor("slow")
        }
        NoMore::Ended if inbox.bytes.is_empty() => Verdict::Closed("nothing_sent"),
        NoMore::Ended => Verdict::visitor("incomplete"),
        NoMore::Broken => Verdict::Closed("broken"),
    }
}

async fn check_hello(shared: &Shared, inbox: &mut Inbox, length: usize, address: IpAddr) -> Verdict {
    let record = in_one_record(&inbox.bytes[..length]);
    let Ok(hello) = ClientHello::parse(&record) else { return Verdict::visitor("malformed_hello") };
    let sni = hello.server_name.clone();
    if !hello.shares_x25519 {
        // No server may answer such a hello with a key of x25519, which the proxy's answer always has.
        return Verdict::Visitor { why: "no_key_share", sni };
    }
    if let Some(verdict) = unknown_sni(shared, sni.as_deref()) {
        return verdict;
    }
    let probe = Probe::Hello(HelloProof::new(&record, hello.random));
    let access = shared.directory.current();
    let Some((user, time)) = find_user(shared, &access, probe, address).await else {
        return Verdict::Visitor { why: "wrong_secret", sni };
    };
    let now = ports::now();
    shared.stats.note_time(&user.account.name, address, i64::from(time) - now.timestamp(), is_in_time(time, now));
    if !shared.config.replay.ignore_time_skew {
        if !is_in_time(time, now) {
            return Verdict::Visitor { why: "time_skew", sni };
        }
        if shared.replays.is_before_start(time) {
            return Verdict::Visitor { why: "before_start", sni };
        }
    }
    if !shared.replays.is_new(fingerprint(&hello.random), std::time::Instant::now()) {
        return Verdict::Visitor { why: "replay", sni };
    }
    shared.addresses.note_success(address, &user.account.name);
    match admit(shared, user, address, &inbox.stream) {
        Ok(admission) => {
            inbox.bytes.drain(..length);
            let secret = user.rule.secret;
            let hello = Some(Hello { hello, key: HmacKey::new(secret.bytes()) });
            Verdict::Client(Box::new(Client { admission, secret, address, hello, init: None }))
        }
        Err(why) => Verdict::Refused { why, sni },
    }
}

/// The verdict on a hello whose server name is not a masking domain, as the file sets it. A hello without a server name
/// goes on: its client may be valid.
fn unknown_sni(shared: &Shared, sni: Option<&str>) -> Option<Verdict> {
    let (masking, sni) = (&shared.config.masking, sni?);
    if masking.domains.iter().any(|domain| domain == sni) {
        return None;
    }
    match masking.unknown_sni {
        UnknownSni::Accept => None,
        UnknownSni::Mask => Some(Verdict::Visitor { why: "unknown_sni", sni: None }),
        UnknownSni::Drop => Some(Verdict::Closed("unknown_sni")),
        UnknownSni::RejectHandshake => Some(Verdict::Rejected),
    }
}

async fn check_init(shared: &Shared, inbox: &mut Inbox, address: IpAddr) -> Verdict {
    let Some(&init) = inbox.bytes.first_chunk::<INIT>() else { return Verdict::visitor("incomplete") };
    let probe = Probe::Init(Box::new(init), shared.config.modes);
    let access = shared.directory.current();
    let Some((user, _)) = find_user(shared, &access, probe, address).await else {
        return Verdict::visitor("wrong_secret");
    };
    if !shared.replays.is_new(fingerprint(&init[8..]), std::time::Instant::now()) {
        return Verdict::visitor("replay");
    }
    shared.addresses.note_success(address, &user.account.name);
    match admit(shared, user, address, &inbox.stream) {
        Ok(admission) => {
            inbox.bytes.drain(..INIT);
            let secret = user.rule.secret;
            Verdict::Client(Box::new(Client { admission, secret, address, hello: None, init: Some(init) }))
        }
        Err(why) => Verdict::Refused { why, sni: None },
    }
}

/// Finds the user whose secret fits, and the client's time in seconds since 1970. Tries the users who were last seen at
/// this address first, then everybody.
async fn find_user<'a>(
    shared: &Shared,
    access: &'a Arc<Access>,
    probe: Probe,
    address: IpAddr,
) -> Option<(&'a User, u32)> {
    let (names, rank) = shared.addresses.recall(address);
    let remembered = names.iter().find_map(|name| {
        let user = access.find(name).filter(|user| user.rule.enabled)?;
        Some((user, probe.fits(user)?))
    });
    let found = match remembered {
        Some(found) => Some(found),
        None => shared
            .searcher
            .find(Arc::clone(access), probe, rank)
            .await
            .and_then(|found| Some((access.owner(found.index)?, found.time))),
    };
    if found.is_none() {
        shared.addresses.note_failure(address);
    }
    found
}

fn is_in_time(time: u32, now: DateTime<Utc>) -> bool {
    now.timestamp().abs_diff(time.into()) <= SKEW.as_secs()
}

fn fingerprint(proof: &[u8]) -> Fingerprint {
    proof.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const TLS: Modes = Modes { classic: false, secure: false, tls: true };
    const ALL: Modes = Modes { classic: true, secure: true, tls: true };
    const PLAIN: Modes = Modes { classic: true, secure: false, tls: false };

    #[rstest]
    #[case(b"", TLS, Opening::Unclear)]
    #[case(&[0x16, 3, 1], TLS, Opening::Unclear)]
    #[case(&[0x16, 3, 1, 2, 0, 0], TLS, Opening::Unclear)]
    #[case(&[0x16, 2], TLS, Opening::Other)]
    #[case(&[1; 64], TLS, Opening::Other)]
    #[case(&[1; 64], ALL, Opening::Init)]
    #[case(&[1; 63], ALL, Opening::Unclear)]
    #[case(b"GET / HTTP/1.1", ALL, Opening::Unclear)]
    #[case(b"GET / HTTP/1.1", TLS, Opening::Other)]
    #[case(&[0xef; 64], ALL, Opening::Init)]
    #[case(&[0xdd; 64], PLAIN, Opening::Init)]
    #[case(&[0x16; 64], ALL, Opening::Init)]
    #[case(&[0x16, 3, 1, 2, 0], PLAIN, Opening::Unclear)]
    fn the_first_bytes_decide_what_may_follow(#[case] bytes: &[u8], #[case] modes: Modes, #[case] expected: Opening) {
        assert_eq!(classify_opening(bytes, modes), expected);
    }

    #[rstest]
    #[case(0, true)]
    #[case(120, true)]
    #[case(-120, true)]
    #[case(121, false)]
    #[case(-121, false)]
    fn clocks_may_differ_by_two_minutes(#[case] seconds: i64, #[case] expected: bool) {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(is_in_time(u32::try_from(1_800_000_000 + seconds).unwrap(), now), expected);
    }
}
