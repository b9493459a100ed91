//! What is wrong with input that came from outside.

use std::fmt::Display;

/// A field of the input and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field in the request.
    pub field: String,
    /// What is wrong, as a sentence that continues the field's name.
    pub message: String,
}

impl FieldError {
    /// Names a field and what is wrong with it.
    pub fn new(field: impl Into<String>, message: impl Display) -> Self {
        Self { field: field.into(), message: message.to_string() }
    }
}
