//! A small Telegram client: the obfuscated transport with padding, with FakeTLS or without TLS.

use std::io;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use mtpannel_proxy::wire::key::{HmacKey, PaddedMessage};
use mtpannel_proxy::wire::{RANDOM, Unframer, application_header};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) type Cipher = Ctr128BE<Aes256>;

/// Random bytes.
#[expect(clippy::disallowed_methods, reason = "tests need no port")]
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

#[expect(clippy::disallowed_methods, reason = "tests need no port")]
pub(crate) fn unix_time() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

pub(crate) fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// An extension of a `ClientHello`.
pub(crate) fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), vector16(data)].concat()
}

/// The extension with the server name.
pub(crate) fn server_name(name: &str) -> Vec<u8> {
    extension(0, &vector16(&[&[0][..], &vector16(name.as_bytes())].concat()))
}

/// The extension with a key share for x25519.
pub(crate) fn key_share() -> Vec<u8> {
    extension(51, &vector16(&[&[0, 0x1d][..], &vector16(&random::<32>())].concat()))
}

/// A `ClientHello` for `name` that proves `secret` at `time`, with `padding` bytes of padding.
pub(crate) fn hello(secret: &[u8; 16], name: &str, padding: usize, time: u32) -> Vec<u8> {
    let extensions = [server_name(name), key_share(), extension(21, &vec![0; padding])].concat();
    hello_ending(secret, &vector16(&extensions), time)
}

/// A `ClientHello` that proves `secret` at `time` and ends with `tail`: usually the extensions with their length.
pub(crate) fn hello_ending(secret: &[u8; 16], tail: &[u8], time: u32) -> Vec<u8> {
    let mut body = [vec![3, 3], vec![0; 32], vec![32], random::<32>().to_vec()].concat();
    body.extend(vector16(&[0x13, 1, 0x13, 2]));
    body.extend([1, 0]);
    body.extend(tail);
    let mut record = [&[0x16, 3, 1][..], &vector16(&[&[1, 0][..], &vector16(&body)].concat())].concat();
    let mut proof = HmacKey::new(secret).code(&PaddedMessage::new(&[&record]));
    proof[28..].iter_mut().zip(time.to_le_bytes()).for_each(|(byte, time)| *byte ^= time);
    record[RANDOM].copy_from_slice(&proof);
    record
}

/// The init of a client, and its ciphers for sending and receiving.
pub(crate) fn init(secret: &[u8; 16], tag: u8, dc: i16) -> ([u8; 64], Cipher, Cipher) {
    init_beginning(secret, tag, dc, &[1])
}

fn init_beginning(secret: &[u8; 16], tag: u8, dc: i16, first: &[u8]) -> ([u8; 64], Cipher, Cipher) {
    let mut init: [u8; 64] = random();
    init[..first.len()].copy_from_slice(first);
    init[56..60].fill(tag);
    init[60..62].copy_from_slice(&dc.to_le_bytes());
    let cipher = |init: &[u8; 64]| {
        let key = Sha256::new().chain_update(&init[8..40]).chain_update(secret).finalize();
        Cipher::new_from_slices(&key, &init[40..56]).unwrap()
    };
    let mut reversed = init;
    reversed[8..56].reverse();
    let (mut up, down) = (cipher(&init), cipher(&reversed));
    let mut encrypted = init;
    up.apply_keystream(&mut encrypted);
    init[56..].copy_from_slice(&encrypted[56..]);
    (init, up, down)
}

/// A connected client.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    up: Cipher,
    down: Cipher,
    unframer: Option<Unframer>,
    /// Decrypted payload that was received and not read yet.
    pending: Vec<u8>,
}

impl Client {
    /// Connects a FakeTLS client of data centre 2.
    pub(crate) async fn connect(address: SocketAddr, secret: &[u8; 16]) -> io::Result<Self> {
        Self::tunnel(TcpStream::connect(address).await?, secret, 400).await
    }

    /// Connects a FakeTLS client of this data centre.
    pub(crate) async fn of_centre(address: SocketAddr, secret: &[u8; 16], dc: i16) -> io::Result<Self> {
        Self::tunnel_to(TcpStream::connect(address).await?, secret, 0, dc).await
    }

    /// Starts FakeTLS over an open connection, for data centre 2.
    pub(crate) async fn tunnel(stream: TcpStream, secret: &[u8; 16], padding: usize) -> io::Result<Self> {
        Self::tunnel_to(stream, secret, padding, 2).await
    }

