//! The answer to a valid `ClientHello`: `ServerHello`, `ChangeCipherSpec` and a first application record.

use super::hello::{ClientHello, RANDOM};
use super::record::{APPLICATION, CHANGE_CIPHER_SPEC, HANDSHAKE, header};
use crate::wire::key::{HmacKey, PaddedMessage};

/// Suite of the answer if the client offers none of TLS 1.3: `TLS_AES_128_GCM_SHA256` (RFC 8446, appendix B.4).
const DEFAULT_SUITE: u16 = 0x1301;
/// Extensions of a TLS 1.3 `ServerHello` without their values: `key_share` with x25519, `supported_versions` with 1.3.
const KEY_SHARE: [u8; 8] = [0, 0x33, 0, 0x24, 0, 0x1d, 0, 0x20];
const SUPPORTED_VERSIONS: [u8; 6] = [0, 0x2b, 0, 2, 3, 4];

/// Builds the whole answer to `hello`, which was made with `key`.
///
/// `private` is a fresh x25519 private key. Only its public key is used, in the key share; no secret is agreed with it.
/// `noise` fills the first application record, which takes the place of the encrypted certificate.
///
/// The server's random is the HMAC of the client's random followed by the answer with a random of zeros.
pub fn server_answer(key: &HmacKey, hello: &ClientHello, private: [u8; 32], noise: &[u8]) -> Vec<u8> {
    let public = x25519_dalek::x25519(private, x25519_dalek::X25519_BASEPOINT_BYTES);
    let server_hello = server_hello(hello, &public);
    let mut answer = Vec::with_capacity(server_hello.len() + noise.len() + 32);
    answer.extend_from_slice(&header(HANDSHAKE, server_hello.len()));
    answer.extend_from_slice(&server_hello);
    answer.extend_from_slice(&CHANGE_CIPHER_SPEC);
    answer.extend_from_slice(&header(APPLICATION, noise.len()));
    answer.extend_from_slice(noise);
    let random = key.code(&PaddedMessage::new(&[&hello.random, &answer]));
    answer[RANDOM].copy_from_slice(&random);
    answer
}

/// The handshake message (RFC 8446, section 4.1.3) with a random of zeros.
fn server_hello(hello: &ClientHello, public: &[u8; 32]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[0; 32]);
    body.push(u8::try_from(hello.session_id.len()).unwrap_or(0));
    body.extend_from_slice(&hello.session_id);
    body.extend_from_slice(&hello.cipher_suite.unwrap_or(DEFAULT_SUITE).to_be_bytes());
    body.push(0);
    let extensions = [&KEY_SHARE[..], public, &SUPPORTED_VERSIONS].concat();
    body.extend_from_slice(&length16(extensions.len()));
    body.extend_from_slice(&extensions);
    let mut message = vec![2, 0];
    message.extend_from_slice(&length16(body.len()));
    message.extend_from_slice(&body);
    message
}

fn length16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}
