//! What an update says about a user: an absent field stays, `null` clears, a value sets.

use chrono::{DateTime, SubsecRound, Utc};

use super::{Limit, Limits, NOTE_MAX, Profile, ResetStrategy};
use crate::fault::FieldErrors;
use crate::patch::Patch;

/// A checked update of a user. A user is created by the same on [`Profile::new`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserPatch {
    /// Whether an administrator disables the user (`Some(true)`) or serves them again.
    pub disabled: Option<bool>,
    /// The limits.
    pub limits: Limits<Patch<Limit>>,
    /// When the user expires.
    pub expire_at: Patch<DateTime<Utc>>,
    /// Note of the administrators; cleared means empty.
    pub note: Patch<String>,
    /// How often usage is reset; cleared means never.
    pub reset_strategy: Patch<ResetStrategy>,
}

/// Checks the note of a request; `errors` gets what is wrong with it.
pub fn check_note(note: &str, errors: &mut FieldErrors) {
    if note.chars().count() > NOTE_MAX {
        errors.push("note", format!("may have at most {NOTE_MAX} characters"));
    }
    if note.contains('\0') {
        errors.push("note", "may not hold a NUL character");
    }
}

impl Profile {
    /// Applies an update at `now`; the status follows from the new fields. A new schedule of resets begins at `now`.
    pub fn apply(&mut self, patch: UserPatch, now: DateTime<Utc>) {
        self.limits = patch.limits.zip(self.limits).map(|(patch, current)| patch.apply(current));
        self.expire_at = patch.expire_at.apply(self.expire_at).map(|end| end.trunc_subsecs(0));
        self.note = patch.note.apply(Some(std::mem::take(&mut self.note))).unwrap_or_default();
        let strategy = patch.reset_strategy.apply(Some(self.reset_strategy)).unwrap_or(ResetStrategy::None);
        if strategy != self.reset_strategy {
            self.reset_strategy = strategy;
            self.next_reset_at = strategy.next_reset(now);
        }
        self.set_disabled(patch.disabled.unwrap_or(self.standing().disabled), now);
    }
}
