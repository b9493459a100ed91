//! Finds the authorization key of a client in the first messages that it sends.
//!
//! An encrypted `MTProto` message begins with the eight bytes of its key's identifier
//! (core.telegram.org/mtproto/description, "Encrypted message"). A device has keys of its own, so two connections with
//! the same key come from one device. Messages of a key exchange begin with eight zeros instead and do not identify a
//! device.

use std::num::NonZeroU64;

use crate::wire::obfuscated2::Transport;

/// Bit of a length that asks for a quick acknowledgement (core.telegram.org/mtproto/mtproto-transports).
const QUICK_ACK: u32 = 0x8000_0000;
/// First byte of an abridged length that is given in the three bytes after it.
const LONG: u8 = 0x7f;
/// Bytes of a key's identifier.
const ID: usize = 8;

/// What is known of a client's key so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// More bytes are needed.
    NotYet,
    /// The first encrypted message has this key.
    Key(NonZeroU64),
    /// None of the messages within the limit is encrypted.
    Nothing,
}

/// Reads the decrypted stream of one client, in pieces of any length.
#[derive(Debug)]
pub struct KeyFinder {
    transport: Transport,
    /// Messages that are still to be read.
    messages: u8,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Reads the length of a message: the bytes read so far, and their number.
    Length([u8; 4], usize),
    /// Reads the identifier: the bytes read so far, their number, and the length of the message.
    Id([u8; ID], usize, usize),
    /// Skips the rest of a message: so many bytes.
    Rest(usize),
    End(Found),
}

impl KeyFinder {
    /// A finder that reads at most `messages` messages.
    pub const fn new(transport: Transport, messages: u8) -> Self {
        Self { transport, messages, state: State::Length([0; 4], 0) }
    }

    /// Reads the next bytes and returns what is known after them.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Found {
        loop {
            if let State::End(found) = self.state {
                return found;
            }
            if let State::Rest(rest) = self.state {
                let passed = rest.min(bytes.len());
                bytes = &bytes[passed..];
                self.state = if passed == rest { State::Length([0; 4], 0) } else { State::Rest(rest - passed) };
                if passed < rest {
                    return Found::NotYet;
                }
                continue;
            }
            let Some((&byte, after)) = bytes.split_first() else { return Found::NotYet };
            bytes = after;
            self.state = self.after(byte);
        }
    }

    /// Skips the rest of a message without a key. The rest of the last message is not waited for, because the client may
    /// announce any length.
    const fn skip(&mut self, rest: usize) -> State {
        self.messages = self.messages.saturating_sub(1);
        if self.messages == 0 { State::End(Found::Nothing) } else { State::Rest(rest) }
    }

    fn after(&mut self, byte: u8) -> State {
        match self.state {
            State::Length(mut read, at) => {
                read[at] = byte;
                match self.length(read, at + 1) {
                    None => State::Length(read, at + 1),
                    // Too short for an identifier: an acknowledgement, or not `MTProto`.
                    Some(length) if length < ID => self.skip(length),
                    Some(length) => State::Id([0; ID], 0, length),
                }
            }
            State::Id(mut id, at, length) => {
                id[at] = byte;
                if at + 1 < ID {
                    return State::Id(id, at + 1, length);
                }
                match NonZeroU64::new(u64::from_le_bytes(id)) {
                    Some(key) => State::End(Found::Key(key)),
                    None => self.skip(length - ID),
                }
            }
            state @ (State::Rest(_) | State::End(_)) => state,
        }
    }

    /// The length of the message in bytes, if the `count` bytes read so far are enough to know it.
    fn length(&self, read: [u8; 4], count: usize) -> Option<usize> {
        let words = match (self.transport, count) {
            (Transport::Abridged, 1) => {
                let short = read[0] & LONG;
                return (short != LONG).then_some(usize::from(short) * 4);
            }
            (Transport::Abridged, 4) => u32::from_le_bytes([read[1], read[2], read[3], 0]) * 4,
            (Transport::Intermediate | Transport::Padded, 4) => u32::from_le_bytes(read) & !QUICK_ACK,
            _ => return None,
        };
        usize::try_from(words).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: u64 = 0x0102_0304_0506_0708;

    fn transports() -> impl Strategy<Value = Transport> {
        prop_oneof![Just(Transport::Abridged), Just(Transport::Intermediate), Just(Transport::Padded)]
    }

    /// A message with the identifier `key`, followed by `words` words of four bytes.
    fn message(transport: Transport, key: u64, words: usize, quick_ack: bool) -> Vec<u8> {
        let body = [&key.to_le_bytes()[..], &vec![0xaa; words * 4]].concat();
        let length = match transport {
            Transport::Abridged if body.len() / 4 < 0x7f => {
                vec![u8::try_from(body.len() / 4).unwrap() | if quick_ack { 0x80 } else { 0 }]
            }
            Transport::Abridged => {
                let words = u32::try_from(body.len() / 4).unwrap().to_le_bytes();
                [&[0x7f | if quick_ack { 0x80 } else { 0 }][..], &words[..3]].concat()
            }
            Transport::Intermediate | Transport::Padded => {
                (u32::try_from(body.len()).unwrap() | if quick_ack { QUICK_ACK } else { 0 }).to_le_bytes().to_vec()
            }
        };
        [length, body].concat()
    }

    proptest! {
        #[test]
        fn the_key_of_the_first_encrypted_message_is_found_however_the_bytes_come(
            transport in transports(),
            exchanges in prop::collection::vec((0..200_usize, any::<bool>()), 0..4),
            words in 0..300_usize,
            quick_ack in any::<bool>(),
            step in 1..400_usize,
        ) {
            let mut bytes: Vec<u8> = exchanges.iter().flat_map(|&(words, ack)| message(transport, 0, words, ack)).collect();
            bytes.extend(message(transport, KEY, words, quick_ack));
            bytes.extend(message(transport, KEY + 1, words, quick_ack));
            let mut finder = KeyFinder::new(transport, 5);
            let found = bytes.chunks(step).map(|piece| finder.feed(piece)).last();
            prop_assert_eq!(found, Some(Found::Key(NonZeroU64::new(KEY).unwrap())));
        }

        #[test]
        fn no_more_messages_are_read_than_the_limit(transport in transports(), step in 1..100_usize) {
            let bytes = [message(transport, 0, 3, false), message(transport, KEY, 3, false)].concat();
            let mut finder = KeyFinder::new(transport, 1);
            let found = bytes.chunks(step).map(|piece| finder.feed(piece)).last();
            prop_assert_eq!(found, Some(Found::Nothing));
        }

        #[test]
        fn the_last_message_without_a_key_ends_the_search_whatever_its_length(transport in transports(), words in 0..300_usize) {
            let bytes = message(transport, 0, words, false);
            let head = &bytes[..bytes.len() - words * 4];
            prop_assert_eq!(KeyFinder::new(transport, 1).feed(head), Found::Nothing);
        }

        #[test]
        fn any_bytes_can_be_fed(transport in transports(), bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            KeyFinder::new(transport, 3).feed(&bytes);
        }
    }
}
