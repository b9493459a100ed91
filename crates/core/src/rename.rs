//! New names for users and administrators whose names an import cannot keep.

use std::collections::HashMap;
use std::str::FromStr;

use crate::user::{Username, UsernameError};

/// One `OLD=NEW` of a rename table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The old name, exactly as it is imported.
    pub old: String,
    /// The new name.
    pub new: Username,
}

/// Why a text is no entry of a rename table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// There is no `=`, or nothing before it.
    #[error("must be OLD=NEW")]
    Form,
    /// The new name is not a valid name.
    #[error("the new name {0:?} {1}")]
    New(String, UsernameError),
}

impl FromStr for Rename {
    type Err = RenameError;

    /// The last `=` counts, because an old name may hold one and a new one never does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (old, new) = text.rsplit_once('=').filter(|(old, _)| !old.is_empty()).ok_or(RenameError::Form)?;
        let new = new.parse().map_err(|error| RenameError::New(new.to_owned(), error))?;
        Ok(Self { old: old.to_owned(), new })
    }
}

/// A rename table.
#[derive(Debug, Clone, Default)]
pub struct Renames(HashMap<String, Username>);

impl FromIterator<Rename> for Renames {
    /// Of several entries for one old name the last counts.
    fn from_iter<I: IntoIterator<Item = Rename>>(entries: I) -> Self {
        Self(entries.into_iter().map(|Rename { old, new }| (old, new)).collect())
    }
}

impl Renames {
    /// The new name of `old`, if the table has one.
    pub fn get(&self, old: &str) -> Option<&Username> {
        self.0.get(old)
    }

    /// The name after the import; fails if `old` is not a valid name and the table has no other for it.
    pub fn name(&self, old: &str) -> Result<Username, UsernameError> {
        self.get(old).map_or_else(|| old.parse(), |new| Ok(new.clone()))
    }

    /// Old names of the table that did not occur, in order: probably typing errors.
    pub fn unused(&self, occurs: impl Fn(&str) -> bool) -> Vec<&str> {
        let mut unused: Vec<&str> = self.0.keys().map(String::as_str).filter(|old| !occurs(old)).collect();
        unused.sort_unstable();
        unused
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_last_equals_sign_separates_old_from_new() {
        let rename: Rename = "a=b=carol".parse().unwrap();
        assert_eq!((rename.old.as_str(), rename.new.as_str()), ("a=b", "carol"));
    }

    #[rstest]
    #[case("")]
    #[case("alice")]
    #[case("=alice")]
    #[case("alice=")]
    #[case("alice=a b")]
    #[case("alice=scope_x")]
    fn what_is_no_entry_is_refused(#[case] text: &str) {
        assert!(text.parse::<Rename>().is_err());
    }

    #[test]
    fn names_outside_the_table_stay_and_unused_entries_are_found() {
        let renames: Renames = ["a b=anna", "x=xenia"].iter().map(|entry| entry.parse::<Rename>().unwrap()).collect();
        assert_eq!(renames.name("a b").unwrap().as_str(), "anna");
        assert_eq!(renames.name("carol").unwrap().as_str(), "carol");
        assert_eq!(renames.name("c d"), Err(UsernameError::Character));
        assert_eq!(renames.unused(|old| old == "a b"), ["x"]);
    }
}
