//! Records (RFC 8446, section 5.1): headers for what we send, and a reader that takes bytes as they come.

/// Bytes of a record's header.
pub const HEADER: usize = 5;
/// Most payload that we put into a record.
pub const MAX_PAYLOAD: usize = 1 << 14;
/// Longest body that a peer may send (RFC 8446, section 5.2).
const MAX_BODY: usize = MAX_PAYLOAD + 256;

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
