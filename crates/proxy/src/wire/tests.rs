use super::*;
use crate::wire::key::{HmacKey, PaddedMessage};
use proptest::prelude::*;
use rstest::rstest;

const SECRET: [u8; 16] = [7; 16];

fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), vector16(data)].concat()
}

/// A client's hello with `padding` bytes of padding.
fn hello(name: &str, session_id: &[u8], padding: usize, time: u32) -> Vec<u8> {
    let names = vector16(&[&[0][..], &vector16(name.as_bytes())].concat());
    let share = |group: u16, key: &[u8]| [group.to_be_bytes().to_vec(), vector16(key)].concat();
    let shares = vector16(&[share(0x0a0a, &[0]), share(0x1d, &[1; 32])].concat());
    let extensions = [extension(0, &names), extension(51, &shares), extension(21, &vec![0; padding])].concat();
    let mut body = vec![3, 3];
    body.extend([0; 32]);
    body.push(u8::try_from(session_id.len()).unwrap());
    body.extend(session_id);
    body.extend(vector16(&[0x0a, 0x0a, 0x13, 0x02, 0x13, 0x01]));
    body.extend([1, 0]);
    body.extend(vector16(&extensions));
    let message = [&[1, 0][..], &vector16(&body)].concat();
    let mut record = [vec![0x16, 3, 1], vector16(&message)].concat();
    let mut random = HmacKey::new(&SECRET).code(&PaddedMessage::new(&[&record]));
    random[28..].iter_mut().zip(time.to_le_bytes()).for_each(|(byte, time)| *byte ^= time);
    record[RANDOM].copy_from_slice(&random);
    record
}

#[test]
fn a_hello_is_read_and_proves_its_secret_and_its_time() {
    let record = hello("Mask.Example", &[5; 32], 100, 1_700_000_000);
    let hello = ClientHello::parse(&record).unwrap();
    assert_eq!(hello.server_name.as_deref(), Some("mask.example"));
    assert_eq!((hello.session_id.as_slice(), hello.cipher_suite), ([5; 32].as_slice(), Some(0x1302)));
    let proof = HelloProof::new(&record, hello.random);
    assert_eq!(proof.time_if_valid(&HmacKey::new(&SECRET)), Some(1_700_000_000));
    assert_eq!(proof.time_if_valid(&HmacKey::new(&[8; 16])), None);
}

#[rstest]
#[case(&[(0x1d, 32)], true)]
#[case(&[(0x0a0a, 1), (0x11ec, 1_216), (0x1d, 32)], true)]
#[case(&[(0x17, 65)], false)]
#[case(&[(0x1d, 31)], false)]
#[case(&[], false)]
fn a_key_share_of_x25519_is_found_at_any_position(#[case] shares: &[(u16, usize)], #[case] expected: bool) {
    let shares =
        shares.iter().flat_map(|&(group, length)| [group.to_be_bytes().to_vec(), vector16(&vec![1; length])].concat());
    let extensions = vector16(&extension(51, &vector16(&shares.collect::<Vec<u8>>())));
    let body = [&[3, 3][..], &[0; 33], &vector16(&[0x13, 1]), &[1, 0], &extensions].concat();
    let message = [&[1, 0][..], &vector16(&body)].concat();
    let record = [vec![0x16, 3, 1], vector16(&message)].concat();
    assert_eq!(ClientHello::parse(&record).unwrap().shares_x25519, expected);
}

#[rstest]
#[case(&[0x16, 3, 1, 0x40, 0], Ok(Some(16_389)))]
#[case(&[0x16, 3, 1, 0x40, 1], Err(HelloError))]
#[case(&[0x16, 3, 1, 0, 10], Err(HelloError))]
#[case(&[0x16, 3, 1, 2], Ok(None))]
#[case(&[0x16], Ok(None))]
#[case(&[], Ok(None))]
#[case(&[0x15, 3, 1], Err(HelloError))]
#[case(&[0x16, 2], Err(HelloError))]
#[case(&[0x16, 3, 4], Err(HelloError))]
#[case(b"GET / HTTP", Err(HelloError))]
fn the_first_five_bytes_give_the_length(#[case] head: &[u8], #[case] length: Result<Option<usize>, HelloError>) {
    assert_eq!(record_length(head), length);
}

