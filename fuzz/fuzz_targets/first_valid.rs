//! The search over many keys at once finds the same key of any hello as a search over one key after another.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mtpannel_proxy::wire::{HelloProof, RANDOM};
use mtpannel_proxy::wire::key::{HmacKey, PaddedMessage};

fuzz_target!(|input: (Vec<u8>, Vec<u8>, Option<u8>, u32)| {
    let (mut record, seeds, right, time) = input;
    record.resize(record.len().max(RANDOM.end), 0);
    record[RANDOM].fill(0);
    let keys: Vec<HmacKey> = seeds.iter().map(|&seed| HmacKey::new(&[seed; 16])).collect();
    if let Some(seed) = right {
        let mut proof = HmacKey::new(&[seed; 16]).code(&PaddedMessage::new(&[&record]));
        for (byte, time) in proof[28..].iter_mut().zip(time.to_le_bytes()) {
            *byte ^= time;
        }
        record[RANDOM].copy_from_slice(&proof);
    }
    let random = record[RANDOM].try_into().expect("32 bytes");
    let proof = HelloProof::new(&record, random);
    let expected = right.and_then(|right| seeds.iter().position(|&seed| seed == right));
    assert_eq!(proof.first_valid(&keys), expected.map(|index| (index, time)));
});
