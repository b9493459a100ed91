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
/// Buffers kept for later, at most: 16 MiB.
const KEPT: usize = 256;

/// A stock of buffers.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Vec<Box<[u8]>>>);

/// A buffer that goes back when it is dropped.
pub(crate) struct Buffer<'a> {
    stock: &'a Buffers,
    bytes: Box<[u8]>,
}

impl Buffers {
    /// A buffer of 64 KiB; what stands in it is left over from others.
    pub(crate) fn take(&self) -> Buffer<'_> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Buffer { stock: self, bytes: kept.unwrap_or_else(|| vec![0; SLOTS * SLOT].into_boxed_slice()) }
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        let mut kept = self.stock.0.lock().unwrap_or_else(PoisonError::into_inner);
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

/// Reads what is there; with `framed`, leaves room for a header before each record's payload.
pub(super) fn read(from: &ReadHalf<'_>, buffer: &mut [u8], framed: bool) -> io::Result<usize> {
    if !framed {
        return from.try_read(buffer);
    }
    let mut slots = buffer.chunks_exact_mut(SLOT).map(|slot| IoSliceMut::new(&mut slot[HEADER..]));
    let mut payloads: [IoSliceMut<'_>; SLOTS] =
        std::array::from_fn(|_| slots.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
    from.try_read_vectored(&mut payloads)
}
