//! The `ClientHello`: its length, its content, and the proof in its random.

use std::fmt;
use std::ops::Range;

use subtle::ConstantTimeEq;

use super::record::HEADER;
use crate::wire::key::lanes::{self, LANES, Words};
use crate::wire::key::{HmacKey, PaddedMessage};

/// Bytes of the record that hold the random (RFC 8446, sections 4 and 4.1.2).
pub const RANDOM: Range<usize> = 11..43;
/// Longest plaintext of a record (RFC 8446, section 5.1).
pub(super) const MAX_RECORD: usize = 1 << 14;
/// Bytes before the session id's length.
const FIXED: usize = RANDOM.end;
/// Shortest body: fixed fields, no session id, one cipher suite, one compression method.
pub(super) const MIN_RECORD: usize = FIXED - HEADER + 1 + 4 + 2;
/// Bytes of the random that are compared with the HMAC; the four after them carry the time.
const COMPARED: usize = 28;

const EXTENSION_SERVER_NAME: u16 = 0;
const EXTENSION_KEY_SHARE: u16 = 0x33;
const X25519: u16 = 0x1d;
const TLS13_SUITES: [u16; 3] = [0x1301, 0x1302, 0x1303];

/// The bytes are not a `ClientHello` in a single record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a ClientHello in one TLS record")]
pub struct HelloError;

/// The length in bytes of the record that begins with `head`, with its header; `None` while more bytes are needed to know
/// it.
///
/// Fails as soon as a byte cannot belong to a `ClientHello`.
pub fn record_length(head: &[u8]) -> Result<Option<usize>, HelloError> {
    let fits = [|byte| byte == 0x16, |byte| byte == 3, |byte| byte <= 3];
    if head.iter().zip(fits).any(|(&byte, fits)| !fits(byte)) {
        return Err(HelloError);
    }
    let Some(&[high, low]) = head.get(3..HEADER) else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if (MIN_RECORD..=MAX_RECORD).contains(&length) { Ok(Some(HEADER + length)) } else { Err(HelloError) }
}

/// The parts of a `ClientHello` that the proxy needs.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientHello {
    /// The random, which proves the secret.
    pub random: [u8; 32],
    /// The session id, at most 32 bytes; a server sends it back.
    pub session_id: Vec<u8>,
    /// The first TLS 1.3 cipher suite that is offered.
    pub cipher_suite: Option<u16>,
    /// The server name (SNI), in lower case.
    pub server_name: Option<String>,
    /// Whether it has a key share for x25519. Without one no server may answer with x25519 (RFC 8446, section 4.2.8).
    pub shares_x25519: bool,
}

impl fmt::Debug for ClientHello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHello").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

/// Reads values one after another; fails at the end of the bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], HelloError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(HelloError)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, HelloError> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, HelloError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A vector with its length in one byte before it.
    fn short(&mut self) -> Result<Self, HelloError> {
        let length = self.u8()?.into();
        self.take(length).map(Self)
    }

    /// A vector with its length in two bytes before it.
    fn long(&mut self) -> Result<Self, HelloError> {
        let length = self.u16()?.into();
        self.take(length).map(Self)
    }
}

impl ClientHello {
    /// Parses a complete record (RFC 8446, section 4.1.2). Fails if its length or its fields before the extensions are
    /// wrong.
    ///
    /// Only the proof decides whether a client is valid. So this reads what the answer needs, and it stops without an
    /// error at the first extension that it cannot read.
    pub fn parse(record: &[u8]) -> Result<Self, HelloError> {
        if record_length(record)? != Some(record.len()) {
            return Err(HelloError);
        }
        let mut body = Reader(&record[HEADER..]);
        if body.u8()? != 1 || body.u8()? != 0 || usize::from(body.u16()?) > body.0.len() {
            return Err(HelloError);
        }
        body.take(2)?;
        let random = body.take(32)?.try_into().map_err(|_| HelloError)?;
        let session_id = body.short()?.0;
        if session_id.len() > 32 {
            return Err(HelloError);
        }
        let cipher_suite = tls13_suite(body.long()?);
        body.short()?;
        let session_id = session_id.to_vec();
        let mut hello = Self { random, session_id, cipher_suite, server_name: None, shares_x25519: false };
        // An error only ends the reading: extensions read before it are kept.
        let _ = hello.read_extensions(body);
        Ok(hello)
    }

