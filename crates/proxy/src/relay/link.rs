//! The two transforms between a client and a data centre: decrypt, encrypt.

use std::io;

use super::Transform;
use super::buffers::SLOT;
use crate::faketls::{HEADER, MAX_PAYLOAD, Unframer, application_header};
use crate::obfuscated2::Stream;

/// From the client to the data centre.
#[derive(Debug)]
pub(crate) struct Uplink {
    /// Takes records apart, if the client speaks FakeTLS.
    pub(crate) unframer: Option<Unframer>,
    pub(crate) from_client: Stream,
    pub(crate) to_dc: Stream,
}

impl Uplink {
    /// Makes payload ready that is out of its records already.
    pub(crate) fn recrypt(&mut self, payload: &mut [u8]) {
        self.from_client.apply(payload);
        self.to_dc.apply(payload);
    }
}

impl Transform for Uplink {
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
    /// Whether the client gets records.
    pub(crate) framed: bool,
    pub(crate) from_dc: Stream,
    pub(crate) to_client: Stream,
}

impl Transform for Downlink {
    fn frames(&self) -> bool {
        self.framed
    }

    fn apply(&mut self, buffer: &mut [u8], read: usize) -> io::Result<usize> {
        let mut recrypt = |bytes: &mut [u8]| {
            self.from_dc.apply(bytes);
            self.to_client.apply(bytes);
        };
        if self.framed {
            fill_records(buffer, read, recrypt);
        } else {
            recrypt(&mut buffer[..read]);
        }
        Ok(read)
    }
}

/// Recrypts `length` bytes of payload that stand in slots, and puts the headers before them.
fn fill_records(buffer: &mut [u8], length: usize, mut recrypt: impl FnMut(&mut [u8])) {
    let mut rest = length;
    for slot in buffer.chunks_mut(SLOT) {
        let payload = rest.min(MAX_PAYLOAD);
        if payload == 0 {
            break;
        }
        slot[..HEADER].copy_from_slice(&application_header(payload));
        recrypt(&mut slot[HEADER..HEADER + payload]);
        rest -= payload;
    }
}
