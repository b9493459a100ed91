//! Settings that may hold a secret: the variable itself, or a file whose path the variable `…_FILE` names, so that the
//! secret does not stand in the environment.

use super::{Reader, variable};

/// One such setting.
pub(super) struct Secret {
    name: &'static str,
    file: &'static str,
    /// Whether an empty file means that there is none. Otherwise it is a mistake.
    may_be_empty: bool,
}

pub(super) const SECRET_KEY: Secret = Secret { name: "SECRET_KEY", file: "SECRET_KEY_FILE", may_be_empty: false };
pub(super) const DATABASE_URL: Secret = Secret { name: "DATABASE_URL", file: "DATABASE_URL_FILE", may_be_empty: false };
pub(super) const TELEMT_API_AUTH: Secret =
    Secret { name: "TELEMT_API_AUTH", file: "TELEMT_API_AUTH_FILE", may_be_empty: true };

impl Secret {
    /// Reads and judges the value. A problem with the file is told under the file's variable.
    pub(super) fn check<T, E: ToString>(
        &self,
        reader: &mut Reader,
        judge: impl FnOnce(Option<String>) -> Result<T, E>,
    ) -> Option<T> {
        let value = reader.check(self.file, self.read())?;
        reader.check(self.name, judge(value))
    }

    fn read(&self) -> Result<Option<String>, String> {
        match (variable(self.name), variable(self.file)) {
            (value, None) => Ok(value),
            (Some(_), Some(_)) => Err(format!("is set, and so is {}; keep one of them", self.name)),
            (None, Some(path)) => self.read_file(path.trim()),
        }
    }

    /// The advice never repeats what the file holds.
    fn read_file(&self, path: &str) -> Result<Option<String>, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
        // Editors and `echo` end a file with a line end, which belongs to no secret.
        let text = text.trim_end_matches(['\r', '\n']);
        match text.trim() {
            "" if self.may_be_empty => Ok(None),
            "" => Err(format!("{path} is empty")),
            _ => Ok(Some(text.to_owned())),
        }
    }
}
