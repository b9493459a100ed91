//! Partial updates: in a PUT body an absent field, `null` and a value are three different wishes.

use serde::{Deserialize, Deserializer};

/// What an update wants to do with one optional field.
///
/// Needs `#[serde(default)]` on the field, so that an absent one becomes [`Patch::Keep`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The field was absent: leave it as it is.
    #[default]
    Keep,
    /// The field was `null`: there is to be no value.
    Clear,
    /// The field had a value.
    Set(T),
}

impl<T> Patch<T> {
    /// The field's new value, given its `current` one.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::Patch;

    #[test]
    fn keep_clear_and_set_are_three_cases() {
        assert_eq!(Patch::Keep.apply(Some(1)), Some(1));
        assert_eq!(Patch::Clear.apply(Some(1)), None);
        assert_eq!(Patch::Set(2).apply(Some(1)), Some(2));
    }
}
