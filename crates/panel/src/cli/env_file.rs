//! The file `.env`.

use std::io::ErrorKind;
use std::path::Path;

use crate::settings::SettingsError;

/// Adds the variables of the file, if there is one, to the environment; what is there already wins. Lines that are none
/// are left out and told. Errors never repeat the file's text, because it holds secrets.
pub(super) fn load(path: &Path) -> Result<(), SettingsError> {
    let problem = |advice: String| SettingsError::new(".env", advice);
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(problem(format!("cannot be read: {error}"))),
    };
    let mut lines: Vec<&str> = text.lines().collect();
    let mut problems = Vec::new();
    loop {
        let at = match dotenvy::from_read(lines.join("\n").as_bytes()) {
            Ok(()) => break,
            Err(dotenvy::Error::LineParse(line, _)) => lines.iter().position(|candidate| *candidate == line),
            Err(_) => None,
        };
        let Some(at) = at else {
            problems.push(problem("its lines must be NAME=value".to_owned()));
            break;
        };
        problems.push(problem(format!("line {} is not NAME=value; quote values with spaces", at + 1)));
        lines[at] = "";
    }
    if problems.is_empty() { Ok(()) } else { Err(SettingsError::all(problems)) }
}
