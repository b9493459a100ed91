//! Whatever the proxy answers, reading it never panics, no meter falls, and the same scrape counts only once.

#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use mtpannel_core::exposition::Snapshot;
use mtpannel_core::usage::{Change, Counters, Meter, account};

fuzz_target!(|text: &str| {
    let Ok(snapshot) = Snapshot::parse(text) else { return };
    let known = Meter { last: Counters { from_client: 5, to_client: 7 }, epoch: 1, lifetime: Counters::ZERO };
    let mut meters = HashMap::from([("alice".to_owned(), known)]);
    for epoch in [1, 2] {
        for Change { name, meter, delta, is_new } in account(&snapshot, &meters, epoch) {
            assert!(delta.from_client >= 0 && delta.to_client >= 0);
            let before = meters.insert(name, meter);
            assert_eq!(before.is_none(), is_new);
            assert!(meter.lifetime.total() >= before.unwrap_or_default().lifetime.total());
        }
        assert!(account(&snapshot, &meters, epoch).is_empty());
    }
});
