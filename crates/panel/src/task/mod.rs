//! Tasks that depend on time alone: enforcement and retention.

pub mod enforcement;
pub mod retention;
