//! Compares a password with an administrator's, limits the attempts, and records each failure.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use mtpannel_core::audit::By;
use secrecy::SecretString;
use serde_json::json;

use super::{ServiceError, ServiceResult};
use crate::app::App;
use crate::runtime::login_limit::{Attempt, Lane, Refusal, network};
use crate::runtime::password::Verdict;
use crate::runtime::queue::{Overloaded, Turn};
use crate::runtime::token::Device;
use crate::store::admins::{self, Credentials};
use crate::store::audit;
use crate::store::{StoreResult, login_networks};

const WRONG_LOGIN: &str = "wrong user name or password";

/// Where a login comes from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// Address of the client.
    pub address: Option<IpAddr>,
    /// The cookie by which the panel knows the browser.
    pub device: Option<&'a str>,
}

/// A password that was right when it was compared.
pub(super) struct Compared {
    /// With what it was compared. The transaction of the login makes sure that it is still the same.
    pub(super) credentials: Credentials,
    /// A better hash of the password, if the stored one is of a weaker kind.
    pub(super) better_hash: Option<String>,
    /// When it was compared.
    pub(super) now: DateTime<Utc>,
    attempt: Attempt,
}

impl Compared {
    /// The stored hash changed in the meantime: the password is wrong after all, and counts.
    pub(super) async fn fail_late(self, app: &App, origin: Origin<'_>, name: &str) -> ServiceError {
        self.attempt.failed(&app.login_limit, self.now);
        note_failure(app, origin.address, Some(name), self.now).await
    }
}

/// Compares name and password, outside of any transaction, because hashing takes long.
pub(super) async fn compare(
    app: &App,
    name: &str,
    password: SecretString,
    origin: Origin<'_>,
) -> ServiceResult<Compared> {
    let now = app.clock.now();
    let device = origin.device.and_then(|token| app.tokens.check_device(token, now));
    // A flood from one network costs no access to the database.
    if let Some(wait) = app.login_limit.closed(origin.address, now).filter(|_| device.is_none()) {
        return Err(turn_away(app, origin.address, wait, now).await);
    }
    let found = look_up(app, name, origin.address, now).await?;
    let lane = found.lane(name, origin.address, device);
    let turn = if matches!(lane, Lane::Unknown { .. }) { Turn::Unknown } else { Turn::Known };
    let attempt = match app.login_limit.begin(&lane, now).await {
        Ok(attempt) => attempt,
        Err(Refusal::Closed(wait)) => return Err(turn_away(app, origin.address, wait, now).await),
        Err(Refusal::Busy) => return Err(ServiceError::Overloaded { retry_after_seconds: 1 }),
    };
    let hash = found.credentials.as_ref().map(|known| known.hashed_password.clone());
    let verdict = app.passwords.verify_login(turn, password, hash, found.any_bcrypt).await?;
    let now = app.clock.now();
    let better_hash = match verdict {
        Verdict::Right => None,
        Verdict::RightWithBetterHash(hash) => Some(hash),
        Verdict::Wrong => {
            attempt.failed(&app.login_limit, now);
            // The typed name stays out of every record: people type passwords there. A known name may be named.
            let known = found.credentials.is_some().then_some(name);
            return Err(note_failure(app, origin.address, known, now).await);
        }
    };
    let credentials = found.credentials.ok_or(ServiceError::Unauthorized(WRONG_LOGIN))?;
    Ok(Compared { credentials, better_hash, now, attempt })
}

/// What a login under a name is compared with.
struct Found {
    credentials: Option<Credentials>,
    /// What all logins are compared with as well while there are bcrypt hashes.
    any_bcrypt: Option<String>,
    /// Whether the administrator has logged in from this network before.
    is_network_known: bool,
}

impl Found {
    fn lane(&self, name: &str, address: Option<IpAddr>, device: Option<Device>) -> Lane {
        let device = self.credentials.as_ref().zip(device);
        match device.filter(|(known, device)| device.admins.contains(&known.id)) {
            Some((known, device)) => Lane::Device { device: device.id, admin_id: known.id },
            None if self.is_network_known => Lane::KnownNetwork(address),
            None => Lane::Unknown { address, account: name.to_owned() },
        }
    }
}

/// No administrator has a name outside of ASCII, whatever a database takes for its lower case.
async fn look_up(app: &App, name: &str, address: Option<IpAddr>, now: DateTime<Utc>) -> StoreResult<Found> {
    let mut conn = app.store.read().await?;
    let credentials = if name.is_ascii() { admins::credentials(conn.db(), name).await? } else { None };
    let is_network_known = match &credentials {
        Some(known) => login_networks::is_known(conn.db(), known.id, network(address), now).await?,
        None => false,
    };
    Ok(Found { credentials, any_bcrypt: admins::any_bcrypt_hash(conn.db()).await?, is_network_known })
}

/// Logs a wrong password, for people and for programs that ban addresses, and adds it to the audit log. Wrong passwords
/// under unknown names are recorded up to a number only, because anybody can make them.
async fn note_failure(app: &App, address: Option<IpAddr>, target: Option<&str>, now: DateTime<Utc>) -> ServiceError {
    let shown = address.map_or_else(|| "-".to_owned(), |address| address.to_string());
    tracing::warn!(target: "mtpannel::login", address = %shown, "login failed");
    if target.is_some() || app.login_limit.may_record_unknown(now) {
        write_down(app, address, "admin.login_failed", target, None, now).await;
    }
    ServiceError::Unauthorized(WRONG_LOGIN)
}

/// Refuses a login without a comparison.
async fn turn_away(app: &App, address: Option<IpAddr>, wait: u64, now: DateTime<Utc>) -> ServiceError {
    if let Some(refused) = app.login_limit.notes_refused(address, now) {
        write_down(app, address, "admin.login_refused", None, Some(json!({"refused": refused})), now).await;
    }
    ServiceError::TooManyLogins { retry_after_seconds: wait }
}

/// Adds an entry to the audit log. A database that cannot write does not change the answer to a failed login.
async fn write_down(
    app: &App,
    address: Option<IpAddr>,
    action: &str,
    target: Option<&str>,
    after: Option<serde_json::Value>,
    now: DateTime<Utc>,
) {
    let written = async {
        let mut tx = app.store.write().await?;
        audit::record(tx.db(), &By::Unknown { address }, now, action, target, (None, after)).await?;
        tx.commit().await
    };
    if let Err(error) = written.await {
        tracing::error!(%error, action, "an entry of the audit log could not be written");
    }
}

impl From<Overloaded> for ServiceError {
    fn from(overloaded: Overloaded) -> Self {
        Self::Overloaded { retry_after_seconds: overloaded.retry_after_seconds }
    }
}
