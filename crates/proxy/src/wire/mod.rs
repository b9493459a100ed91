//! The bytes of the protocol, without I/O: FakeTLS, the obfuscated stream inside it, and PROXY headers.
//!
//! FakeTLS is a TLS 1.3 handshake in looks only. The client proves in its `ClientHello`'s random that it knows a secret, the
//! server proves the same in its `ServerHello`'s; afterwards application records carry the obfuscated stream as it is.
//!
//! Sources of the facts: RFC 8446 for every TLS structure; the open clients (tdlib/td, `TlsInit.cpp`) for what they
//! send and expect.

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

/// The alert `unrecognized_name`, fatal (RFC 8446, section 6; RFC 6066, section 3).
pub const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 112];
