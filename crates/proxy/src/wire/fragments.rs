//! A `ClientHello` that is split into several records (RFC 8446, section 5.1 allows it). Tools against censorship split
//! it on the client's side, after the client has computed its proof over a single record. So the proof is checked over a
//! single record again.

use std::borrow::Cow;

use super::hello::{HelloError, MAX_RECORD, MIN_RECORD};
use super::record::{HANDSHAKE, HEADER};

/// Bytes of a handshake message's type and length.
const MESSAGE_HEADER: usize = 4;
const CLIENT_HELLO: u8 = 1;
/// Most bytes that the records of one hello may take: a full record, and 4 KiB for headers. A hello of Telegram's clients
/// takes at most 12,000 bytes, even if each of its bytes is in a record of its own.
const MAX_RECORDS: usize = HEADER + MAX_RECORD + 4_096;

/// The body of a record, as far as it has arrived.
struct Fragment<'a> {
    body: &'a [u8],
    is_whole: bool,
}

/// The records with which `bytes` begin, up to the first incomplete one. Gives an error as soon as a byte cannot belong
/// to a record of a hello.
fn fragments(mut bytes: &[u8]) -> impl Iterator<Item = Result<Fragment<'_>, HelloError>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let fits = [|byte| byte == HANDSHAKE, |byte| byte == 3, |byte| byte <= 3];
        if bytes.iter().zip(fits).any(|(&byte, fits)| !fits(byte)) {
            return Some(Err(HelloError));
        }
        let Some(&[high, low]) = bytes.get(3..HEADER) else {
            bytes = &[];
            return Some(Ok(Fragment { body: &[], is_whole: false }));
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !(1..=MAX_RECORD).contains(&length) {
            return Some(Err(HelloError));
        }
        let rest = &bytes[HEADER..];
        let (body, after) = rest.split_at(length.min(rest.len()));
        bytes = after;
        Some(Ok(Fragment { body, is_whole: body.len() == length }))
    })
}

/// A handshake message whose fragments are added one by one; only its header is kept.
#[derive(Debug, Default)]
struct Message {
    header: [u8; MESSAGE_HEADER],
    /// Bytes that have arrived, with the header.
    length: usize,
}

impl Message {
    fn add(&mut self, body: &[u8]) {
        for (place, &byte) in self.header.iter_mut().skip(self.length).zip(body) {
            *place = byte;
        }
        self.length += body.len();
    }

    /// Whether the whole message has arrived; an error if it cannot be a `ClientHello` of one record.
    fn is_whole(&self) -> Result<bool, HelloError> {
        let [kind, high, middle, low] = self.header;
        if self.length > 0 && kind != CLIENT_HELLO {
            return Err(HelloError);
        }
        if self.length < MESSAGE_HEADER {
            return Ok(false);
        }
        let length = MESSAGE_HEADER + usize::from(u16::from_be_bytes([middle, low]));
        if high != 0 || length > MAX_RECORD { Err(HelloError) } else { Ok(self.length >= length) }
    }
}

/// The length in bytes of the records that carry the hello with which `bytes` begin; `None` while more bytes are needed.
///
/// Fails if `bytes` cannot become a hello. The content of a hello in a single record is not checked here.
pub fn hello_length(bytes: &[u8]) -> Result<Option<usize>, HelloError> {
    let (mut message, mut length) = (Message::default(), 0);
    for (number, fragment) in fragments(bytes).enumerate() {
        let Fragment { body, is_whole } = fragment?;
        // The usual case, a hello in a single record: nothing is decided before the record is complete.
        let may_be_alone = number == 0 && announced(bytes).is_none_or(|length| length >= MIN_RECORD);
        if may_be_alone && !is_whole {
            return Ok(None);
        }
        length += HEADER + body.len();
        message.add(body);
        match message.is_whole() {
            // `ClientHello::parse` finds out what is wrong with a hello in a single record.
            Ok(true) if is_whole => return Ok(Some(length)),
            Err(_) if may_be_alone => return Ok(Some(length)),
            Ok(_) if is_whole => {}
            Ok(_) => return if length > MAX_RECORDS { Err(HelloError) } else { Ok(None) },
            Err(error) => return Err(error),
        }
        if length > MAX_RECORDS {
            return Err(HelloError);
        }
    }
    Ok(None)
}

