//! Buffers that all relays share. A relay holds one only while it has bytes to pass on.

use std::io::{self, IoSliceMut};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::tcp::ReadHalf;

use crate::wire::{HEADER, MAX_PAYLOAD, RecordSizes};

/// Bytes of the longest record with its header.
const SLOT: usize = HEADER + MAX_PAYLOAD;
/// Records in a large buffer, about 256 KiB. Large buffers need fewer system calls, each of which costs as much as
/// encrypting 64 KiB.
const LARGE: usize = 16;
/// Most large buffers, 8 MiB together. Further transfers use smaller ones.
const MOST_LARGE: usize = 32;
/// Records in the buffers that are used when no large one is left, about 64 KiB.
const MEDIUM: usize = 4;
/// Most buffers of one size that are kept for later use.
const KEPT: usize = 128;

/// Stocks of buffers, the largest size first. The last stock has no limit.
#[derive(Debug)]
pub(crate) struct Buffers(Vec<Stock>);

/// Buffers of one size.
#[derive(Debug)]
struct Stock {
    size: usize,
    /// Most buffers that may exist.
    limit: usize,
    shelf: Mutex<Shelf>,
}

/// The state of a stock.
#[derive(Debug, Default)]
struct Shelf {
    /// Free buffers.
    kept: Vec<Box<[u8]>>,
    /// Number of buffers that exist, free or in use.
    made: usize,
}

/// A buffer in use; it is returned to its stock when it is dropped.
pub(crate) struct Buffer<'a> {
    stock: &'a Stock,
    bytes: Box<[u8]>,
}

impl Buffers {
    /// Buffers for the relays of clients.
    pub(crate) fn for_clients() -> Self {
        Self(vec![Stock::new(LARGE * SLOT, MOST_LARGE), Stock::new(MEDIUM * SLOT, usize::MAX)])
    }

    /// Buffers for the relays of visitors, of 4 KiB, because many visitors may stop reading at the same time.
    pub(crate) fn for_visitors() -> Self {
        Self(vec![Stock::new(4_096, usize::MAX)])
    }

    /// Bytes in the largest buffer.
    pub(super) fn size(&self) -> usize {
        self.0[0].size
    }

    /// Takes the largest buffer that is available. Its content is left over from earlier uses.
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

/// Reads what has arrived, at most `room` bytes, without waiting. With `sizes`, the payload of each record is read to
/// where a header fits before it. Returns how many bytes were read.
pub(super) fn read(
    from: &ReadHalf<'_>,
    buffer: &mut [u8],
    room: usize,
    sizes: Option<RecordSizes>,
) -> io::Result<usize> {
    let Some(sizes) = sizes else { return from.try_read(&mut buffer[..room]) };
    let (mut rest, mut left) = (room, buffer);
    let mut payloads: [IoSliceMut<'_>; LARGE] = std::array::from_fn(|number| {
        let slot = left.split_off_mut(..HEADER + sizes.size(number)).unwrap_or_default();
        let length = rest.min(slot.len().saturating_sub(HEADER));
        rest -= length;
        IoSliceMut::new(slot.get_mut(HEADER..HEADER + length).unwrap_or_default())
    });
    from.try_read_vectored(&mut payloads)
}

/// Payload that is sent in records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Records {
    pub(super) sizes: RecordSizes,
    pub(super) payload: usize,
}

impl Records {
    /// Bytes of all records, with their headers.
    pub(super) fn length(self) -> usize {
        self.payload + HEADER * self.sizes.records(self.payload).count()
    }

    /// Bytes of payload within the first `length` bytes of the records.
    pub(super) fn payload_within(self, length: usize) -> usize {
        let mut rest = length;
        let within = self.sizes.records(self.payload).map(|size| {
            let record = rest.min(HEADER + size);
            rest -= record;
            record.saturating_sub(HEADER)
        });
        within.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn when_no_large_buffer_is_left_smaller_ones_are_given_and_each_returns_to_its_stock() {
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
        fn payload_is_counted_byte_by_byte(payload in 1..LARGE * MAX_PAYLOAD, sent in 0..100_usize, short in 0..SLOT) {
            let mut sizes = RecordSizes::default();
            sizes.advance(sent);
            let records = Records { sizes, payload };
            let whole = records.length();
            prop_assert_eq!(records.payload_within(whole), payload);
            let part = whole.saturating_sub(short);
            let (mut start, mut headers_before) = (0, 0);
            for size in sizes.records(payload) {
                headers_before += (start..start + HEADER).filter(|&at| at < part).count();
                start += HEADER + size;
            }
            prop_assert_eq!(records.payload_within(part), part - headers_before);
        }
    }
}
