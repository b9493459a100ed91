//! Records (RFC 8446, section 5.1): headers for what we send, and a reader that takes bytes as they come.

/// Bytes of a record's header.
pub const HEADER: usize = 5;
/// Most plaintext in a record (RFC 8446, section 5.1).
const MAX_PLAINTEXT: usize = 1 << 14;
/// Longest body that a peer may send (RFC 8446, section 5.2).
const MAX_BODY: usize = MAX_PLAINTEXT + 256;
/// What TLS 1.3 adds to the plaintext: the inner content type, and the tag of every suite in use (RFC 8446, section 5.2).
const EXPANSION: usize = 1 + 16;
/// Shortest body that TLS 1.3 can have. A shorter one shows that this is no TLS.
pub const MIN_PAYLOAD: usize = EXPANSION;
/// Most payload that we put into a record: what a TLS 1.3 server makes of a full record.
pub const MAX_PAYLOAD: usize = MAX_PLAINTEXT + EXPANSION;
/// Records at each of the two lengths before the full one.
const STEP: u32 = 40;
/// Plaintext in the first records, so that each fits into one segment, and in those after them. Servers that adapt the
/// length of their records to a new connection do the same.
const SMALL: usize = 1_369;
const MIDDLE: usize = 4_229;

/// How long the next records of a connection are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RecordSizes {
    /// Records that were sent before.
    sent: u32,
}

impl RecordSizes {
    /// Most payload in the record that comes `number` records after the next one.
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

    /// Counts records that were sent.
    pub(crate) fn advance(&mut self, records: usize) {
        self.sent = self.sent.saturating_add(u32::try_from(records).unwrap_or(u32::MAX)).min(2 * STEP);
    }

    /// The lengths of the records for so much payload. The last one but one gives some of its payload to the last, if that were
    /// shorter than TLS 1.3 allows. Only where all of the payload is shorter, the record is.
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
/// The whole record `ChangeCipherSpec`, which carries nothing (RFC 8446, section 5).
pub(super) const CHANGE_CIPHER_SPEC: [u8; 6] = [CHANGE, 3, 3, 0, 1, 1];

/// The header of a record of `length` bytes, at most 16,640.
pub(super) const fn header(kind: u8, length: usize) -> [u8; HEADER] {
    #[expect(clippy::cast_possible_truncation, reason = "two bytes hold it")]
    let [high, low] = (length as u16).to_be_bytes();
    [kind, 3, 3, high, low]
}

/// A record that does not belong into the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record of this kind or length is not expected")]
pub struct RecordError;

/// Takes the payload out of a stream of application records, however it was cut into pieces. Nothing is held back: the
/// first half of a record is handed on before its second half is there.
#[derive(Debug, Clone, Default)]
pub struct Unframer {
    header: [u8; HEADER],
    /// Bytes of the header that are there.
    filled: usize,
    /// Bytes of the body that are still to come.
    remaining: usize,
}

impl Unframer {
    /// Moves the payload within `bytes` to its front and tells its length.
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

    /// Takes what there is of a header and tells how much that was.
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

/// The header of an application record of `length` bytes, at most 16,640.
pub const fn application_header(length: usize) -> [u8; HEADER] {
    header(APPLICATION, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_grow_with_the_number_of_those_before() {
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
        fn records_hold_all_of_the_payload_and_none_is_impossible(payload in 1..300_000_usize, sent in 0..100_usize) {
            let mut sizes = RecordSizes::default();
            sizes.advance(sent);
            let lengths: Vec<usize> = sizes.records(payload).collect();
            prop_assert_eq!(lengths.iter().sum::<usize>(), payload);
            prop_assert!(payload < MIN_PAYLOAD || lengths.iter().all(|length| (MIN_PAYLOAD..=MAX_BODY).contains(length)));
            prop_assert!(!lengths.windows(2).any(|pair| pair == [MAX_PLAINTEXT; 2]));
        }
    }
}
