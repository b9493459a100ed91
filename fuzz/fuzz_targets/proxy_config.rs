//! Any text is read as a configuration with users, or refused with a position inside the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mtpannel_proxy::config::Config;

fuzz_target!(|text: &str| {
    match Config::parse(text) {
        Ok(config) => assert!(!config.users.is_empty() && !config.upstreams.is_empty() && !config.listeners.is_empty()),
        Err(error) => {
            if let Some((line, column)) = error.position {
                assert!(line >= 1 && column >= 1 && line <= text.lines().count() + 1);
            }
        }
    }
});
