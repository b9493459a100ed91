//! The obfuscated transport: 64 bytes of which keys and vectors of two AES-256-CTR streams are cut, one for each
//! direction (core.telegram.org/mtproto/mtproto-transports, "Transport obfuscation").

use std::fmt;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, StreamingEncryptingKey, UnboundCipherKey};
use sha2::{Digest, Sha256};

/// Bytes of the init.
pub const INIT: usize = 64;
const KEY: usize = 8;
const IV: usize = 40;
const TAG: usize = 56;
const DC: usize = 60;

const BLOCK: usize = 16;
/// Bytes that are ciphered at a time: they stay in the nearest cache.
const PIECE: usize = 4_096;

/// First words that would look like another protocol: HTTP verbs, TLS, and the unobfuscated transports' tags.
const FORBIDDEN: [[u8; 4]; 7] = [*b"HEAD", *b"POST", *b"GET ", *b"OPTI", [0x16, 3, 1, 2], [0xdd; 4], [0xee; 4]];

/// One direction's cipher stream.
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
        // The library calls a vector less safe that it has not drawn itself. Here both ends draw it.
        Self(StreamingEncryptingKey::less_safe_ctr(key, iv).expect("a key and a vector of their lengths"))
    }

    /// Encrypts or decrypts in place; both are the same.
    ///
    /// # Panics
    /// Never: there is always room.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        // The library wants room for a block that is never finished in a stream.
        let mut done = [0; PIECE + BLOCK - 1];
        for piece in bytes.chunks_mut(PIECE) {
            let update = self.0.update(piece, &mut done).expect("there is room");
            piece.copy_from_slice(update.written());
        }
    }
}

/// How packets are told apart inside the stream. The proxy hands them on as they are and needs to know only the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Tag `ef`.
    Abridged,
    /// Tag `ee`.
    Intermediate,
    /// Tag `dd`.
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

/// Both streams of a connection, and what the init asks for.
#[derive(Debug)]
pub struct Accepted {
    /// Decrypts what the client sends.
    pub from_client: Stream,
    /// Encrypts what the client gets.
    pub to_client: Stream,
    /// The transport inside.
    pub transport: Transport,
    /// The data centre's index; negative ones serve media.
    pub dc: i16,
}

/// Whether these first bytes can begin an init; HTTP and TLS cannot.
pub fn may_begin(head: &[u8]) -> bool {
    let word: Option<&[u8; 4]> = head.first_chunk();
    head.first() != Some(&0xef) && word.is_none_or(|word| !FORBIDDEN.contains(word))
}

/// Reads a client's init with a secret; `None` if the secret is not the one that the client used.
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

/// What we send to a data centre first, and the streams that follow.
#[derive(Debug)]
pub struct Opened {
    /// The init.
    pub init: [u8; INIT],
    /// Encrypts what we send.
    pub to_dc: Stream,
    /// Decrypts what we get.
    pub from_dc: Stream,
}

/// Opens a connection to data centre `dc`. `random` gives fresh bytes; it is asked again while they look like another
/// protocol.
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

/// The stream whose key and vector stand in `init`; a proxy's secret is mixed into the key.
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

    /// A client's side of the init: like ours towards a data centre, with a secret.
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
        fn what_a_client_opens_is_accepted_with_its_secret_only(
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
        fn what_we_open_names_transport_and_data_centre(seed: u8, transport in transport(), dc: i16) {
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
    fn other_protocols_are_known_by_their_first_word(#[case] head: &[u8], #[case] possible: bool) {
        assert_eq!(may_begin(head), possible);
    }
}
