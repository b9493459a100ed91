//! Settings that may hold a secret. Each is read from its variable, or from the file whose path is in the variable
//! `…_FILE`, so that the secret need not be in the environment.

use super::{Reader, variable};

/// A setting that may hold a secret.
pub(super) struct Secret {
    name: &'static str,
    file: &'static str,
    /// Whether an empty file means that the setting is not set; otherwise it is an error.
    may_be_empty: bool,
}

pub(super) const SECRET_KEY: Secret = Secret { name: "SECRET_KEY", file: "SECRET_KEY_FILE", may_be_empty: false };
pub(super) const DATABASE_URL: Secret = Secret { name: "DATABASE_URL", file: "DATABASE_URL_FILE", may_be_empty: false };
pub(super) const TELEMT_API_AUTH: Secret =
    Secret { name: "TELEMT_API_AUTH", file: "TELEMT_API_AUTH_FILE", may_be_empty: true };

impl Secret {
    /// Reads the value and parses it. A problem with the file is reported under the file's variable.
    pub(super) fn check<T, E: ToString>(
        &self,
        reader: &mut Reader,
        parse: impl FnOnce(Option<String>) -> Result<T, E>,
    ) -> Option<T> {
        let value = reader.check(self.file, self.read())?;
        reader.check(self.name, parse(value))
    }

    fn read(&self) -> Result<Option<String>, String> {
        match (variable(self.name), variable(self.file)) {
            (value, None) => Ok(value),
            (Some(_), Some(_)) => Err(format!("is set, and so is {}; keep one of them", self.name)),
            (None, Some(path)) => self.read_file(path.trim()),
        }
    }

    /// Reads the value from its file. The error never repeats what the file holds.
    fn read_file(&self, path: &str) -> Result<Option<String>, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
        // Editors and `echo` add a line end, which is not part of the secret.
        let text = text.trim_end_matches(['\r', '\n']);
        match text.trim() {
            "" if self.may_be_empty => Ok(None),
            "" => Err(format!("{path} is empty")),
            _ => Ok(Some(text.to_owned())),
        }
    }
}
