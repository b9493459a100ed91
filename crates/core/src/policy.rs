//! Which administrator may do what (design section 5, "Ownership").

/// The administrator behind a request, as loaded from the database for this very request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Row id.
    pub id: i64,
    /// Name, for the audit log and for "not yourself".
    pub username: String,
    /// Whether he manages everything.
    pub is_sudo: bool,
}

/// Which users an administrator sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// Those that this administrator (row id) created.
    OwnedBy(i64),
}

impl Scope {
    /// The owner to filter by, or `None` for everybody's users.
    pub const fn owner(self) -> Option<i64> {
        match self {
            Self::All => None,
            Self::OwnedBy(id) => Some(id),
        }
    }
}

impl Actor {
    /// The users he may see and manage. Anything outside it answers as if it did not exist.
    pub const fn scope(&self) -> Scope {
        if self.is_sudo { Scope::All } else { Scope::OwnedBy(self.id) }
    }

    /// Whether `name` is his own; names are compared without case.
    pub fn is(&self, name: &str) -> bool {
        self.username.eq_ignore_ascii_case(name)
    }

    /// Whether he may change the password of the administrator `name`: sudo, or his own (specification section 2.2).
    pub fn may_set_password_of(&self, name: &str) -> bool {
        self.is_sudo || self.is(name)
    }

    /// Whether he may change the role of `name`: sudo, but never his own.
    pub fn may_set_role_of(&self, name: &str) -> bool {
        self.is_sudo && !self.is(name)
    }

    /// Whether he may delete `name`: sudo, but never himself (specification section 2.2).
    pub fn may_delete(&self, name: &str) -> bool {
        self.may_set_role_of(name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Actor, Scope};

    fn actor(is_sudo: bool) -> Actor {
        Actor { id: 7, username: "Root.Admin".into(), is_sudo }
    }

    #[test]
    fn sudo_sees_everything_and_others_what_they_created() {
        assert_eq!(actor(true).scope(), Scope::All);
        assert_eq!(actor(false).scope(), Scope::OwnedBy(7));
        assert_eq!(actor(false).scope().owner(), Some(7));
    }

    #[test]
    fn everybody_may_change_his_own_password_but_nobody_his_own_role_or_existence() {
        assert!(actor(false).may_set_password_of("root.admin"));
        assert!(!actor(false).may_set_password_of("other"));
        assert!(actor(true).may_set_password_of("other"));
        assert!(!actor(true).may_set_role_of("ROOT.ADMIN"));
        assert!(!actor(true).may_delete("root.admin"));
        assert!(actor(true).may_delete("other"));
        assert!(!actor(false).may_delete("other"));
    }
}
