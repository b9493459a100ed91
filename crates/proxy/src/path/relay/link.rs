//! The two transforms between a client and a data centre: decrypt, encrypt.

use std::io;

use super::Transform;
use crate::accounts::Session;
use crate::wire::first_frames::{Found, KeyFinder};
use crate::wire::obfuscated2::{Stream, Transport};
use crate::wire::{HEADER, MIN_PAYLOAD, RecordSizes, Unframer, application_header};

/// Messages that are looked at for a key: an exchange of keys takes three, and acknowledgements may stand between.
const MESSAGES: u8 = 16;

/// From the client to the data centre.
#[derive(Debug)]
pub(crate) struct Uplink<'a> {
    /// Takes records apart, if the client speaks FakeTLS.
    pub(crate) unframer: Option<Unframer>,
    pub(crate) from_client: Stream,
    pub(crate) to_dc: Stream,
    /// Looks for the client's key, as long as that matters.
    pub(crate) keys: Option<KeyWatch<'a>>,
}

/// Notes the key of a client's first encrypted message with its session.
#[derive(Debug)]
pub(crate) struct KeyWatch<'a> {
    finder: KeyFinder,
    session: &'a Session,
}

impl<'a> KeyWatch<'a> {
    pub(crate) const fn new(transport: Transport, session: &'a Session) -> Self {
        Self { finder: KeyFinder::new(transport, MESSAGES), session }
    }

    /// Takes decrypted payload; tells whether more is to be looked at.
    fn feed(&mut self, payload: &[u8]) -> bool {
        let found = self.finder.feed(payload);
        if let Found::Key(key) = found {
            self.session.set_key(key);
        }
        found == Found::NotYet
    }
}

impl Uplink<'_> {
    /// Makes payload ready that is out of its records already.
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
    /// The sizes of the next records, if the client gets records.
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

/// Recrypts `length` bytes of payload that stand in slots of these sizes, and puts the headers before them.
fn fill_records(buffer: &mut [u8], length: usize, sizes: &mut RecordSizes, mut recrypt: impl FnMut(&mut [u8])) {
    let (mut at, mut rest, mut last, mut slots) = (0, length, 0, 0);
    while rest > 0 {
        last = rest.min(sizes.size(slots));
        recrypt(&mut buffer[at + HEADER..at + HEADER + last]);
        at += HEADER + last;
        rest -= last;
        slots += 1;
    }
    if slots > 1 && last < MIN_PAYLOAD {
        // The end of the record before goes over to the last one.
        let end = at - last - HEADER;
        buffer.copy_within(end - MIN_PAYLOAD..end, end - MIN_PAYLOAD + HEADER);
    }
    at = 0;
    for size in sizes.records(length) {
        buffer[at..at + HEADER].copy_from_slice(&application_header(size));
        at += HEADER + size;
    }
    sizes.advance(slots);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn payload_in_slots_becomes_records_that_hold_it(length in 1..200_000_usize, sent in 0..100_usize) {
            let mut sizes = RecordSizes::default();
            sizes.advance(sent);
            let payload: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let (mut buffer, mut rest, mut slot) = (Vec::new(), &payload[..], 0);
            while !rest.is_empty() {
                let (body, after) = rest.split_at(rest.len().min(sizes.size(slot)));
                buffer.extend([&[0; HEADER][..], body].concat());
                (rest, slot) = (after, slot + 1);
            }
            fill_records(&mut buffer, length, &mut sizes, |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 0xff));
            let kept = Unframer::default().unframe(&mut buffer).unwrap();
            prop_assert!(buffer[..kept].iter().map(|byte| byte ^ 0xff).eq(payload));
        }
    }
}
