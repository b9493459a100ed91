//! Handlers: from a request to a use case and back. No SQL and no rules here.

pub(super) mod admins;
pub(super) mod audit;
pub(super) mod auth;
pub(super) mod health;
pub(super) mod system;
pub(super) mod users;
