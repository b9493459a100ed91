//! The socket of a connection, wrapped for the HTTP library.
//!
//! It passes one head at a time to the library, and only heads that are well formed. It ends connections on which a head
//! takes too long or an answer is taken too slowly, and closes the socket in a way that does not lose the last answer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::StatusCode;
use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::Bounds;
use super::connections::{Connection, Reading};
use super::head::{MAX_HEAD, Scan, Scanner};
use super::pace::Pace;
use super::refusal;

/// Bytes of an answer that the system buffers before it sends them. It is small, so that a slow client takes little memory
/// and its progress is measured in small steps.
const UNSENT: u32 = 16 << 10;
/// After the last answer, bytes that the client still sends are read and discarded for so long. Otherwise the system would
/// reset the connection, and the client might lose the answer.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes of one read from the socket, at most.
const CHUNK: usize = 8 << 10;

#[derive(Debug)]
pub(super) struct Stream {
    socket: TcpStream,
    connection: Arc<Connection>,
    bounds: Bounds,
    /// When the connection was opened; `None` after the first complete head.
    opened: Option<Instant>,
    /// Bytes that were read and not yet passed to the library.
    ahead: BytesMut,
    scanner: Scanner,
    /// When the first byte of the present head arrived.
    head_began: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// The unsent rest of an answer that this stream gives itself. After it nothing more is read.
    refusal: Option<Bytes>,
    pace: Pace,
    /// Whether the client must take bytes before more can be written.
    is_blocked: bool,
    linger: Option<Pin<Box<Sleep>>>,
    is_ended: bool,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, connection: Arc<Connection>, bounds: Bounds) -> Self {
        // These save memory and time; nothing depends on them, so errors are ignored.
        let _ = socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT);
        let _ = socket.set_nodelay(true);
        Self {
            socket,
            connection,
            bounds,
            opened: Some(Instant::now()),
            ahead: BytesMut::new(),
            scanner: Scanner::default(),
            head_began: None,
            timer: None,
            refusal: None,
            pace: Pace::new(bounds.write),
            is_blocked: false,
            linger: None,
            is_ended: false,
        }
    }

    /// Reads from the socket into `ahead`; 0 bytes at the end of the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [0; CHUNK];
        let mut space = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut space))?;
        let length = space.filled().len();
        self.ahead.extend_from_slice(space.filled());
        self.is_ended |= length == 0;
        Poll::Ready(Ok(length))
    }

    /// Passes bytes from `ahead` to the library, and returns how many.
    fn pass_on(&mut self, buf: &mut ReadBuf<'_>, most: usize) -> usize {
        let length = most.min(self.ahead.len()).min(buf.remaining());
        buf.put_slice(&self.ahead[..length]);
        self.ahead.advance(length);
        length
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            while self.ahead.starts_with(b"\r\n") {
                self.ahead.advance(2);
            }
            let scan = self.scanner.scan(&self.ahead);
            // The next head waits until the present answer is sent.
            let must_wait = self.connection.is_answering() || self.is_blocked;
            let refusal = match scan {
                Scan::Incomplete => None,
                Scan::Complete(_) | Scan::BareLineEnd | Scan::TooLarge if must_wait => return self.poll_hang_up(cx),
                Scan::Complete(length) => {
                    (self.head_began, self.timer, self.opened) = (None, None, None);
                    let left = length - self.pass_on(buf, length);
                    self.connection.set_reading(Reading::Given(left));
                    return Poll::Ready(Ok(()));
                }
                Scan::BareLineEnd => Some(StatusCode::BAD_REQUEST),
                Scan::TooLarge => Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            };
            if let Some(status) = refusal {
                return self.refuse(status, cx);
            }
            match self.poll_fill(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(_)) => {
                    self.head_began.get_or_insert_with(Instant::now);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.poll_deadline(cx),
            }
        }
    }

    /// Waits for the client to hang up while the next request is complete in `ahead`.
    fn poll_hang_up(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.wait_to_read(cx);
        if self.ahead.len() > 2 * MAX_HEAD {
            return Poll::Pending;
        }
        match ready!(self.poll_fill(cx)) {
            Ok(0) => Poll::Ready(Ok(())),
            Ok(_) => self.poll_hang_up(cx),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Waits for more of a head until its deadline, and then ends the connection.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.connection.is_answering() {
                self.timer = None;
                self.connection.wait_to_read(cx);
                return Poll::Pending;
            }
            let idle_since = self.connection.since();
            let deadline = match (self.head_began, self.opened) {
                (Some(began), _) => began.max(idle_since) + self.bounds.head,
                (None, Some(opened)) => opened + self.bounds.head,
                (None, None) => idle_since + self.bounds.idle,
            };
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(cx));
            if Instant::now() < deadline {
                continue;
            }
            return match self.head_began {
                Some(_) if !self.is_blocked => self.refuse(StatusCode::REQUEST_TIMEOUT, cx),
                _ => Poll::Ready(Ok(())),
            };
        }
    }

    /// Answers in place of the library, for which the connection ends here.
    fn refuse(&mut self, status: StatusCode, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.refusal = Some(refusal::answer(status));
        self.poll_refusal(cx)
    }

    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.refusal.clone().filter(|rest| !rest.is_empty()) {
            let written = Pin::new(&mut self.socket).poll_write(cx, &rest);
            let written = ready!(self.paced(cx, written, rest.len()))?;
            self.refusal = Some(rest.slice(written..));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_body(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>, most: usize) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() && ready!(self.poll_fill(cx))? == 0 {
            return Poll::Ready(Ok(()));
        }
        let length = self.pass_on(buf, most);
        self.connection.count_read(length);
        Poll::Ready(Ok(()))
    }

    /// Checks the rate at which the client takes what is written.
    fn paced(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
        offered: usize,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => {
                self.is_blocked = true;
                ready!(self.pace.poll_too_slow(cx));
                self.connection.cut();
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes the answer too slowly")))
            }
            Poll::Ready(Ok(length)) => {
                self.connection.touch();
                self.pace.count(length);
                self.is_blocked = length < offered;
                if !self.is_blocked {
                    self.pace.reset();
                    if !self.connection.is_answering() {
                        self.connection.wake_reader();
                    }
                }
                Poll::Ready(Ok(length))
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }

    /// Replaces the answer that begins with these bytes if it is the library's refusal of a head, which would have no headers.
    /// `true` if it is replaced.
    fn replaces(&mut self, answer: &[u8]) -> bool {
        let is_unread = matches!(self.connection.reading(), Reading::Given(_)) && !self.is_blocked;
        if let Some(status) = refusal::status(answer).filter(|_| is_unread && self.refusal.is_none()) {
            self.refusal = Some(refusal::answer(status));
        }
        self.refusal.is_some()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.connection.is_cut() {
            // The system discards what the client has not taken.
            let _ = self.socket.set_zero_linger();
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.refusal.is_some() {
            // Nothing more is read: for the library this is the end of the stream.
            return this.poll_refusal(cx);
        }
        match this.connection.reading() {
            Reading::Head => this.poll_head(cx, buf),
            // The library has the whole head, and acts on it before it reads more.
            Reading::Given(0) => Poll::Pending,
            Reading::Given(left) => {
                let left = left - this.pass_on(buf, left);
                this.connection.set_reading(Reading::Given(left));
                Poll::Ready(Ok(()))
            }
            Reading::Body(left) => this.poll_body(cx, buf, usize::try_from(left).unwrap_or(usize::MAX)),
            Reading::Rest => this.poll_body(cx, buf, usize::MAX),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.replaces(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut this.socket).poll_write(cx, bytes);
        this.paced(cx, written, bytes.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let length = parts.iter().map(|part| part.len()).sum();
        if this.replaces(parts.first().map_or(&[], |part| part)) {
            return Poll::Ready(Ok(length));
        }
        let written = Pin::new(&mut this.socket).poll_write_vectored(cx, parts);
        this.paced(cx, written, length)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_refusal(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_refusal(cx))?;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
            this.linger = Some(Box::pin(tokio::time::sleep(LINGER)));
            this.connection.touch();
        }
        while !this.is_ended {
            this.ahead.clear();
            match this.poll_fill(cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => break,
                Poll::Pending => {
                    if let Some(linger) = this.linger.as_mut() {
                        ready!(linger.as_mut().poll(cx));
                    }
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}
