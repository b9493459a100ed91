//! HMAC-SHA256 (RFC 2104) of one message with many keys.
//!
//! A hello does not name its user, so its HMAC is computed with the key of every user. What does not depend on the user
//! (padding, the copy with a random of zeros) is computed once for each hello. What does not depend on the hello (the first
//! block of both hashes) is computed once for each user. Only the compression of the message remains for each pair.

pub(crate) mod lanes;

use std::fmt;

use sha2::block_api::compress256;

const BLOCK: usize = 64;
/// The initial state of SHA-256 (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A user's secret as an HMAC key: the two states of SHA-256 after the first block of key.
#[derive(Clone, PartialEq, Eq)]
pub struct HmacKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(…)")
    }
}

/// A message with the padding of SHA-256 for a message that follows one block of key.
#[derive(Clone)]
pub struct PaddedMessage(Vec<[u8; BLOCK]>);

impl fmt::Debug for PaddedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PaddedMessage({} blocks)", self.0.len())
    }
}

impl PaddedMessage {
    /// Joins `parts` and pads the result.
    pub fn new(parts: &[&[u8]]) -> Self {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut bytes = Vec::with_capacity(length + 2 * BLOCK);
        for part in parts {
            bytes.extend_from_slice(part);
        }
        bytes.push(0x80);
        bytes.resize((bytes.len() + 8).next_multiple_of(BLOCK) - 8, 0);
        bytes.extend_from_slice(&(8 * (BLOCK + length) as u64).to_be_bytes());
        Self(bytes.as_chunks().0.to_vec())
    }

    /// How many times the compression function runs for one HMAC.
    pub(crate) fn compressions(&self) -> usize {
        self.0.len() + 1
    }
}

impl HmacKey {
    /// Prepares a secret of 16 bytes.
    pub fn new(secret: &[u8; 16]) -> Self {
        Self { inner: keyed_state(secret, 0x36), outer: keyed_state(secret, 0x5c) }
    }

    /// The HMAC of a message.
    pub fn code(&self, message: &PaddedMessage) -> [u8; 32] {
        let mut state = self.inner;
        compress256(&mut state, &message.0);
        let mut block = [0; BLOCK];
        block[..32].copy_from_slice(&to_bytes(state));
        block[32] = 0x80;
        block[56..].copy_from_slice(&(8 * (BLOCK as u64 + 32)).to_be_bytes());
        let mut state = self.outer;
        compress256(&mut state, &[block]);
        to_bytes(state)
    }
}

fn keyed_state(secret: &[u8; 16], pad: u8) -> [u32; 8] {
    let mut block = [pad; BLOCK];
    block.iter_mut().zip(secret).for_each(|(byte, secret)| *byte ^= secret);
    let mut state = INITIAL;
    compress256(&mut state, &[block]);
    state
}

fn to_bytes(state: [u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.as_chunks_mut().0.iter_mut().zip(state).for_each(|(chunk, word)| *chunk = word.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    /// HMAC computed as RFC 2104 defines it.
    fn by_definition(secret: &[u8; 16], message: &[u8]) -> [u8; 32] {
        let padded = |pad: u8| -> Vec<u8> { (0..64).map(|i| pad ^ secret.get(i).copied().unwrap_or(0)).collect() };
        let inner = Sha256::digest([padded(0x36), message.to_vec()].concat());
        Sha256::digest([padded(0x5c), inner.to_vec()].concat()).into()
    }

    proptest! {
        #[test]
        fn the_hmac_is_that_of_the_definition(
            secret: [u8; 16],
            message in prop::collection::vec(any::<u8>(), 0..300),
            cut in 0..300_usize,
        ) {
            let (head, tail) = message.split_at(cut.min(message.len()));
            let code = HmacKey::new(&secret).code(&PaddedMessage::new(&[head, tail]));
            prop_assert_eq!(code, by_definition(&secret, &message));
        }
    }
}
