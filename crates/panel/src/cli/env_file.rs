//! The file `.env`.

use std::path::Path;

use anyhow::Context as _;

/// Adds the variables of the file, if there is one, to the environment; what is there already wins. Errors never repeat
/// the file's text, because it holds secrets.
pub(super) fn load(path: &Path) -> anyhow::Result<()> {
    match dotenvy::from_path(path) {
        Ok(()) => Ok(()),
        Err(dotenvy::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(dotenvy::Error::Io(error)) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        Err(dotenvy::Error::LineParse(line, _)) => {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let number = text.lines().position(|candidate| candidate == line).map_or(0, |index| index + 1);
            anyhow::bail!("{}: line {number} is not NAME=value; quote values with spaces", path.display())
        }
        Err(_) => anyhow::bail!("{} cannot be read: its lines must be NAME=value", path.display()),
    }
}
