//! Use cases of administrators: one transaction each, then a request to the task that writes the file.

pub mod admins;
pub mod audit;
pub mod auth;
pub mod backup;
pub mod bulk;
pub mod caller;
pub mod error;
pub mod history;
pub mod import;
pub mod import_file;
pub mod password_check;
pub mod soon;
pub mod stats;
pub mod system;
pub mod users;

pub use error::{ServiceError, ServiceResult};
