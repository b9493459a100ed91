//! `mtpannel import`.

use std::path::Path;

use crate::settings::RawSettings;

pub(super) async fn panel_db(_settings: &RawSettings, _file: &Path) -> anyhow::Result<()> {
    anyhow::bail!("not built")
}
