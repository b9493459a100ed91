//! Bytes from one socket to another and back, until either ends.
//!
//! A direction that waits holds no buffer, so that an idle connection costs little; a direction that has read writes all
//! of it before it reads on. The two never wait for one another, so that with both full every transfer goes on.

mod buffers;
mod link;
#[cfg(test)]
mod tests;

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::Instant;

use crate::account::Grant;
pub(crate) use buffers::Buffers;
pub(crate) use link::{Downlink, Uplink};

/// How long the other direction may go on when one has ended.
const LINGER: Duration = Duration::from_mins(1);

/// What a transform made of what was read.
#[derive(Debug)]
pub(crate) struct Ready<'a> {
    /// Where in the buffer the bytes to write stand.
    pub(crate) range: Range<usize>,
    /// What is counted once they are written.
    pub(crate) grant: Option<Grant<'a>>,
    /// Whether nothing may follow.
    pub(crate) last: bool,
}

/// What is done with bytes on their way.
pub(crate) trait Transform {
    /// Whether what is read must leave room for record headers.
    fn frames(&self) -> bool {
        false
    }

    /// Makes the first `read` bytes (of the payload, if it [`Transform::frames`]) ready to be written.
    fn apply<'a>(&'a mut self, buffer: &mut [u8], read: usize) -> io::Result<Ready<'a>>;
}

/// Nothing is done with them.
#[derive(Debug)]
pub(crate) struct Plain;

impl Transform for Plain {
    fn apply<'a>(&'a mut self, _: &mut [u8], read: usize) -> io::Result<Ready<'a>> {
        Ok(Ready { range: 0..read, grant: None, last: false })
    }
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

/// Relays until one side breaks off, both have ended, or nothing has moved for `idle`.
pub(crate) async fn relay(
    client: &mut TcpStream,
    server: &mut TcpStream,
    up: &mut impl Transform,
    down: &mut impl Transform,
    buffers: &Buffers,
    idle: Duration,
) -> io::Result<()> {
    let activity = Activity { began: Instant::now(), last: AtomicU64::new(0) };
    let (client_read, mut client_write) = client.split();
    let (server_read, mut server_write) = server.split();
    let up = pump(&client_read, &mut server_write, up, buffers, &activity);
    let down = pump(&server_read, &mut client_write, down, buffers, &activity);
    let both = async {
        tokio::pin!(up, down);
        tokio::select! {
            ended = &mut up => { ended?; lingering(down).await }
            ended = &mut down => { ended?; lingering(up).await }
        }
    };
    tokio::select! {
        ended = both => ended,
        () = activity.ceased(idle) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn lingering(other: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    tokio::time::timeout(LINGER, other).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// One direction.
async fn pump(
    from: &ReadHalf<'_>,
    to: &mut WriteHalf<'_>,
    transform: &mut impl Transform,
    buffers: &Buffers,
    activity: &Activity,
) -> io::Result<()> {
    loop {
        from.readable().await?;
        let mut buffer = buffers.take();
        let read = match buffers::read(from, &mut buffer, transform.frames()) {
            Ok(0) => return to.shutdown().await,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        let Ready { range, grant, last } = transform.apply(&mut buffer, read)?;
        to.write_all(&buffer[range]).await?;
        if let Some(grant) = grant {
            grant.spend();
        }
        activity.touch();
        if last {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
    }
}
