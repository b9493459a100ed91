//! Integration tests: real SQLite files, a real PostgreSQL, real HTTP.

mod common;
mod sql_texts;
mod story;
