//! The error that refuses a file. It never quotes the file.

use std::fmt;
use std::path::Path;

/// Why a file is refused. The text never quotes the file, because that contains secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong.
    pub message: String,
    /// Line and column, counted from 1, if they are known.
    pub position: Option<(usize, usize)>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some((line, column)) => write!(f, "line {line}, column {column}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    pub(crate) fn new(message: &str) -> Self {
        Self { message: message.to_owned(), position: None }
    }

    /// The same error with another position: a line of the main file (`None`), or of an included file.
    pub(super) fn at(self, (file, line): (Option<&Path>, usize), column: usize) -> Self {
        match file {
            None => Self { position: Some((line, column)), ..self },
            Some(file) => Self {
                message: format!(
                    "in the included file {}, line {line}, column {column}: {}",
                    file.display(),
                    self.message
                ),
                position: None,
            },
        }
    }

    /// The error for an error of the TOML parser.
    pub(super) fn of_toml(error: &toml::de::Error, text: &str) -> Self {
        let position = error.span().map(|span| position(text, span.start));
        Self { message: without_values(error.message()), position }
    }
}

/// Removes what a message of the parser quotes of the file, which may be a misplaced secret. The quoted part stands before
/// `, expected`.
fn without_values(message: &str) -> String {
    let quotes = ["invalid type: ", "invalid value: ", "unknown variant "];
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if quotes.iter().any(|quote| message.starts_with(quote)) => {
            format!("an invalid value, expected {expected}")
        }
        _ => message.replace('\n', ", "),
    }
}

/// Line and column of a byte offset, both counted from 1, the column in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
