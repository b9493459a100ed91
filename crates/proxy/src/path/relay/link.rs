//! The two directions between a client and a data centre: bytes are decrypted from one side and encrypted for the other.

use std::io;

use super::Transform;
use crate::accounts::Session;
use crate::wire::first_frames::{Found, KeyFinder};
use crate::wire::obfuscated2::{Stream, Transport};
use crate::wire::{HEADER, MIN_PAYLOAD, RecordSizes, Unframer, application_header};

/// Messages in which a key is looked for. A key exchange takes three, and there may be acknowledgements between them.
const MESSAGES: u8 = 16;

/// From the client to the data centre.
#[derive(Debug)]
pub(crate) struct Uplink<'a> {
    /// Takes the payload out of records, if the client uses FakeTLS.
    pub(crate) unframer: Option<Unframer>,
    pub(crate) from_client: Stream,
    pub(crate) to_dc: Stream,
    /// Looks for the client's authorization key, until it is found. `None` if it is not needed.
    pub(crate) keys: Option<KeyWatch<'a>>,
}

/// Finds the key of a client's first encrypted message and stores it with the connection.
#[derive(Debug)]
pub(crate) struct KeyWatch<'a> {
    finder: KeyFinder,
    session: &'a Session,
}

impl<'a> KeyWatch<'a> {
    pub(crate) const fn new(transport: Transport, session: &'a Session) -> Self {
        Self { finder: KeyFinder::new(transport, MESSAGES), session }
    }

    /// Reads decrypted payload; returns whether more is needed.
    fn feed(&mut self, payload: &[u8]) -> bool {
        let found = self.finder.feed(payload);
        if let Found::Key(key) = found {
            self.session.set_key(key);
        }
        found == Found::NotYet
    }
}

impl Uplink<'_> {
    /// Prepares payload without record headers for the data centre.
    pub(crate) fn recrypt(&mut self, payload: &mut [u8]) {
        self.from_client.apply(payload);
        self.keys.take_if(|keys| !keys.feed(payload));
        self.to_dc.apply(payload);
    }
}

impl Transform for Uplink<'_> {
    fn apply(&mut self, buffer: &mut [u8], read: usize) -> io::Result<usize> {
        let length = match &mut self.unframer {
            Some(unframer) => unframer.unframe(&mut buffer[..read]).map_err(io::Error::other)?,
            None => read,
        };
        self.recrypt(&mut buffer[..length]);
        Ok(length)
    }
}

/// From the data centre to the client.
#[derive(Debug)]
pub(crate) struct Downlink {
    /// The sizes of the next records, if the client uses FakeTLS.
    pub(crate) records: Option<RecordSizes>,
    pub(crate) from_dc: Stream,
    pub(crate) to_client: Stream,
}

impl Transform for Downlink {
    fn records(&self) -> Option<RecordSizes> {
        self.records
    }

    fn apply(&mut self, buffer: &mut [u8], read: usize) -> io::Result<usize> {
        let mut recrypt = |bytes: &mut [u8]| {
            self.from_dc.apply(bytes);
            self.to_client.apply(bytes);
        };
        if let Some(sizes) = &mut self.records {
            fill_records(buffer, read, sizes, recrypt);
        } else {
            recrypt(&mut buffer[..read]);
        }
        Ok(read)
    }
}

/// Recrypts `length` bytes of payload and adds the headers of records. The payload stands in `buffer` in pieces of
/// `sizes`, with space for a header before each piece.
fn fill_records(buffer: &mut [u8], length: usize, sizes: &mut RecordSizes, mut recrypt: impl FnMut(&mut [u8])) {
    let (mut at, mut rest, mut last, mut records) = (0, length, 0, 0);
    while rest > 0 {
        last = rest.min(sizes.size(records));
        recrypt(&mut buffer[at + HEADER..at + HEADER + last]);
        at += HEADER + last;
        rest -= last;
        records += 1;
    }
    if records > 1 && last < MIN_PAYLOAD {
        // The end of the record before it is moved to the last record.
        let end = at - last - HEADER;
        buffer.copy_within(end - MIN_PAYLOAD..end, end - MIN_PAYLOAD + HEADER);
    }
    at = 0;
    for size in sizes.records(length) {
        buffer[at..at + HEADER].copy_from_slice(&application_header(size));
        at += HEADER + size;
    }
    sizes.advance(records);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_of_payload_become_records_that_hold_it(length in 1..200_000_usize, sent in 0..100_usize) {
            let mut sizes = RecordSizes::default();
            sizes.advance(sent);
            let payload: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let (mut buffer, mut rest, mut number) = (Vec::new(), &payload[..], 0);
            while !rest.is_empty() {
                let (body, after) = rest.split_at(rest.len().min(sizes.size(number)));
                buffer.extend([&[0; HEADER][..], body].concat());
                (rest, number) = (after, number + 1);
            }
            fill_records(&mut buffer, length, &mut sizes, |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 0xff));
            let kept = Unframer::default().unframe(&mut buffer).unwrap();
            prop_assert!(buffer[..kept].iter().map(|byte| byte ^ 0xff).eq(payload));
        }
    }
}
