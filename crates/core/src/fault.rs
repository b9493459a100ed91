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

/// Collects what is wrong with the fields of one input.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Keeps the value, or notes what is wrong with `field`.
    pub fn take<T>(&mut self, field: &str, result: Result<T, impl Display>) -> Option<T> {
        result.map_err(|error| self.push(field, error)).ok()
    }

    /// Notes something wrong with `field`.
    pub fn push(&mut self, field: &str, message: impl Display) {
        self.0.push(FieldError::new(field, message));
    }

    /// Fails with all errors, if there are any.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
