//! What runs beside a proxy: the task that writes its file, the task that reads its metrics, and the built-in proxy itself.

pub mod metering;
pub mod projection;
pub mod proxy;
