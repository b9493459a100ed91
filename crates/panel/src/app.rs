//! The state that request handlers and background tasks share.

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
    /// The settings that the service was started with.
    pub settings: Settings,
    /// Where the time comes from.
    pub clock: Clock,
    /// Asks the config sync for a write of `config.toml`, and knows its state.
    pub sync: SyncHandle,
    /// Wakes the enforcement task, which sleeps until the next expiry.
    pub deadlines: Arc<Notify>,
    /// The users in memory, for searching and sorting lists.
    pub roster: Roster,
    /// Password hashing.
    pub passwords: Passwords,
    /// Signs and checks access tokens.
    pub tokens: Tokens,
    /// Counts failed logins and refuses further ones.
    pub login_limit: LoginLimit,
    /// Links and secrets that administrators have viewed and that the audit log does not have yet.
    pub shown: Shown,
    /// The last results of the periodic tasks and of the proxy's scrapes.
    pub health: Health,
    /// The warnings that are in force.
    pub warnings: Warnings,
}

/// The state as handlers get it.
pub type SharedApp = Arc<App>;

impl App {
    /// Creates the state; no task runs yet.
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
