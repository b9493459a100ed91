//! Why a file is refused, without a word of what stands in it.

use std::fmt;
use std::path::Path;

/// Why a file is refused. The text never quotes the file, which holds secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong.
    pub message: String,
    /// Line and column, from 1, where that can be told.
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

    /// The same error at a line of the file (`None`), or of one that it includes.
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

    pub(super) fn of_toml(error: &toml::de::Error, text: &str) -> Self {
        let position = error.span().map(|span| position(text, span.start));
        Self { message: without_values(error.message()), position }
    }
}

/// A message of the parser without what it quotes of the file: that may be a secret in the wrong place. What is quoted
/// stands before what was expected, if anything is.
fn without_values(message: &str) -> String {
    let quotes = ["invalid type: ", "invalid value: ", "unknown variant "];
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if quotes.iter().any(|quote| message.starts_with(quote)) => {
            format!("an invalid value, expected {expected}")
        }
        _ => message.replace('\n', ", "),
    }
}

/// Line and column, in characters from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
