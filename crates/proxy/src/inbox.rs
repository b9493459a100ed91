//! A fresh connection whose first bytes are looked at before it is known what they are.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// Bytes asked for at a time.
const STEP: usize = 2_048;

/// A connection and what was read of it.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) stream: TcpStream,
    pub(crate) bytes: Vec<u8>,
}

/// Why there are no more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoMore {
    /// The client sent nothing for too long.
    Silent,
    /// It will send nothing more.
    Ended,
    /// The connection is broken.
    Broken,
}

impl Inbox {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, bytes: Vec::new() }
    }

    /// Waits for more bytes, at most `quiet`, and never past `deadline`.
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
        // Exactly, because many visitors may each hold one.
        self.bytes.reserve_exact(STEP);
        self.stream.read_buf(&mut self.bytes).await
    }
}
