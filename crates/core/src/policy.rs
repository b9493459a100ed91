//! Who may do what: the permissions of a caller, and which users an administrator sees.

/// Declares the permissions, each also as a type of its own: a function that asks for [`Right`] as a type cannot be called
/// without it.
macro_rules! permissions {
    ($($(#[$meta:meta])* $name:ident = $word:literal;)+) => {
        /// What a caller may be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Permission {
            $($(#[$meta])* $name,)+
        }

        impl Permission {
            /// Every permission.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name outside of the program.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }

        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl Right for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )+
    };
}

/// A permission as a type.
pub trait Right {
    /// The permission.
    const PERMISSION: Permission;
}

permissions! {
    /// See users.
    UsersRead = "users:read";
    /// Create, change and delete users.
    UsersWrite = "users:write";
    /// See the links of users.
    UsersSecrets = "users:secrets";
    /// See figures and traffic.
    StatsRead = "stats:read";
    /// See the settings and the metrics of the proxy.
    NodesRead = "nodes:read";
    /// See, create, change and delete administrators.
    AdminsWrite = "admins:write";
    /// See the audit log.
    AuditRead = "audit:read";
}

/// What an administrator without the role sudo may do, with the users that they created.
const OF_OTHERS: &[Permission] =
    &[Permission::UsersRead, Permission::UsersWrite, Permission::UsersSecrets, Permission::StatsRead];

/// The administrator behind a request, as the database has them at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Row id.
    pub id: i64,
    /// Name, for the audit log and for "not yourself".
    pub username: String,
    /// Whether they manage everything.
    pub is_sudo: bool,
}

/// Which users an administrator sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All of them.
    All,
    /// Those that this administrator (row id) created.
    OwnedBy(i64),
}

impl Scope {
    /// Whether a user of this owner (`None`: of nobody) is seen.
    pub fn sees(self, owner: Option<i64>) -> bool {
        match self {
            Self::All => true,
            Self::OwnedBy(id) => owner == Some(id),
        }
    }

    /// The owner whose users are seen, for a filter in SQL; `None` for all users.
    pub const fn owner(self) -> Option<i64> {
        match self {
            Self::All => None,
            Self::OwnedBy(id) => Some(id),
        }
    }
}

impl Actor {
    /// What this administrator may do.
    pub const fn permissions(&self) -> &'static [Permission] {
        if self.is_sudo { Permission::ALL } else { OF_OTHERS }
    }

    /// The users that they see and manage. All others are to them as if they did not exist.
    pub const fn scope(&self) -> Scope {
        if self.is_sudo { Scope::All } else { Scope::OwnedBy(self.id) }
    }

    /// Whether `name` is their own; names are compared without case.
    pub fn is(&self, name: &str) -> bool {
        self.username.eq_ignore_ascii_case(name)
    }

    /// Whether they may change the password of the administrator `name`: a sudo administrator may, and everybody their own.
    pub fn may_set_password_of(&self, name: &str) -> bool {
        self.is_sudo || self.is(name)
    }

    /// Whether they may change the role of `name`: a sudo administrator may, but not their own.
    pub fn may_set_role_of(&self, name: &str) -> bool {
        self.is_sudo && !self.is(name)
    }

    /// Whether they may delete `name`: a sudo administrator may, but not themselves.
    pub fn may_delete(&self, name: &str) -> bool {
        self.may_set_role_of(name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Actor, Permission, Scope};

    fn actor(is_sudo: bool) -> Actor {
        Actor { id: 7, username: "Root.Admin".into(), is_sudo }
    }

    #[test]
    fn sudo_sees_everything_and_others_what_they_created() {
        assert_eq!(actor(true).scope(), Scope::All);
        assert_eq!(actor(false).scope(), Scope::OwnedBy(7));
        assert_eq!((actor(true).scope().owner(), actor(false).scope().owner()), (None, Some(7)));
        for (owner, is_seen) in [(Some(7), true), (Some(8), false), (None, false)] {
            assert!(Scope::All.sees(owner));
            assert_eq!(Scope::OwnedBy(7).sees(owner), is_seen);
        }
    }

    #[test]
    fn only_sudo_may_do_what_goes_beyond_users() {
        assert_eq!(actor(true).permissions(), Permission::ALL);
        let words: Vec<_> = actor(false).permissions().iter().map(|permission| permission.as_str()).collect();
        assert_eq!(words, ["users:read", "users:write", "users:secrets", "stats:read"]);
    }

    #[test]
    fn everybody_may_change_their_own_password_but_nobody_their_own_role_or_existence() {
        assert!(actor(false).may_set_password_of("root.admin"));
        assert!(!actor(false).may_set_password_of("other"));
        assert!(actor(true).may_set_password_of("other"));
        assert!(!actor(true).may_set_role_of("ROOT.ADMIN"));
        assert!(!actor(true).may_delete("root.admin"));
        assert!(actor(true).may_delete("other"));
        assert!(!actor(false).may_delete("other"));
    }
}
