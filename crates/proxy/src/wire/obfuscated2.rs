//! The obfuscated transport (core.telegram.org/mtproto/mtproto-transports, "Transport obfuscation").
//!
//! A client first sends 64 bytes, the init. They contain the keys and initialization vectors of two AES-256-CTR streams,
//! one for each direction, as well as the transport and the data centre.

use std::fmt;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, StreamingEncryptingKey, UnboundCipherKey};
use sha2::{Digest, Sha256};

/// Bytes of the init.
pub const INIT: usize = 64;
/// Offsets in the init: key, initialization vector, tag of the transport, index of the data centre.
const KEY: usize = 8;
const IV: usize = 40;
const TAG: usize = 56;
const DC: usize = 60;

/// Bytes of a block of AES.
const BLOCK: usize = 16;
/// Bytes that are encrypted at a time, so few that they stay in the first-level cache.
const PIECE: usize = 4_096;

/// First words of an init that look like another protocol: HTTP methods, TLS, and the tags of the plain transports.
const FORBIDDEN: [[u8; 4]; 7] = [*b"HEAD", *b"POST", *b"GET ", *b"OPTI", [0x16, 3, 1, 2], [0xdd; 4], [0xee; 4]];

/// The cipher stream of one direction.
pub struct Stream(StreamingEncryptingKey);

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(…)")
    }
}

impl Stream {
    fn new(key: &[u8; 32], iv: &[u8; 16]) -> Self {
        let key = UnboundCipherKey::new(&AES_256, key).expect("a key of 32 bytes");
        let iv = EncryptionContext::Iv128(iv.into());
        // The library calls it less safe to pass a vector that it has not drawn itself. Here the protocol gives the vector.
        Self(StreamingEncryptingKey::less_safe_ctr(key, iv).expect("a key and a vector of their lengths"))
    }

    /// Encrypts or decrypts `bytes` in place; both are the same operation.
    ///
    /// # Panics
    /// Never: the buffer for the library is always large enough.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        // The library requires space for one more block, which a stream cipher never writes.
        let mut done = [0; PIECE + BLOCK - 1];
        for piece in bytes.chunks_mut(PIECE) {
            let update = self.0.update(piece, &mut done).expect("the buffer is large enough");
            piece.copy_from_slice(update.written());
        }
    }
}

/// How packets are separated inside the stream. The proxy passes packets on as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Tag `ef`: lengths of one or four bytes, in words.
    Abridged,
    /// Tag `ee`: lengths of four bytes.
    Intermediate,
    /// Tag `dd`: intermediate with random padding.
    Padded,
}

impl Transport {
    const fn from_tag(tag: [u8; 4]) -> Option<Self> {
        match tag {
            [0xef, 0xef, 0xef, 0xef] => Some(Self::Abridged),
            [0xee, 0xee, 0xee, 0xee] => Some(Self::Intermediate),
            [0xdd, 0xdd, 0xdd, 0xdd] => Some(Self::Padded),
            _ => None,
        }
    }

    const fn tag(self) -> [u8; 4] {
        match self {
            Self::Abridged => [0xef; 4],
            Self::Intermediate => [0xee; 4],
            Self::Padded => [0xdd; 4],
        }
    }
}

/// A client's init that was accepted: both cipher streams, and what the client asks for.
#[derive(Debug)]
pub struct Accepted {
    /// Decrypts what the client sends.
    pub from_client: Stream,
    /// Encrypts what is sent to the client.
    pub to_client: Stream,
    /// The transport inside the streams.
    pub transport: Transport,
    /// The index of the data centre; a negative one is for media.
    pub dc: i16,
}

/// Whether an init that avoids other protocols can begin with `head`; HTTP and TLS cannot.
pub fn may_begin(head: &[u8]) -> bool {
    let word: Option<&[u8; 4]> = head.first_chunk();
    head.first() != Some(&0xef) && word.is_none_or(|word| !FORBIDDEN.contains(word))
}

/// Decrypts a client's init with `secret`; `None` if the client used another secret.
pub fn accept(init: &[u8; INIT], secret: &[u8; 16]) -> Option<Accepted> {
    let mut from_client = stream(init, Some(secret));
    let mut plain = *init;
    from_client.apply(&mut plain);
    let transport = Transport::from_tag(*plain[TAG..].first_chunk()?)?;
    let dc = i16::from_le_bytes(*plain[DC..].first_chunk()?);
    let mut reversed = *init;
    reversed[KEY..TAG].reverse();
    Some(Accepted { from_client, to_client: stream(&reversed, Some(secret)), transport, dc })
}

