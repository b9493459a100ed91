//! A new connection together with the bytes that were read from it to identify it.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// Most bytes that are read at a time.
const STEP: usize = 2_048;

/// A connection, and the bytes that were read from it and not used yet.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) stream: TcpStream,
    pub(crate) bytes: Vec<u8>,
}

/// Why no more bytes were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoMore {
    /// The client has sent nothing for too long.
    Silent,
    /// The client has ended its direction.
    Ended,
    /// The connection is broken.
    Broken,
}

impl Inbox {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, bytes: Vec::new() }
    }

    /// Waits for more bytes, for at most `quiet` and not past `deadline`.
    pub(crate) async fn more(&mut self, quiet: Duration, deadline: Instant) -> Result<(), NoMore> {
        let end = deadline.min(Instant::now() + quiet);
        match timeout_at(end, self.read()).await {
            Ok(Ok(0)) => Err(NoMore::Ended),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(NoMore::Broken),
            Err(_) => Err(NoMore::Silent),
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.stream.readable().await?;
        // No more space than needed, because many visitors may each hold a buffer.
        self.bytes.reserve_exact(STEP);
        self.stream.read_buf(&mut self.bytes).await
    }
}
