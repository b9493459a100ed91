//! TLS records (RFC 8446, section 5.1): headers for records to be sent, their lengths, and a reader of a stream of records.

/// Bytes of a record's header.
pub const HEADER: usize = 5;
/// Most bytes of plaintext in a record (RFC 8446, section 5.1).
const MAX_PLAINTEXT: usize = 1 << 14;
/// Longest body of a record from a peer (RFC 8446, section 5.2).
const MAX_BODY: usize = MAX_PLAINTEXT + 256;
/// Bytes that TLS 1.3 adds to the plaintext: the inner content type, and the tag of the usual suites (RFC 8446, section
/// 5.2).
const EXPANSION: usize = 1 + 16;
/// Shortest body of an application record in TLS 1.3. A shorter one shows that the stream is not TLS.
pub const MIN_PAYLOAD: usize = EXPANSION;
/// Most bytes of payload in a record that the proxy sends: the body of a TLS 1.3 record with as much plaintext as fits.
pub const MAX_PAYLOAD: usize = MAX_PLAINTEXT + EXPANSION;
/// Records of the small length, and after them of the middle length, before records become full.
const STEP: u32 = 40;
/// Plaintext in the first records, so that each fits into one TCP segment, and in the records after them. Servers that
/// adapt the length of their records to the age of a connection do the same.
const SMALL: usize = 1_369;
const MIDDLE: usize = 4_229;

/// The lengths of the next records of a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RecordSizes {
    /// Records that were sent already, counted up to the first full one.
    sent: u32,
}

impl RecordSizes {
    /// Most bytes of payload in the record that comes `number` records after the next one.
    pub(crate) const fn size(self, number: usize) -> usize {
        let number = self.sent as usize + number;
        let plaintext = if number < STEP as usize {
            SMALL
        } else if number < 2 * STEP as usize {
            MIDDLE
        } else {
            MAX_PLAINTEXT
        };
        plaintext + EXPANSION
    }

    /// Notes that so many records were sent.
    pub(crate) fn advance(&mut self, records: usize) {
        self.sent = self.sent.saturating_add(u32::try_from(records).unwrap_or(u32::MAX)).min(2 * STEP);
    }

    /// The lengths of the records that carry `payload` bytes. If the last record would be shorter than [`MIN_PAYLOAD`],
    /// the one before it leaves that many bytes to it. A record is too short only if the whole payload is.
    pub(crate) fn records(self, payload: usize) -> impl Iterator<Item = usize> {
        let (mut rest, mut number) = (payload, 0);
        std::iter::from_fn(move || {
            let size = self.size(number);
            let length = match rest.checked_sub(size) {
                None | Some(0) => rest,
                Some(1..MIN_PAYLOAD) => size - MIN_PAYLOAD,
                Some(_) => size,
            };
            number += 1;
            rest -= length;
            (length > 0).then_some(length)
        })
    }
}

pub(super) const HANDSHAKE: u8 = 0x16;
pub(super) const APPLICATION: u8 = 0x17;
const CHANGE: u8 = 0x14;
/// The record `ChangeCipherSpec`, which has no meaning in TLS 1.3 (RFC 8446, section 5).
pub(super) const CHANGE_CIPHER_SPEC: [u8; 6] = [CHANGE, 3, 3, 0, 1, 1];

/// The header of a record with a body of `length` bytes, at most 16,640.
pub(super) const fn header(kind: u8, length: usize) -> [u8; HEADER] {
    #[expect(clippy::cast_possible_truncation, reason = "two bytes hold it")]
    let [high, low] = (length as u16).to_be_bytes();
    [kind, 3, 3, high, low]
}

/// A record of a kind or length that is not allowed in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record of this kind or length is not expected")]
pub struct RecordError;

/// Takes the payload out of a stream of application records, which arrives in pieces of any length. Nothing is held back:
/// the payload of an incomplete record is given at once.
#[derive(Debug, Clone, Default)]
pub struct Unframer {
    header: [u8; HEADER],
    /// Bytes of the header that have arrived.
    filled: usize,
    /// Bytes of the body that are still to come.
    remaining: usize,
}

impl Unframer {
    /// Moves the payload in `bytes` to their front and returns its length. Fails at a record that is not allowed.
    pub fn unframe(&mut self, bytes: &mut [u8]) -> Result<usize, RecordError> {
        let (mut at, mut kept) = (0, 0);
        while at < bytes.len() {
            if self.remaining == 0 {
                at += self.take_header(&bytes[at..])?;
                continue;
            }
            let length = self.remaining.min(bytes.len() - at);
            if self.header[0] == APPLICATION {
                bytes.copy_within(at..at + length, kept);
                kept += length;
            }
            at += length;
            self.remaining -= length;
            if self.remaining == 0 {
                self.filled = 0;
            }
        }
        Ok(kept)
    }

    /// Reads a header as far as it is there, and returns how many bytes were read.
    fn take_header(&mut self, bytes: &[u8]) -> Result<usize, RecordError> {
        let taken = (HEADER - self.filled).min(bytes.len());
        self.header[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        if self.filled == HEADER {
            self.remaining = self.checked_length()?;
            if self.remaining == 0 {
                self.filled = 0;
            }
        }
        Ok(taken)
    }

    fn checked_length(&self) -> Result<usize, RecordError> {
        let [kind, major, minor, high, low] = self.header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let fits = match kind {
            APPLICATION => length <= MAX_BODY,
            CHANGE => length == 1,
            _ => false,
        };
        if fits && (major, minor) == (3, 3) { Ok(length) } else { Err(RecordError) }
    }
}

/// The header of an application record with a body of `length` bytes, at most 16,640.
pub const fn application_header(length: usize) -> [u8; HEADER] {
    header(APPLICATION, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_grow_with_the_number_of_records_sent() {
        let mut sizes = RecordSizes::default();
        assert_eq!(
            [0, 39, 40, 79, 80, 9_000].map(|number| sizes.size(number)),
            [1_386, 1_386, 4_246, 4_246, 16_401, 16_401]
        );
        sizes.advance(79);
        assert_eq!([0, 1].map(|number| sizes.size(number)), [4_246, 16_401]);
        sizes.advance(usize::MAX);
        assert_eq!(sizes.size(0), 16_401);
    }

    proptest! {
        #[test]
        fn records_hold_the_whole_payload_and_have_lengths_of_tls(payload in 1..300_000_usize, sent in 0..100_usize) {
            let mut sizes = RecordSizes::default();
            sizes.advance(sent);
            let lengths: Vec<usize> = sizes.records(payload).collect();
            prop_assert_eq!(lengths.iter().sum::<usize>(), payload);
            prop_assert!(payload < MIN_PAYLOAD || lengths.iter().all(|length| (MIN_PAYLOAD..=MAX_BODY).contains(length)));
            prop_assert!(!lengths.windows(2).any(|pair| pair == [MAX_PLAINTEXT; 2]));
        }
    }
}