    async fn tunnel_to(mut stream: TcpStream, secret: &[u8; 16], padding: usize, dc: i16) -> io::Result<Self> {
        let hello = hello(secret, "mask.example", padding, unix_time());
        stream.write_all(&hello).await?;
        check_answer(&mut stream, secret, &hello).await?;
        let (init, up, down) = init(secret, 0xdd, dc);
        stream.write_all(&[0x14, 3, 3, 0, 1, 1]).await?;
        stream.write_all(&[&application_header(64)[..], &init].concat()).await?;
        Ok(Self { stream, up, down, unframer: Some(Unframer::default()), pending: Vec::new() })
    }

    /// Connects a client without TLS.
    pub(crate) async fn plain(address: SocketAddr, secret: &[u8; 16], tag: u8) -> io::Result<Self> {
        Self::plain_beginning(address, secret, tag, &[1]).await
    }

    /// Connects a client without TLS whose first bytes are `first`.
    pub(crate) async fn plain_beginning(
        address: SocketAddr,
        secret: &[u8; 16],
        tag: u8,
        first: &[u8],
    ) -> io::Result<Self> {
        Self::plain_over(TcpStream::connect(address).await?, secret, tag, first, -2).await
    }

    /// Starts a client without TLS over an open connection.
    pub(crate) async fn plain_over(
        mut stream: TcpStream,
        secret: &[u8; 16],
        tag: u8,
        first: &[u8],
        dc: i16,
    ) -> io::Result<Self> {
        let (init, up, down) = init_beginning(secret, tag, dc, first);
        stream.write_all(&init).await?;
        Ok(Self { stream, up, down, unframer: None, pending: Vec::new() })
    }

    pub(crate) async fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        let mut bytes = payload.to_vec();
        self.up.apply_keystream(&mut bytes);
        if self.unframer.is_none() {
            return self.stream.write_all(&bytes).await;
        }
        for chunk in bytes.chunks(2_878) {
            self.stream.write_all(&[&application_header(chunk.len())[..], chunk].concat()).await?;
        }
        Ok(())
    }

    /// Reads `length` bytes of payload, or fewer if the connection ends before.
    pub(crate) async fn receive(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; 65_536];
        while self.pending.len() < length {
            let read = self.stream.read(&mut buffer).await?;
            if read == 0 {
                break;
            }
            let kept = match &mut self.unframer {
                Some(unframer) => unframer.unframe(&mut buffer[..read]).map_err(io::Error::other)?,
                None => read,
            };
            self.down.apply_keystream(&mut buffer[..kept]);
            self.pending.extend_from_slice(&buffer[..kept]);
        }
        let rest = self.pending.split_off(length.min(self.pending.len()));
        Ok(std::mem::replace(&mut self.pending, rest))
    }

    /// Sends bytes to a data centre that sends them back, and checks that they come back.
    pub(crate) async fn echo(&mut self, payload: &[u8]) -> io::Result<()> {
        let expected = payload.to_vec();
        self.send(payload).await?;
        let received = self.receive(expected.len()).await?;
        if received == expected { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Waits until the proxy closes the connection.
    pub(crate) async fn closed(&mut self) {
        let mut buffer = [0; 1_024];
        while !matches!(self.stream.read(&mut buffer).await, Ok(0) | Err(_)) {}
    }
}

/// Reads the answer to a hello, and checks it like Telegram's clients (tdlib/td, `TlsInit.cpp`).
async fn check_answer(stream: &mut TcpStream, secret: &[u8; 16], hello: &[u8]) -> io::Result<()> {
    let mut answer = vec![0; 5];
    stream.read_exact(&mut answer).await?;
    for prefix in [&[0x16, 3, 3][..], &[0x14, 3, 3, 0, 1, 1, 0x17, 3, 3]] {
        let at = answer.len() - 5;
        let more = prefix.len() - 3;
        let mut rest = vec![0; more];
        stream.read_exact(&mut rest).await?;
        answer.extend(rest);
        if &answer[at..at + prefix.len()] != prefix {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let length = usize::from(u16::from_be_bytes([answer[at + prefix.len()], answer[at + prefix.len() + 1]]));
        let mut body = vec![0; length + if prefix.len() == 3 { 5 } else { 0 }];
        stream.read_exact(&mut body).await?;
        answer.extend(body);
    }
    let random = answer[RANDOM].to_vec();
    answer[RANDOM].fill(0);
    let code = HmacKey::new(secret).code(&PaddedMessage::new(&[&hello[RANDOM], &answer]));
    if code[..] == random[..] { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}
