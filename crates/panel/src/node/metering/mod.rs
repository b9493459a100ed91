//! The proxy's metrics: read at intervals, and recorded as usage of users.

pub mod record;
pub mod scraper;
