//! Bytes from one socket to another and back, until either ends.
//!
//! A direction that waits holds no buffer, so that an idle connection costs little; a direction that has read writes all
//! of it before it reads on. The two never wait for one another, so that with both full every transfer goes on.
//!
//! Bytes are counted as soon as the system has taken them, whatever becomes of the relay afterwards: what is delivered is
//! counted, and what is not delivered is not.

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

/// How long a few bytes are held back that would make a record shorter than TLS 1.3 can have.
const SHORT_RECORD: Duration = Duration::from_millis(100);

/// How long nothing may move.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quiet {
    /// As long as both directions are open.
    pub(crate) open: Duration,
    /// When one has ended.
    pub(crate) half_closed: Duration,
}

/// What is done with bytes on their way.
pub(crate) trait Transform {
    /// The sizes of the records into which it puts what is read, if it does; what is read must leave room for their headers
    /// then.
    fn records(&self) -> Option<RecordSizes> {
        None
    }

    /// How much may still be read; with 0, the direction ends.
    fn room(&self) -> usize {
        usize::MAX
    }

    /// How long to wait before more is read.
    fn wait(&mut self) -> Duration {
        Duration::ZERO
    }

    /// Makes the first `read` bytes (of the payload, if it has [`Transform::records`]) ready to be written, and tells how
    /// many of them are payload. They stand at the beginning, with a header before each record if it has
    /// [`Transform::records`].
    fn apply(&mut self, buffer: &mut [u8], read: usize) -> io::Result<usize>;
}

/// When bytes last moved, in milliseconds since the relay began.
struct Activity {
    began: Instant,
    last: AtomicU64,
}

impl Activity {
    fn touch(&self) {
        self.last.store(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Waits until nothing has moved for `idle`.
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

/// Relays until one side breaks off, both have ended, or there was `quiet` for too long. What moves is counted in
/// `account`, and ends with its quota.
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
            ended = &mut up => { ended?; lingering(down, &activity, quiet).await }
            ended = &mut down => { ended?; lingering(up, &activity, quiet).await }
        }
    };
    tokio::select! {
        ended = both => ended,
        () = activity.ceased(quiet.open) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// The other direction, when one has ended.
async fn lingering(other: impl Future<Output = io::Result<()>>, activity: &Activity, quiet: Quiet) -> io::Result<()> {
    activity.touch();
    tokio::select! {
        ended = other => ended,
        () = activity.ceased(quiet.half_closed) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// One direction.
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
        // No more than may move is taken in.
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

/// Waits a moment for more, if there is less than TLS 1.3 can have in a record. Data centres send a few bytes alone (quick
/// acknowledgements), and more follows soon.
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

/// Writes everything, and counts the payload in what the system takes at each step.
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
