//! Whatever stands before a connection: a header is read or refused, and what is read is the same however much follows.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mtpannel_proxy::wire::proxy_protocol::parse;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Some(header)) = parse(bytes) {
        assert!(header.length <= bytes.len());
        assert_eq!(parse(&bytes[..header.length]), Ok(Some(header)));
        for cut in 0..header.length {
            assert_eq!(parse(&bytes[..cut]), Ok(None));
        }
    }
});