    fn read_extensions(&mut self, mut body: Reader<'_>) -> Result<(), HelloError> {
        let length = body.u16()?.into();
        let mut extensions = Reader(body.0.get(..length).unwrap_or(body.0));
        loop {
            let kind = extensions.u16()?;
            let data = extensions.long()?;
            match kind {
                EXTENSION_SERVER_NAME => self.server_name = server_name(data).ok().flatten(),
                EXTENSION_KEY_SHARE => self.shares_x25519 = shares_x25519(data).unwrap_or(false),
                _ => {}
            }
        }
    }
}

fn tls13_suite(mut suites: Reader<'_>) -> Option<u16> {
    while let Ok(suite) = suites.u16() {
        if TLS13_SUITES.contains(&suite) {
            return Some(suite);
        }
    }
    None
}

/// The first host name (RFC 6066, section 3).
fn server_name(mut data: Reader<'_>) -> Result<Option<String>, HelloError> {
    let mut names = data.long()?;
    while !names.0.is_empty() {
        let kind = names.u8()?;
        let name = names.long()?.0;
        if kind == 0 {
            let name = std::str::from_utf8(name).map_err(|_| HelloError)?;
            return Ok(Some(name.to_ascii_lowercase()));
        }
    }
    Ok(None)
}

fn shares_x25519(mut data: Reader<'_>) -> Result<bool, HelloError> {
    let mut shares = data.long()?;
    while !shares.0.is_empty() {
        let group = shares.u16()?;
        let key = shares.long()?.0;
        if group == X25519 && key.len() == 32 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A hello prepared for comparison with many keys.
#[derive(Debug, Clone)]
pub struct HelloProof {
    message: PaddedMessage,
    random: [u8; 32],
}

impl HelloProof {
    /// Prepares a record that [`ClientHello::parse`] has accepted, with its random.
    pub fn new(record: &[u8], random: [u8; 32]) -> Self {
        let (before, rest) = record.split_at(RANDOM.start.min(record.len()));
        let after = rest.get(random.len()..).unwrap_or_default();
        Self { message: PaddedMessage::new(&[before, &[0; 32], after]), random }
    }

    /// The client's time in seconds since 1970, if the hello was made with `key`. The comparison takes the same time at
    /// whatever byte the HMAC and the random differ.
    pub fn time_if_valid(&self, key: &HmacKey) -> Option<u32> {
        let code = key.code(&self.message);
        if !bool::from(code[..COMPARED].ct_eq(&self.random[..COMPARED])) {
            return None;
        }
        let mut time = [0; 4];
        for (index, byte) in time.iter_mut().enumerate() {
            *byte = code[COMPARED + index] ^ self.random[COMPARED + index];
        }
        Some(u32::from_le_bytes(time))
    }

    /// The index of the first of `keys` with which the hello was made, and the client's time in seconds since 1970.
    pub fn first_valid(&self, keys: &[HmacKey]) -> Option<(usize, u32)> {
        let (groups, rest) = if lanes::are_fast() { keys.as_chunks::<LANES>() } else { (&[][..], keys) };
        let mut groups = lanes::codes(&self.message, groups).into_iter().enumerate();
        let found = groups.find_map(|(group, codes)| {
            let (lane, time) = self.valid_lane(&codes)?;
            Some((group * LANES + lane, time))
        });
        let rest_from = keys.len() - rest.len();
        let mut rest = rest.iter().zip(rest_from..);
        found.or_else(|| rest.find_map(|(key, index)| Some((index, self.time_if_valid(key)?))))
    }

    fn valid_lane(&self, codes: &[Words; 8]) -> Option<(usize, u32)> {
        let mut random = self.random.as_chunks().0.iter().map(|bytes| u32::from_be_bytes(*bytes));
        let mut differences: Words = [0; LANES];
        let mut last: Words = [0; LANES];
        for (words, random) in codes.iter().zip(&mut random) {
            for (difference, last) in differences.iter_mut().zip(&last) {
                *difference |= last;
            }
            last = words.map(|word| word ^ random);
        }
        let lane = differences.iter().position(|&difference| difference == 0)?;
        Some((lane, last[lane].swap_bytes()))
    }

    /// How many times the compression function of SHA-256 runs for one key.
    pub(crate) fn compressions(&self) -> usize {
        self.message.compressions()
    }
}