/// A connection that the proxy opens to a data centre: the init, and the streams that follow it.
#[derive(Debug)]
pub struct Opened {
    /// The init, to be sent first.
    pub init: [u8; INIT],
    /// Encrypts what is sent to the data centre.
    pub to_dc: Stream,
    /// Decrypts what the data centre sends.
    pub from_dc: Stream,
}

/// Makes the init for a connection to data centre `dc`. `random` gives fresh bytes; it is called again while they look like
/// another protocol.
pub fn open(transport: Transport, dc: i16, mut random: impl FnMut() -> [u8; INIT]) -> Opened {
    let mut init = random();
    while !may_begin(&init) || init[4..8] == [0; 4] {
        init = random();
    }
    init[TAG..DC].copy_from_slice(&transport.tag());
    init[DC..DC + 2].copy_from_slice(&dc.to_le_bytes());
    let mut reversed = init;
    reversed[KEY..TAG].reverse();
    let (mut to_dc, from_dc) = (stream(&init, None), stream(&reversed, None));
    let mut encrypted = init;
    to_dc.apply(&mut encrypted);
    init[TAG..].copy_from_slice(&encrypted[TAG..]);
    Opened { init, to_dc, from_dc }
}

/// The stream with the key and the vector in `init`. The secret of a proxy, if there is one, is hashed into the key.
fn stream(init: &[u8; INIT], secret: Option<&[u8; 16]>) -> Stream {
    let (mut key, mut iv) = ([0; 32], [0; 16]);
    key.copy_from_slice(&init[KEY..IV]);
    iv.copy_from_slice(&init[IV..TAG]);
    if let Some(secret) = secret {
        key = Sha256::new().chain_update(key).chain_update(secret).finalize().into();
    }
    Stream::new(&key, &iv)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    /// The init and the streams of a client: as those towards a data centre, but with a secret.
    fn client(transport: Transport, dc: i16, secret: &[u8; 16], mut init: [u8; INIT]) -> ([u8; INIT], Stream, Stream) {
        init[TAG..DC].copy_from_slice(&transport.tag());
        init[DC..DC + 2].copy_from_slice(&dc.to_le_bytes());
        let mut reversed = init;
        reversed[KEY..TAG].reverse();
        let (mut up, down) = (stream(&init, Some(secret)), stream(&reversed, Some(secret)));
        let mut encrypted = init;
        up.apply(&mut encrypted);
        init[TAG..].copy_from_slice(&encrypted[TAG..]);
        (init, up, down)
    }

    fn transport() -> impl Strategy<Value = Transport> {
        prop::sample::select(vec![Transport::Abridged, Transport::Intermediate, Transport::Padded])
    }

    proptest! {
        #[test]
        fn an_init_is_accepted_with_its_own_secret_only(
            secret: [u8; 16], other: [u8; 16], init in prop::array::uniform32(any::<[u8; 2]>()),
            transport in transport(), dc: i16, sent: Vec<u8>, answered: Vec<u8>,
        ) {
            let init: [u8; INIT] = init.concat().try_into().unwrap();
            let (init, mut up, mut down) = client(transport, dc, &secret, init);
            let mut accepted = accept(&init, &secret).unwrap();
            prop_assert_eq!((accepted.transport, accepted.dc), (transport, dc));
            let mut bytes = sent.clone();
            up.apply(&mut bytes);
            accepted.from_client.apply(&mut bytes);
            prop_assert_eq!(bytes, sent);
            let mut bytes = answered.clone();
            accepted.to_client.apply(&mut bytes);
            down.apply(&mut bytes);
            prop_assert_eq!(bytes, answered);
            prop_assert!(other == secret || accept(&init, &other).is_none());
        }

        #[test]
        fn an_init_for_a_data_centre_names_transport_and_index(seed: u8, transport in transport(), dc: i16) {
            let mut next = seed;
            let opened = open(transport, dc, || { next = next.wrapping_add(1); [next; INIT] });
            prop_assert!(may_begin(&opened.init));
            let mut plain = opened.init;
            stream(&opened.init, None).apply(&mut plain);
            prop_assert_eq!(Transport::from_tag(plain[TAG..DC].try_into().unwrap()), Some(transport));
            prop_assert_eq!(i16::from_le_bytes([plain[DC], plain[DC + 1]]), dc);
        }
    }

    #[rstest]
    #[case(b"GET / HTTP/1.1", false)]
    #[case(b"HEAD", false)]
    #[case(&[0x16, 3, 1, 2], false)]
    #[case(&[0xef], false)]
    #[case(&[0xee, 0xee, 0xee, 0xee], false)]
    #[case(b"GET", true)]
    #[case(&[], true)]
    #[case(&[0x16, 3, 1, 3], true)]
    fn other_protocols_are_recognised_by_their_first_word(#[case] head: &[u8], #[case] possible: bool) {
        assert_eq!(may_begin(head), possible);
    }
}
