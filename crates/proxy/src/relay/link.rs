//! The two transforms between a client and a data centre: decrypt, count, encrypt.

use std::io;
use std::sync::Arc;

use super::buffers::SLOT;
use super::{Ready, Transform};
use crate::account::{Account, Direction};
use crate::faketls::{HEADER, MAX_PAYLOAD, Unframer, application_header};
use crate::obfuscated2::Stream;

/// From the client to the data centre.
#[derive(Debug)]
pub(crate) struct Uplink {
    pub(crate) account: Arc<Account>,
    /// Takes records apart, if the client speaks FakeTLS.
    pub(crate) unframer: Option<Unframer>,
    pub(crate) from_client: Stream,
    pub(crate) to_dc: Stream,
}

impl Uplink {
    /// Makes payload ready that is out of its records already.
    pub(crate) fn payload<'a>(&'a mut self, payload: &mut [u8]) -> Ready<'a> {
        let grant = self.account.grant(Direction::FromClient, payload.len());
        let length = grant.bytes();
        self.from_client.apply(&mut payload[..length]);
        self.to_dc.apply(&mut payload[..length]);
        Ready { range: 0..length, grant: Some(grant), last: length < payload.len() }
    }
}

impl Transform for Uplink {
    fn apply<'a>(&'a mut self, buffer: &mut [u8], read: usize) -> io::Result<Ready<'a>> {
        let length = match &mut self.unframer {
            Some(unframer) => unframer.unframe(&mut buffer[..read]).map_err(io::Error::other)?,
            None => read,
        };
        if length == 0 {
            return Ok(Ready { range: 0..0, grant: None, last: false });
        }
        Ok(self.payload(&mut buffer[..length]))
    }
}

/// From the data centre to the client.
#[derive(Debug)]
pub(crate) struct Downlink {
    pub(crate) account: Arc<Account>,
    /// Whether the client gets records.
    pub(crate) framed: bool,
    pub(crate) from_dc: Stream,
    pub(crate) to_client: Stream,
}

impl Transform for Downlink {
    fn frames(&self) -> bool {
        self.framed
    }

    fn apply<'a>(&'a mut self, buffer: &mut [u8], read: usize) -> io::Result<Ready<'a>> {
        let grant = self.account.grant(Direction::ToClient, read);
        let length = grant.bytes();
        let mut recrypt = |bytes: &mut [u8]| {
            self.from_dc.apply(bytes);
            self.to_client.apply(bytes);
        };
        let end = if self.framed {
            fill_records(buffer, length, recrypt)
        } else {
            recrypt(&mut buffer[..length]);
            length
        };
        Ok(Ready { range: 0..end, grant: Some(grant), last: length < read })
    }
}

/// Recrypts `length` bytes of payload that stand in slots, puts the headers before them, and tells where it all ends.
fn fill_records(buffer: &mut [u8], length: usize, mut recrypt: impl FnMut(&mut [u8])) -> usize {
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
    length + HEADER * length.div_ceil(MAX_PAYLOAD)
}
