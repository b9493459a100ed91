//! What time does: ends of users, resets, and old history.

pub mod enforcement;
pub mod retention;
