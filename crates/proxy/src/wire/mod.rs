//! The formats on the wire, without I/O: FakeTLS, the obfuscated stream inside it, and PROXY headers.
//!
//! FakeTLS only looks like a TLS 1.3 handshake. The random of the `ClientHello` proves that the client knows a secret,
//! and the random of the `ServerHello` proves the same of the server. After that, application records carry the
//! obfuscated stream. Nothing is encrypted by TLS.
//!
//! Sources: RFC 8446 for every TLS structure; the open source of Telegram's clients (tdlib/td, `TlsInit.cpp`) for what they
//! send and accept.

mod answer;
pub mod first_frames;
mod fragments;
mod hello;
pub mod key;
pub mod obfuscated2;
pub mod proxy_protocol;
mod record;
#[cfg(test)]
mod tests;

pub use answer::server_answer;
pub use fragments::{hello_length, in_one_record};
pub use hello::{ClientHello, HelloError, HelloProof, RANDOM, record_length};
pub(crate) use record::RecordSizes;
pub use record::{HEADER, MAX_PAYLOAD, MIN_PAYLOAD, RecordError, Unframer, application_header};

/// A record with the fatal alert `unrecognized_name` (RFC 8446, section 6; RFC 6066, section 3).
pub const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 112];
