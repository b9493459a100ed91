//! What handlers and tasks share.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::runtime::health::Health;
use crate::runtime::login_limit::LoginLimit;
use crate::runtime::password::Passwords;
use crate::runtime::roster::Roster;
use crate::runtime::shown::Shown;
use crate::runtime::sync::SyncHandle;
use crate::runtime::token::Tokens;
use crate::runtime::warnings::Warnings;
use crate::settings::Settings;
use crate::store::Store;

/// The running service.
#[derive(Debug)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The settings it was started with.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
    /// The way to the task that writes the file.
    pub sync: SyncHandle,
    /// Wakes the task that waits for the next expiry.
    pub deadlines: Arc<Notify>,
    /// The order of users in lists.
    pub roster: Roster,
    /// Password hashing.
    pub passwords: Passwords,
    /// Access tokens.
    pub tokens: Tokens,
    /// Failed logins.
    pub login_limit: LoginLimit,
    /// What administrators had shown, on its way to the audit log.
    pub shown: Shown,
    /// How the periodic tasks and the proxy are.
    pub health: Health,
    /// What the operator should know of.
    pub warnings: Warnings,
}

/// What handlers get.
pub type SharedApp = Arc<App>;

impl App {
    /// Puts the service together; nothing runs yet.
    pub fn new(store: Store, settings: Settings, clock: Clock) -> Self {
        Self {
            store,
            clock,
            sync: SyncHandle::default(),
            deadlines: Arc::default(),
            roster: Roster::default(),
            passwords: Passwords::default(),
            tokens: Tokens::new(&settings.secret_key, settings.token_lifetime),
            login_limit: LoginLimit::default(),
            shown: Shown::default(),
            health: Health::default(),
            warnings: Warnings::default(),
            settings,
        }
    }
}
