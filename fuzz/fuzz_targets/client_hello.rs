//! Readers of a hello and of records never panic on any bytes, and their results are within the bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mtpannel_proxy::wire::{
    ClientHello, HelloProof, Unframer, hello_length, in_one_record, record_length, server_answer,
};
use mtpannel_proxy::wire::key::HmacKey;

fuzz_target!(|bytes: &[u8]| {
    let key = HmacKey::new(&[7; 16]);
    if let Ok(hello) = ClientHello::parse(bytes) {
        assert_eq!(record_length(bytes), Ok(Some(bytes.len())));
        assert!(hello.session_id.len() <= 32);
        assert_eq!(HelloProof::new(bytes, hello.random).time_if_valid(&key), None);
        let answer = server_answer(&key, &hello, [1; 32], &[0; 100]);
        let mut rest = answer;
        assert_eq!(rest.drain(..3).as_slice(), [0x16, 3, 3]);
    }
    if let Ok(Some(length)) = hello_length(bytes) {
        assert!(length <= bytes.len());
        let _ = ClientHello::parse(&in_one_record(&bytes[..length]));
    }
    let mut whole = bytes.to_vec();
    let at_once = Unframer::default().unframe(&mut whole).map(|kept| whole[..kept].to_vec());
    let (mut unframer, mut by_byte) = (Unframer::default(), Ok(Vec::new()));
    for &byte in bytes {
        let mut byte = [byte];
        by_byte = by_byte.and_then(|mut payload: Vec<u8>| {
            let kept = unframer.unframe(&mut byte)?;
            payload.extend_from_slice(&byte[..kept]);
            Ok(payload)
        });
    }
    assert_eq!(at_once, by_byte);
});