/// The length of the body in the header of the first record.
fn announced(bytes: &[u8]) -> Option<usize> {
    let &[high, low] = bytes.get(3..HEADER)? else { return None };
    Some(u16::from_be_bytes([high, low]).into())
}

/// Joins complete records of one hello into a single record, as the client made it.
pub fn in_one_record(records: &[u8]) -> Cow<'_, [u8]> {
    if announced(records).is_none_or(|length| HEADER + length >= records.len()) {
        return records.into();
    }
    let bodies: Vec<&[u8]> = fragments(records).map_while(Result::ok).map(|fragment| fragment.body).collect();
    let message = bodies.concat();
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX).to_be_bytes();
    // Clients put TLS 1.0 here. A tool may have written another version before the fragments.
    [&[HANDSHAKE, 3, 1][..], &length, &message].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn record(body: &[u8]) -> Vec<u8> {
        [&[0x16, 3, 1][..], &u16::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
    }

    fn message(length: u16) -> Vec<u8> {
        [&[1, 0][..], &length.to_be_bytes(), &vec![7; length.into()]].concat()
    }

    #[rstest]
    #[case(&[0x16, 3, 1, 0, 0], Err(HelloError))]
    #[case(&[0x16, 3, 1, 0x40, 1], Err(HelloError))]
    #[case(&[0x16, 3, 1, 0, 1], Ok(None))]
    #[case(&[0x16, 3, 1, 0, 1, 1], Ok(None))]
    #[case(&[0x16, 3, 1, 0, 1, 2], Err(HelloError))]
    #[case(&[0x16, 3, 1, 0, 3, 1, 1], Ok(None))]
    #[case(&[0x16, 3, 1, 0, 4, 1, 1, 0, 0], Err(HelloError))]
    #[case(&[0x16, 3, 1, 0, 4, 1, 0, 0x3f, 0xfd], Err(HelloError))]
    #[case(&[0x16, 3, 1, 0, 4, 1, 0, 0x3f, 0xfc], Ok(None))]
    #[case(&[0x16, 3, 1, 0, 1, 1, 0x17], Err(HelloError))]
    #[case(&[0x16, 3, 1, 0, 1, 1, 0x16, 3], Ok(None))]
    fn bytes_that_may_become_a_hello_are_waited_for(
        #[case] bytes: &[u8],
        #[case] expected: Result<Option<usize>, HelloError>,
    ) {
        assert_eq!(hello_length(bytes), expected);
    }

    #[test]
    fn a_hello_of_endless_records_is_refused() {
        let mut bytes = record(&[&[1, 0, 0x3f, 0xfc][..], &[0; 10]].concat());
        while bytes.len() <= MAX_RECORDS {
            assert_eq!(hello_length(&bytes), Ok(None));
            bytes.extend([record(&[0]), record(&[0])].concat());
        }
        assert_eq!(hello_length(&bytes), Err(HelloError));
    }

    proptest! {
        #[test]
        fn a_split_hello_is_joined_as_it_was(length in 60..3_000_u16, cuts in prop::collection::vec(1..200_usize, 1..50)) {
            let body = message(length);
            let (mut rest, mut cut) = (&body[..], Vec::new());
            for &size in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, after) = rest.split_at(size.min(rest.len()));
                cut.extend(record(piece));
                rest = after;
            }
            prop_assert_eq!(hello_length(&cut), Ok(Some(cut.len())));
            prop_assert_eq!(hello_length(&[&cut[..], b"more"].concat()), Ok(Some(cut.len())));
            prop_assert_eq!(&in_one_record(&cut)[..], record(&body));
            for end in 0..cut.len() {
                prop_assert_eq!(hello_length(&cut[..end]), Ok(None));
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), small in prop::collection::vec(0..4_u8, 0..60)) {
            for bytes in [bytes, [&[0x16, 3, 1, 0][..], &small].concat()] {
                if let Ok(Some(length)) = hello_length(&bytes) {
                    prop_assert!(length <= bytes.len());
                    let _ = in_one_record(&bytes[..length]);
                }
            }
        }
    }
}
