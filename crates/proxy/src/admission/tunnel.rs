//! The last step of a FakeTLS handshake: the proxy answers the hello, and the client sends its init in application records.

use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;

use super::identify::Hello;
use crate::inbox::{Inbox, NoMore};
use crate::ports;
use crate::shared::Shared;
use crate::stats::count;
use crate::wire::obfuscated2::INIT;
use crate::wire::{MIN_PAYLOAD, Unframer, server_answer};

/// A client's connection after the init was read.
pub(crate) struct Tunnel {
    /// Holds the payload that arrived together with the init, without record headers.
    pub(crate) inbox: Inbox,
    pub(crate) init: [u8; INIT],
    /// Takes the payload out of records, if the client uses FakeTLS.
    pub(crate) unframer: Option<Unframer>,
}

/// Answers a hello and waits for the init. `None` if the client ends the connection, is too slow, or breaks the protocol.
pub(crate) async fn open_tunnel(shared: &Shared, mut inbox: Inbox, hello: &Hello) -> Option<Tunnel> {
    let mut noise = vec![0; shared.config.masking.first_record.max(MIN_PAYLOAD)];
    ports::fill_random(&mut noise);
    let answer = server_answer(&hello.key, &hello.hello, ports::random(), &noise);
    inbox.stream.write_all(&answer).await.ok()?;
    let (mut unframer, mut payload) = (Unframer::default(), Vec::new());
    let deadline = Instant::now() + shared.config.timeouts.handshake;
    loop {
        let kept = unframer.unframe(&mut inbox.bytes).ok()?;
        payload.extend_from_slice(&inbox.bytes[..kept]);
        inbox.bytes.clear();
        if let Some(&init) = payload.first_chunk::<INIT>() {
            inbox.bytes = payload.split_off(INIT);
            return Some(Tunnel { inbox, init, unframer: Some(unframer) });
        }
        if let Err(end) = inbox.more(shared.config.timeouts.handshake, deadline).await {
            if end == NoMore::Silent {
                count(&shared.stats.handshake_timeouts);
            }
            return None;
        }
    }
}
