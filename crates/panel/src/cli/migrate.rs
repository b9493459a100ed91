//! `mtpannel migrate`: brings the schema of the database up to date.

use super::{open, output};

pub(super) async fn run() -> anyhow::Result<()> {
    let store = open().await?;
    let version = store.schema_version();
    store.close().await;
    output::print(&format!("the database has schema version {version}, the newest that this program knows\n"))
}
