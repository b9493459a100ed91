//! Bodies of requests: their least rate, their memory, and what happens to a body that the handler did not read.
//!
//! If an answer is sent before the body was read, the server would take the rest of the body for the next request. So the
//! rest is read and discarded first, or the answer says that the connection ends.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connections::Connection;
use super::pace::{Pace, Rate};
use crate::http::layers::{DISCARD_TIME, MAX_BODY, MAX_DISCARDED};
use crate::http::problem::Problem;

/// Memory for all bodies of a listener together, beyond [`FREE`] bytes each.
const MEMORY: usize = 16 << 20;
/// Bytes of every body that are not counted, so that small requests never have to wait for large ones.
const FREE: usize = 16 << 10;
/// The unit in which this memory is counted, in bytes.
const UNIT: usize = 1 << 10;
/// Longest wait for more of a body when the answer is ready.
const REST_PAUSE: Duration = Duration::from_secs(1);

/// Memory for bodies.
#[derive(Debug, Clone)]
pub(super) struct Memory(Arc<Semaphore>);

impl Default for Memory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MEMORY / UNIT)))
    }
}

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    TooSlow,
    NoMemory,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSlow => "the body came too slowly; try again",
            Self::NoMemory => "too many large requests at once; try again",
        })
    }
}

impl std::error::Error for Fault {}

/// What the handler leaves behind of a body.
#[derive(Debug, Default)]
struct Left {
    body: Option<Incoming>,
    fault: Option<Fault>,
    was_wanted: bool,
    memory: Option<OwnedSemaphorePermit>,
}

type Shared = Arc<Mutex<Left>>;

fn lock(shared: &Mutex<Left>) -> MutexGuard<'_, Left> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A body while a handler reads it.
struct Watched {
    body: Option<Incoming>,
    connection: Arc<Connection>,
    pace: Pace,
    received: usize,
    /// `None` if the body is too large and will be discarded.
    memory: Option<Memory>,
    shared: Shared,
}

/// The rest of a body when its request is answered.
pub(super) struct Rest {
    connection: Arc<Connection>,
    expects_continue: bool,
    shared: Shared,
}

/// Watches the body of a request. The second value is `None` if there is no body.
pub(super) fn watch(
    request: Request<Incoming>,
    connection: &Arc<Connection>,
    rate: Rate,
    memory: &Memory,
) -> (Request<Body>, Option<Rest>) {
    if request.body().is_end_stream() {
        return (request.map(|_| Body::empty()), None);
    }
    let shared = Shared::default();
    let rest = Rest {
        connection: Arc::clone(connection),
        expects_continue: request.headers().contains_key(header::EXPECT),
        shared: Arc::clone(&shared),
    };
    let request = request.map(|body| {
        let is_too_large = body.size_hint().lower() > MAX_BODY as u64;
        Body::new(Watched {
            body: Some(body),
            connection: Arc::clone(connection),
            pace: Pace::new(rate),
            received: 0,
            memory: (!is_too_large).then(|| memory.clone()),
            shared,
        })
    });
    (request, Some(rest))
}

impl Watched {
    /// Reserves memory for more bytes; `false` if there is none left.
    fn reserve(&mut self, bytes: usize) -> bool {
        let beyond = |received: usize| received.saturating_sub(FREE).div_ceil(UNIT);
        let before = beyond(self.received);
        self.received += bytes;
        let Some(memory) = &self.memory else { return true };
        let units = u32::try_from(beyond(self.received) - before).unwrap_or(u32::MAX);
        let Ok(permit) = Arc::clone(&memory.0).try_acquire_many_owned(units) else { return false };
        match &mut lock(&self.shared).memory {
            Some(held) => held.merge(permit),
            none => *none = Some(permit),
        }
        true
    }

    fn fail(&self, fault: Fault) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        lock(&self.shared).fault = Some(fault);
        Poll::Ready(Some(Err(axum::Error::new(fault))))
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        lock(&this.shared).was_wanted = true;
        match Pin::new(body).poll_frame(cx) {
            Poll::Pending => {
                this.connection.set_working(false);
                ready!(this.pace.poll_too_slow(cx));
                this.connection.set_working(true);
                this.fail(Fault::TooSlow)
            }
            Poll::Ready(frame) => {
                this.connection.set_working(true);
                let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
                this.pace.count(bytes);
                if !this.reserve(bytes) {
                    return this.fail(Fault::NoMemory);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        lock(&self.shared).body = self.body.take().filter(|body| !body.is_end_stream());
    }
}

impl Rest {
    /// Reads and discards the rest of the body, or adds to the answer that the connection ends.
    pub(super) async fn finish(self, mut response: Response) -> Response {
        let left = std::mem::take(&mut *lock(&self.shared));
        if let Some(fault) = left.fault
            && response.status().is_client_error()
            && response.status() != StatusCode::PAYLOAD_TOO_LARGE
        {
            let retry = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
            let mut headers = std::mem::take(response.headers_mut());
            headers.remove(header::CONTENT_LENGTH);
            response = (retry, Problem::unavailable(fault.to_string())).into_response();
            let own = std::mem::replace(response.headers_mut(), headers);
            response.headers_mut().extend(own);
        }
        let Some(body) = left.body else { return response };
        // A client that waits for `100 Continue` gets none, and it is not known whether it sends the body in spite of that.
        let is_awaited = self.expects_continue && !left.was_wanted;
        if is_awaited || left.fault.is_some() || !self.discard(body).await {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Reads and discards the rest as long as it comes; `true` if it was read to its end.
    async fn discard(&self, mut body: Incoming) -> bool {
        self.connection.set_working(false);
        let reading = async {
            let mut discarded = 0;
            while let Ok(frame) = tokio::time::timeout(REST_PAUSE, body.frame()).await {
                match frame {
                    None => return true,
                    Some(Err(_)) => return false,
                    Some(Ok(frame)) => discarded += frame.data_ref().map_or(0, Bytes::len),
                }
                if discarded > MAX_DISCARDED {
                    return false;
                }
            }
            false
        };
        tokio::time::timeout(DISCARD_TIME, reading).await.unwrap_or(false)
    }
}
