//! Buffers that are shared by all relays and held only while bytes are on their way.

use std::io::{self, IoSliceMut};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::tcp::ReadHalf;

use crate::faketls::{HEADER, MAX_PAYLOAD};

/// A record with its header.
pub(super) const SLOT: usize = HEADER + MAX_PAYLOAD;
/// Records in a large buffer, 256 KiB: fewer turns to the system, each of which costs as much as ciphering 64 KiB.
const LARGE: usize = 16;
/// Large buffers, at most: 8 MiB. Further transfers do with smaller ones.
const MOST_LARGE: usize = 32;
/// Records in a buffer when the large ones are out, 64 KiB.
const MEDIUM: usize = 4;
/// Buffers of a size that are kept for later, at most.
const KEPT: usize = 128;

/// Stocks of buffers, the larger ones first; the last has no limit.
#[derive(Debug)]
pub(crate) struct Buffers(Vec<Stock>);

/// Buffers of one size.
#[derive(Debug)]
struct Stock {
    size: usize,
    /// Buffers that there may be.
    limit: usize,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    kept: Vec<Box<[u8]>>,
    /// Those that are kept and those that are out.
    made: usize,
}

/// A buffer that goes back when it is dropped.
pub(crate) struct Buffer<'a> {
    stock: &'a Stock,
    bytes: Box<[u8]>,
}

impl Buffers {
    /// For clients.
    pub(crate) fn for_clients() -> Self {
        Self(vec![Stock::new(LARGE * SLOT, MOST_LARGE), Stock::new(MEDIUM * SLOT, usize::MAX)])
    }

    /// For strangers, of whom many may stop reading at once: 4 KiB each.
    pub(crate) fn for_strangers() -> Self {
        Self(vec![Stock::new(4_096, usize::MAX)])
    }

    /// Bytes in the largest.
    pub(super) fn size(&self) -> usize {
        self.0[0].size
    }

    /// The largest buffer that is left; what stands in it is left over from others.
    pub(crate) fn take(&self) -> Buffer<'_> {
        self.0.iter().find_map(Stock::take).expect("the last stock has no limit")
    }
}

impl Stock {
    fn new(size: usize, limit: usize) -> Self {
        Self { size, limit, shelf: Mutex::default() }
    }

    fn take(&self) -> Option<Buffer<'_>> {
        let mut stored = self.lock();
        let kept = stored.kept.pop();
        if kept.is_none() {
            if stored.made == self.limit {
                return None;
            }
            stored.made += 1;
        }
        drop(stored);
        Some(Buffer { stock: self, bytes: kept.unwrap_or_else(|| vec![0; self.size].into_boxed_slice()) })
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        let mut stored = self.stock.lock();
        if stored.kept.len() < KEPT {
            stored.kept.push(std::mem::take(&mut self.bytes));
        } else {
            stored.made -= 1;
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
    let mut payloads: [IoSliceMut<'_>; LARGE] =
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

    #[test]
    fn when_the_large_buffers_are_out_smaller_ones_are_given_and_each_goes_back_to_its_own() {
        let buffers = Buffers::for_clients();
        for _ in 0..2 {
            let taken: Vec<_> = (0..MOST_LARGE + KEPT + 5).map(|_| buffers.take()).collect();
            let sizes = taken.iter().map(|buffer| buffer.len());
            let expected = (0..taken.len()).map(|at| if at < MOST_LARGE { LARGE * SLOT } else { MEDIUM * SLOT });
            assert!(sizes.eq(expected));
        }
        let kept = buffers.0.iter().map(|stock| stock.lock().kept.len());
        assert!(kept.eq([MOST_LARGE, KEPT]));
    }

    proptest! {
        #[test]
        fn payload_is_counted_byte_by_byte(payload in 1..LARGE * MAX_PAYLOAD, short in 0..SLOT) {
            let whole = framed_length(payload);
            prop_assert_eq!(payload_within(whole), payload);
            let part = whole.saturating_sub(short);
            let headers_before = (0..part).filter(|at| at % SLOT < HEADER).count();
            prop_assert_eq!(payload_within(part), part - headers_before);
        }
    }
}
