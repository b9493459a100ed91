//! The reader of metrics never panics on any text, no lifetime total falls, and the same scrape is counted only once.

#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use mtpannel_core::exposition::Snapshot;
use mtpannel_core::usage::{Account, Counters, Meter, account};

fuzz_target!(|text: &str| {
    let Ok(snapshot) = Snapshot::parse(text) else { return };
    let meter = Meter { last: Counters { from_client: 5, to_client: 7 }, epoch: 1, lifetime: Counters::ZERO };
    let mut stored = vec![("alice".to_owned(), Account { meter, ..Account::default() })];
    for epoch in [1, 2] {
        let before: HashMap<_, _> = stored.iter().cloned().collect();
        let after = account(&snapshot, stored, epoch);
        for (name, after) in &after {
            assert!(after.delta.from_client >= 0 && after.delta.to_client >= 0);
            let before = before.get(name).map_or(0, |before| before.meter.lifetime.total());
            assert!(after.account.meter.lifetime.total() >= before);
        }
        stored = after.into_iter().map(|(name, after)| (name, after.account)).collect();
        assert!(account(&snapshot, stored.clone(), epoch).iter().all(|(_, again)| !again.is_changed));
    }
});
