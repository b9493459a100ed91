//! What runs by itself: the writer of the file, the reader of the metrics, the clockwork of limits and history.

pub mod config_sync;
pub mod enforcement;
pub mod proxy;
pub mod retention;
pub mod scraper;
