//! Scrapes the proxy's metrics and records them as usage of users.

pub mod record;
pub mod scraper;
