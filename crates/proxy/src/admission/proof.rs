//! A client from one address too many shows that it is a device that is being served already: its first message has the
//! same authorization key. Nothing is sent to a data centre before that.

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use mtpannel_core::user::Secret;
use tokio::time::Instant;

use super::admit::admit_device;
use super::tunnel::Tunnel;
use crate::accounts::{Proof, Refusal, Session};
use crate::shared::Shared;
use crate::wire::first_frames::{Found, KeyFinder};
use crate::wire::obfuscated2::{self, Accepted};

/// Longest wait for the first message.
const WAIT: Duration = Duration::from_secs(5);

/// Waits for the first message, and admits the client if an admitted device has the same key.
pub(crate) async fn prove(
    shared: &Shared,
    tunnel: &mut Tunnel,
    proof: &Proof,
    secret: &Secret,
    address: IpAddr,
) -> Result<Session, Refusal> {
    let key = first_key(tunnel, secret.bytes()).await.ok_or(Refusal::TooManyAddresses)?;
    admit_device(shared, proof, secret, address, &tunnel.inbox.stream, key)
}

/// Reads the key of the first message. The bytes that were read stay in the inbox, encrypted, for the relay.
async fn first_key(tunnel: &mut Tunnel, secret: &[u8; 16]) -> Option<NonZeroU64> {
    // A second cipher stream, because that of the relay has to decrypt the same bytes later.
    let Accepted { mut from_client, transport, .. } = obfuscated2::accept(&tunnel.init, secret)?;
    let Tunnel { inbox, unframer, .. } = tunnel;
    let mut finder = KeyFinder::new(transport, 1);
    let mut payload = std::mem::take(&mut inbox.bytes);
    let (mut seen, deadline) = (0, Instant::now() + WAIT);
    loop {
        let mut plain = payload[seen..].to_vec();
        from_client.apply(&mut plain);
        seen = payload.len();
        match finder.feed(&plain) {
            Found::Key(key) => {
                inbox.bytes = payload;
                return Some(key);
            }
            Found::Nothing => return None,
            Found::NotYet => inbox.more(WAIT, deadline).await.ok()?,
        }
        let kept = match unframer {
            Some(unframer) => unframer.unframe(&mut inbox.bytes).ok()?,
            None => inbox.bytes.len(),
        };
        payload.extend_from_slice(&inbox.bytes[..kept]);
        inbox.bytes.clear();
    }
}
