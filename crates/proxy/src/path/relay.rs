//! Relays bytes between two sockets, in both directions.
//!
//! A direction that waits holds no buffer, so an idle connection costs little. A direction that has read bytes writes all
//! of them before it reads again. The directions do not wait for each other, so neither can block the other.
//!
//! Bytes are counted when the kernel accepts them for sending, whatever happens to the relay afterwards. Bytes that are not
//! sent are not counted.

mod link;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::Instant;

use super::buffers::{self, Buffers, Records};
use crate::accounts::{Account, Direction, Grant};
use crate::wire::{HEADER, MIN_PAYLOAD, RecordSizes};
pub(crate) use link::{Downlink, KeyWatch, Uplink};

/// How long a few bytes are held back for more, if they would make a record shorter than TLS 1.3 allows.
const SHORT_RECORD: Duration = Duration::from_millis(100);

/// After how long a relay without traffic ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quiet {
    /// While both directions are open.
    pub(crate) open: Duration,
    /// When one direction has ended.
    pub(crate) half_closed: Duration,
}

/// What is done with the bytes of one direction.
pub(crate) trait Transform {
    /// The sizes of the records into which the bytes are put; `None` if they are not. With records, bytes are read with
    /// space for a header before each of them.
    fn records(&self) -> Option<RecordSizes> {
        None
    }

    /// How many bytes may still be read; 0 ends the direction.
    fn room(&self) -> usize {
        usize::MAX
    }

    /// How long to wait before the next read.
    fn wait(&mut self) -> Duration {
        Duration::ZERO
    }

    /// Prepares the `read` bytes that were read for writing, and returns how many of them are payload. The result stands
    /// at the beginning of `buffer`; with [`Transform::records`], a header stands before the payload of each record.
    fn apply(&mut self, buffer: &mut [u8], read: usize) -> io::Result<usize>;
}

/// When bytes last moved.
struct Activity {
    began: Instant,
    /// Milliseconds since `began`.
    last: AtomicU64,
}

impl Activity {
    fn touch(&self) {
        self.last.store(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Waits until no bytes have moved for `idle`.
    async fn ceased(&self, idle: Duration) {
        loop {
            let end = self.began + Duration::from_millis(self.last.load(Relaxed)) + idle;
            if Instant::now() >= end {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}

/// Relays until a connection breaks, both directions have ended, or there was no traffic for as long as `quiet` says.
/// Bytes are counted in `account`, and the relay ends when its quota is used up.
pub(crate) async fn relay(
    client: &mut TcpStream,
    server: &mut TcpStream,
    up: &mut impl Transform,
    down: &mut impl Transform,
    account: Option<&Account>,
    buffers: &Buffers,
    quiet: Quiet,
) -> io::Result<()> {
    let activity = Activity { began: Instant::now(), last: AtomicU64::new(0) };
    let (client_read, mut client_write) = client.split();
    let (server_read, mut server_write) = server.split();
    let meter = |direction| account.map(|account| (account, direction));
    let up = pump(&client_read, &mut server_write, up, meter(Direction::FromClient), buffers, &activity);
    let down = pump(&server_read, &mut client_write, down, meter(Direction::ToClient), buffers, &activity);
    let both = async {
        tokio::pin!(up, down);
        tokio::select! {
            ended = &mut up => { ended?; finish(down, &activity, quiet).await }
            ended = &mut down => { ended?; finish(up, &activity, quiet).await }
        }
    };
    tokio::select! {
        ended = both => ended,
        () = activity.ceased(quiet.open) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Waits for the end of the second direction, after the first has ended.
async fn finish(other: impl Future<Output = io::Result<()>>, activity: &Activity, quiet: Quiet) -> io::Result<()> {
    activity.touch();
    tokio::select! {
        ended = other => ended,
        () = activity.ceased(quiet.half_closed) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Relays one direction until its end.
async fn pump(
    from: &ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    transform: &mut impl Transform,
    meter: Option<(&Account, Direction)>,
    buffers: &Buffers,
    activity: &Activity,
) -> io::Result<()> {
    loop {
        let wait = transform.wait();
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        if transform.room() == 0 {
            return to.shutdown().await;
        }
        from.readable().await?;
        let mut grant = match meter {
            Some((account, direction)) => {
                Some(account.grant(direction, buffers.size()).await.ok_or(io::ErrorKind::QuotaExceeded)?)
            }
            None => None,
        };
        let mut buffer = buffers.take();
        // No more is read than the quota lets move.
        let room = grant.as_ref().map_or(buffer.len(), |grant| grant.left().min(buffer.len())).min(transform.room());
        let sizes = transform.records();
        let mut read = match buffers::read(from, &mut buffer, room, sizes) {
            Ok(0) => return to.shutdown().await,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        if let Some(sizes) = sizes {
            read = complete(from, &mut buffer, room.min(sizes.size(0)), read).await?;
        }
        let payload = transform.apply(&mut buffer, read)?;
        if let Some(grant) = &mut grant {
            grant.keep(payload);
        }
        let records = sizes.map(|sizes| Records { sizes, payload });
        let end = records.map_or(payload, Records::length);
        write(to, &buffer[..end], records, grant, activity).await?;
    }
}

/// Waits for more bytes for a moment, if there are fewer than TLS 1.3 allows in a record. Data centres send quick
/// acknowledgements of a few bytes, and more usually follows soon.
async fn complete(from: &ReadHalf<'_>, buffer: &mut [u8], room: usize, mut read: usize) -> io::Result<usize> {
    let end = Instant::now() + SHORT_RECORD;
    while read < MIN_PAYLOAD && read < room {
        match tokio::time::timeout_at(end, from.readable()).await {
            Ok(ready) => ready?,
            Err(_) => break,
        }
        match from.try_read(&mut buffer[HEADER + read..HEADER + room]) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Writes all bytes, and counts the payload among those that the kernel accepts with each call.
async fn write(
    to: &mut WriteHalf<'_>,
    bytes: &[u8],
    records: Option<Records>,
    mut grant: Option<Grant<'_>>,
    activity: &Activity,
) -> io::Result<()> {
    let (mut at, mut counted) = (0, 0);
    while at < bytes.len() {
        at += match to.write(&bytes[at..]).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => written,
        };
        let payload = records.map_or(at, |records| records.payload_within(at));
        if let Some(grant) = &mut grant {
            grant.spend(payload - counted);
        }
        counted = payload;
        activity.touch();
    }
    Ok(())
}
