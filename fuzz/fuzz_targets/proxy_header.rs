//! Any bytes are read as a PROXY header or refused, and the header is the same however many bytes follow it.

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
