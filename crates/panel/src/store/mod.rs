//! SQL and nothing but SQL: one file per table family, one text per statement for SQLite and PostgreSQL.
//!
//! Statements are written with `$1`, `$2`, …, which both engines take. Batches travel as one JSON object and are taken
//! apart by `json_each`, which SQLite has and the PostgreSQL migration defines.

pub mod admins;
pub mod audit;
mod batch;
mod checkpoint;
mod connect;
pub mod copy;
pub mod deadlines;
mod engine;
mod error;
mod instance;
pub mod login_networks;
pub mod metered;
pub mod meters;
pub mod nodes;
pub mod old_panel;
mod postgres;
mod readers;
pub mod retention;
mod schema;
pub mod session_cuts;
pub mod sessions;
mod sql;
mod sqlite;
pub mod state;
pub mod system;
pub mod traffic;
mod trial;
pub mod users;
mod writable;
pub mod written_files;

pub use connect::{DatabaseUrl, DatabaseUrlError};
pub use engine::{Conn, Db, Store, Tx};
pub use error::{StoreError, StoreResult};
pub use instance::InstanceLock;
pub use nodes::NodeId;
pub use readers::{Reader, Readers};
pub use writable::Writable;

pub(crate) use batch::{execute_rows, packed};
pub(crate) use sql::{execute, lifetime, local_node, query, session_is_open, sql_texts, this_revision, time_at};
use {
    batch::{BATCH, json_keys, json_names, json_rows, unpack},
    sql::folded,
};

/// Every SQL text of the store, so that a test can have both engines prepare it.
pub fn all_texts() -> impl Iterator<Item = &'static str> {
    [
        admins::TEXTS,
        audit::TEXTS,
        deadlines::TEXTS,
        engine::TEXTS,
        login_networks::TEXTS,
        metered::TEXTS,
        meters::TEXTS,
        nodes::TEXTS,
        retention::TEXTS,
        session_cuts::TEXTS,
        sessions::TEXTS,
        state::TEXTS,
        system::TEXTS,
        traffic::TEXTS,
        users::mirrored::TEXTS,
        users::TEXTS,
        written_files::TEXTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}
