//! What runs beside a proxy: its file is written, its metrics are read, and the built-in proxy itself.

pub mod metering;
pub mod projection;
pub mod proxy;