#[test]
fn the_answer_passes_the_checks_of_telegram_clients() {
    let record = hello("mask.example", &[5; 32], 0, 1);
    let parsed = ClientHello::parse(&record).unwrap();
    let key = HmacKey::new(&SECRET);
    let mut answer = server_answer(&key, &parsed, [9; 32], &[0xaa; 2048]);
    assert_eq!(answer[..3], [0x16, 3, 3]);
    let first = 5 + usize::from(u16::from_be_bytes([answer[3], answer[4]]));
    assert_eq!(answer[first..first + 9], [0x14, 3, 3, 0, 1, 1, 0x17, 3, 3]);
    assert_eq!(answer[first + 9..first + 11], 2048_u16.to_be_bytes());
    assert_eq!(answer.len(), first + 11 + 2048);
    assert_eq!(answer[43], 32);
    assert_eq!(answer[44..76], [5; 32]);
    assert_eq!(answer[76..78], [0x13, 2]);
    let public = x25519_dalek::x25519([9; 32], x25519_dalek::X25519_BASEPOINT_BYTES);
    assert!(answer[..first].windows(32).any(|window| window == public));
    let random: [u8; 32] = answer[RANDOM].try_into().unwrap();
    answer[RANDOM].fill(0);
    assert_eq!(key.code(&PaddedMessage::new(&[&parsed.random, &answer])), random);
}

#[test]
fn records_that_are_not_allowed_are_refused() {
    for mut record in [[0x16, 3, 3, 0, 1, 0], [0x17, 3, 1, 0, 1, 0], [0x17, 3, 3, 0x41, 1, 0], [0x14, 3, 3, 0, 2, 0]] {
        assert_eq!(Unframer::default().unframe(&mut record), Err(RecordError));
    }
}

proptest! {
    #[test]
    fn hellos_of_any_length_are_read(
        padding in 0..16_000_usize, id in prop::collection::vec(any::<u8>(), 0..=32), time: u32,
    ) {
        let record = hello("mask.example", &id, padding, time);
        let parsed = ClientHello::parse(&record).unwrap();
        prop_assert_eq!(&parsed.session_id, &id);
        prop_assert_eq!(HelloProof::new(&record, parsed.random).time_if_valid(&HmacKey::new(&SECRET)), Some(time));
        prop_assert_eq!(record_length(&record), Ok(Some(record.len())));
    }

    #[test]
    fn the_first_valid_key_is_found_at_any_position_and_no_other_key(
        wrong in 0..40_usize, places in prop::collection::vec(0..40_usize, 0..3), padding in 0..300_usize, time: u32,
    ) {
        let record = hello("mask.example", &[5; 32], padding, time);
        let proof = HelloProof::new(&record, ClientHello::parse(&record).unwrap().random);
        let mut keys: Vec<HmacKey> = (0..wrong).map(|number| HmacKey::new(&[u8::try_from(number).unwrap() + 100; 16])).collect();
        for &index in &places {
            keys.insert(index.min(keys.len()), HmacKey::new(&SECRET));
        }
        let first = keys.iter().position(|key| *key == HmacKey::new(&SECRET));
        prop_assert_eq!(first.is_some(), !places.is_empty());
        prop_assert_eq!(proof.first_valid(&keys), first.map(|index| (index, time)));
        let one_by_one = keys.iter().enumerate().find_map(|(index, key)| Some((index, proof.time_if_valid(key)?)));
        prop_assert_eq!(proof.first_valid(&keys), one_by_one);
    }

    #[test]
    fn a_changed_hello_never_panics_and_never_proves_a_secret(at in 0..300_usize, bit in 0..8_u8) {
        let mut record = hello("mask.example", &[5; 32], 100, 1);
        let at = at.min(record.len() - 1);
        record[at] ^= 1 << bit;
        if let Ok(parsed) = ClientHello::parse(&record) {
            let time = HelloProof::new(&record, parsed.random).time_if_valid(&HmacKey::new(&SECRET));
            prop_assert!(time.is_none() || (39..43).contains(&at));
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = ClientHello::parse(&bytes);
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        let _ = ClientHello::parse(&[&[0x16, 3, 1], &length[..], &bytes].concat());
    }

    #[test]
    fn payload_is_the_same_however_the_stream_is_cut(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..6),
        cuts in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let mut stream = vec![0x14, 3, 3, 0, 1, 1];
        for part in &parts {
            stream.extend(application_header(part.len()));
            stream.extend(part);
        }
        let (mut unframer, mut payload, mut rest) = (Unframer::default(), Vec::new(), stream.as_mut_slice());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break; }
            let (head, tail) = rest.split_at_mut((*cut).min(rest.len()));
            let kept = unframer.unframe(head).unwrap();
            payload.extend_from_slice(&head[..kept]);
            rest = tail;
        }
        prop_assert_eq!(payload, parts.concat());
    }

    #[test]
    fn no_bytes_make_the_unframer_panic(mut bytes: Vec<u8>) {
        let length = bytes.len();
        if let Ok(kept) = Unframer::default().unframe(&mut bytes) {
            prop_assert!(kept <= length);
        }
    }
}
