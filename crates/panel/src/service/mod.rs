//! Use cases: one transaction each, then a request to the task that writes the file.

pub mod admins;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod bulk;
mod change;
pub mod endpoint_check;
pub mod error;
pub mod first_start;
pub mod health;
pub mod history;
pub mod import;
pub mod import_file;
pub mod login_limit;
pub mod metering;
mod mirror;
pub mod password;
pub mod password_check;
pub mod preview;
pub mod probe;
pub mod projection;
mod queue;
pub mod retention;
pub mod roster;
pub mod rules;
pub mod settings_check;
pub mod shown;
pub mod soon;
pub mod stats;
pub mod sync;
pub mod token;
pub mod users;
pub mod warnings;

pub use audit::By;
pub use error::{FieldError, ServiceError, ServiceResult};
pub use sync::ConfigSync;
