//! Any 64 bytes are accepted as an init or refused, and nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mtpannel_proxy::wire::obfuscated2::{INIT, accept, may_begin, open};

fuzz_target!(|input: ([u8; INIT], [u8; 16], Vec<u8>)| {
    let (init, secret, mut bytes) = input;
    let _ = may_begin(&bytes);
    if let Some(mut accepted) = accept(&init, &secret) {
        accepted.from_client.apply(&mut bytes);
        accepted.to_client.apply(&mut bytes);
        let mut next = init;
        let opened = open(accepted.transport, accepted.dc, || {
            next[0] = next[0].wrapping_add(1);
            next[4] = 1;
            next
        });
        assert!(may_begin(&opened.init));
    }
});
