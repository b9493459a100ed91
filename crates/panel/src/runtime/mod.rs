//! State in memory that requests and tasks share. Nothing here knows of the application that holds it.

pub mod health;
pub mod login_limit;
pub mod mirror;
pub mod password;
pub mod queue;
pub mod roster;
pub mod shown;
pub mod sync;
pub mod token;
pub mod warnings;
