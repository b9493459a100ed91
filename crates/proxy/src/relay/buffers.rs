//! Buffers that are shared by all relays and held only while bytes are on their way.

use std::io::{self, IoSliceMut};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use tokio::net::tcp::ReadHalf;

use crate::faketls::{HEADER, MAX_PAYLOAD};

/// A record with its header.
pub(super) const SLOT: usize = HEADER + MAX_PAYLOAD;
/// Records in a buffer.
const SLOTS: usize = 4;
/// Buffers that are kept for later, at most: 16 MiB of the large ones.
const KEPT: usize = 256;

/// A stock of buffers.
#[derive(Debug)]
pub(crate) struct Buffers {
    size: usize,
    kept: Mutex<Vec<Box<[u8]>>>,
}

/// A buffer that goes back when it is dropped.
pub(crate) struct Buffer<'a> {
    stock: &'a Buffers,
    bytes: Box<[u8]>,
}

impl Buffers {
    /// For clients: 64 KiB each.
    pub(crate) fn large() -> Self {
        Self { size: SLOTS * SLOT, kept: Mutex::default() }
    }

    /// For strangers, of whom many may stop reading at once: 4 KiB each.
    pub(crate) fn small() -> Self {
        Self { size: 4_096, kept: Mutex::default() }
    }

    /// Bytes in each.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// A buffer; what stands in it is left over from others.
    pub(crate) fn take(&self) -> Buffer<'_> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Buffer { stock: self, bytes: kept.unwrap_or_else(|| vec![0; self.size].into_boxed_slice()) }
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        let mut kept = self.stock.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(std::mem::take(&mut self.bytes));
        }
    }
}

impl Deref for Buffer<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// Reads what is there, at most `room` bytes; with `framed`, leaves room for a header before each record's payload.
pub(super) fn read(from: &ReadHalf<'_>, buffer: &mut [u8], room: usize, framed: bool) -> io::Result<usize> {
    if !framed {
        return from.try_read(&mut buffer[..room]);
    }
    let mut rest = room;
    let mut slots = buffer.chunks_exact_mut(SLOT).map(|slot| {
        let length = rest.min(MAX_PAYLOAD);
        rest -= length;
        IoSliceMut::new(&mut slot[HEADER..HEADER + length])
    });
    let mut payloads: [IoSliceMut<'_>; SLOTS] =
        std::array::from_fn(|_| slots.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
    from.try_read_vectored(&mut payloads)
}

/// How long so much payload is with its headers.
pub(super) const fn framed_length(payload: usize) -> usize {
    payload + HEADER * payload.div_ceil(MAX_PAYLOAD)
}

/// How much payload stands in the first `length` bytes of records in slots.
pub(super) const fn payload_within(length: usize) -> usize {
    length / SLOT * MAX_PAYLOAD + (length % SLOT).saturating_sub(HEADER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn payload_is_counted_byte_by_byte(payload in 1..SLOTS * MAX_PAYLOAD, short in 0..SLOT) {
            let whole = framed_length(payload);
            prop_assert_eq!(payload_within(whole), payload);
            let part = whole.saturating_sub(short);
            let headers_before = (0..part).filter(|at| at % SLOT < HEADER).count();
            prop_assert_eq!(payload_within(part), part - headers_before);
        }
    }
}
