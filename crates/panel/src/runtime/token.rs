//! Access tokens, and refresh tokens of login sessions: JWT, signed with HS256 and no other algorithm.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use mtpannel_core::user::CLOCKS_DIFFER;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::store::admins::Holder;

/// A browser is known for this long after the last login in it.
pub const DEVICE_KNOWN_FOR: TimeDelta = TimeDelta::days(90);
/// Administrators who are known of one browser, the latest.
const ADMINS_OF_A_DEVICE: usize = 8;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Row id of the administrator: a name can be given again, an id cannot.
    pub sub: String,
    /// When it was given, seconds since 1970.
    pub iat: i64,
    /// When it ends, seconds since 1970.
    pub exp: i64,
    /// The administrator's token epoch when it was given.
    pub epoch: i64,
    /// The login session with which the token ends; programs have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// When the password was given, seconds since 1970: renewing a token does not change it.
    #[serde(default)]
    pub auth_time: i64,
}

/// What an access token vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who holds it, which the database has yet to confirm.
    pub holder: Holder,
    /// When they gave their password.
    pub logged_in_at: DateTime<Utc>,
}

/// The content of the cookie by which a browser is known. It grants nothing: it only decides in which lane logins are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The browser; random.
    #[serde(rename = "device")]
    pub id: String,
    /// Row ids of the administrators who have logged in in it, the latest first.
    pub admins: Vec<i64>,
    /// When the last of them did, seconds since 1970.
    pub at: i64,
}

impl Device {
    /// The same browser, or a new one called `id`, after a login of this administrator.
    pub fn after_login(before: Option<Self>, id: impl FnOnce() -> String, admin_id: i64, now: DateTime<Utc>) -> Self {
        let (id, mut admins) = before.map_or_else(|| (id(), Vec::new()), |before| (before.id, before.admins));
        admins.retain(|known| *known != admin_id);
        admins.insert(0, admin_id);
        admins.truncate(ADMINS_OF_A_DEVICE);
        Self { id, admins, at: now.timestamp() }
    }
}

/// What a refresh token says. It is the same however often it is signed, so that one whose answer was lost can be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// The session.
    #[serde(rename = "sub")]
    pub family: String,
    /// How many tokens of the session came before.
    pub generation: i64,
}

/// Signs and checks tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    /// For tokens without an end of their own.
    endless_validation: Validation,
    lifetime: Duration,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// Takes the key and for how long a token is valid.
    pub fn new(key: &SecretString, lifetime: Duration) -> Self {
        let key = key.expose_secret().as_bytes();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["sub", "exp"]);
        // Checked below against the program's own clock, without leeway.
        validation.validate_exp = false;
        let mut endless_validation = validation.clone();
        endless_validation.required_spec_claims.clear();
        let (encoding, decoding) = (EncodingKey::from_secret(key), DecodingKey::from_secret(key));
        Self { encoding, decoding, validation, endless_validation, lifetime }
    }

    /// An access token.
    pub fn issue(&self, grant: &Grant, now: DateTime<Utc>) -> SecretString {
        let Holder { admin_id, epoch, session } = &grant.holder;
        let iat = now.timestamp();
        let exp = iat.saturating_add(self.lifetime.as_secs().try_into().unwrap_or(i64::MAX));
        let auth_time = grant.logged_in_at.timestamp();
        let claims = Claims { sub: admin_id.to_string(), iat, exp, epoch: *epoch, sid: session.clone(), auth_time };
        self.sign(&claims).into()
    }

    /// A refresh token. It has no end of its own: the session has.
    pub fn issue_refresh(&self, family: &Family) -> String {
        self.sign(family)
    }

    fn sign(&self, claims: &impl Serialize) -> String {
        // The claims always have a JSON form, and the key is one for HS256.
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.encoding).expect("claims can be signed")
    }

    /// What a refresh token says; `None` if it is not ours.
    pub fn check_refresh(&self, token: &str) -> Option<Family> {
        Some(jsonwebtoken::decode(token, &self.decoding, &self.endless_validation).ok()?.claims)
    }

    /// The cookie by which a browser is known from now on.
    pub fn issue_device(&self, device: &Device) -> String {
        self.sign(device)
    }

    /// The browser that a cookie names; `None` if it is not ours or too old.
    pub fn check_device(&self, token: &str, now: DateTime<Utc>) -> Option<Device> {
        let device = jsonwebtoken::decode::<Device>(token, &self.decoding, &self.endless_validation).ok()?.claims;
        let known_until = device.at.saturating_add(DEVICE_KNOWN_FOR.num_seconds());
        (now.timestamp() < known_until).then_some(device)
    }

    /// What an access token vouches for; `None` if it is not ours or its time is over.
    pub fn check(&self, token: &str, now: DateTime<Utc>) -> Option<Grant> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        // One that was given far ahead of now was given by a wrong clock, and would be valid for too long.
        let latest = now.timestamp().saturating_add(CLOCKS_DIFFER.num_seconds());
        if now.timestamp() >= claims.exp || claims.iat > latest {
            return None;
        }
        let holder = Holder { admin_id: claims.sub.parse().ok()?, epoch: claims.epoch, session: claims.sid };
        Some(Grant { holder, logged_in_at: DateTime::from_timestamp(claims.auth_time, 0)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(key: &str) -> Tokens {
        Tokens::new(&SecretString::from(key), Duration::from_mins(1))
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn grant(session: Option<&str>) -> Grant {
        let holder = Holder { admin_id: 7, epoch: 3, session: session.map(str::to_owned) };
        Grant { holder, logged_in_at: at(900) }
    }

    #[test]
    fn a_token_is_valid_until_its_time_is_over() {
        let tokens = tokens("a key of at least thirty-two bytes!!");
        for session in [None, Some("family")] {
            let token = tokens.issue(&grant(session), at(1_000));
            assert_eq!(tokens.check(token.expose_secret(), at(1_059)), Some(grant(session)));
            assert_eq!(tokens.check(token.expose_secret(), at(1_060)), None);
        }
    }

    #[test]
    fn a_token_that_a_clock_far_ahead_has_given_is_void_when_time_is_right_again() {
        let tokens = tokens("a key of at least thirty-two bytes!!");
        let token = tokens.issue(&grant(None), at(40_000_000));
        assert_eq!(tokens.check(token.expose_secret(), at(40_000_000)), Some(grant(None)));
        assert_eq!(tokens.check(token.expose_secret(), at(40_000_000 - 60)), Some(grant(None)));
        assert_eq!(tokens.check(token.expose_secret(), at(40_000_000 - 61)), None);
        assert_eq!(tokens.check(token.expose_secret(), at(1_000)), None);
    }

    #[test]
    fn a_token_of_an_older_panel_is_valid_and_stems_from_no_fresh_login() {
        let tokens = tokens("a key of at least thirty-two bytes!!");
        let token = tokens.sign(&serde_json::json!({"sub": "7", "iat": 1, "exp": 2_000, "epoch": 3}));
        let grant = tokens.check(&token, at(1_000)).unwrap();
        assert_eq!((grant.holder.session, grant.logged_in_at), (None, at(0)));
    }

    #[test]
    fn a_browser_is_known_for_ninety_days_and_of_its_latest_administrators() {
        let tokens = tokens("a key of at least thirty-two bytes!!");
        let mut device = Device::after_login(None, || "new".into(), 1, at(0));
        for admin_id in [2, 3, 2] {
            device = Device::after_login(Some(device), || unreachable!(), admin_id, at(0));
        }
        assert_eq!((device.id.as_str(), device.admins.as_slice()), ("new", [2, 3, 1].as_slice()));
        let token = tokens.issue_device(&device);
        let days = |count: i64| at(count * 86_400);
        assert_eq!(tokens.check_device(&token, days(89)), Some(device.clone()));
        assert_eq!(tokens.check_device(&token, days(90)), None);
        for admin_id in 10..30 {
            device = Device::after_login(Some(device), || unreachable!(), admin_id, at(0));
        }
        assert_eq!(device.admins.len(), ADMINS_OF_A_DEVICE);
    }

    #[test]
    fn a_refresh_token_is_the_same_each_time_and_no_kind_passes_for_another() {
        let ours = tokens("a key of at least thirty-two bytes!!");
        let family = Family { family: "7".into(), generation: 3 };
        let refresh = ours.issue_refresh(&family);
        assert_eq!(ours.issue_refresh(&family), refresh);
        assert_eq!(ours.check(&refresh, at(0)), None);
        let access = ours.issue(&grant(Some("family")), at(0));
        assert_eq!(ours.check_refresh(access.expose_secret()), None);
        let device = ours.issue_device(&Device { id: "d".into(), admins: vec![7], at: 0 });
        assert_eq!(ours.check(&device, at(0)), None);
        assert_eq!(ours.check_refresh(&device), None);
        assert_eq!(ours.check_device(&refresh, at(0)), None);
        assert_eq!(ours.check_device(access.expose_secret(), at(0)), None);
        assert_eq!(tokens("another key of at least thirty-two bytes").check_refresh(&refresh), None);
        assert_eq!(ours.check_refresh(&refresh), Some(family));
    }

    #[test]
    fn a_token_of_another_key_or_algorithm_is_not_ours() {
        let ours = tokens("a key of at least thirty-two bytes!!");
        let theirs = tokens("another key of at least thirty-two bytes").issue(&grant(None), at(1_000));
        assert_eq!(ours.check(theirs.expose_secret(), at(1_001)), None);
        let claims = Claims { sub: "7".into(), iat: 1, exp: i64::MAX, epoch: 0, sid: None, auth_time: 1 };
        let key = EncodingKey::from_secret(b"a key of at least thirty-two bytes!!");
        let hs512 = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap();
        assert_eq!(ours.check(&hs512, at(1)), None);
        assert_eq!(
            ours.check("eyJhbGciOiJub25lIn0.eyJzdWIiOiI3IiwiZXhwIjo5OTk5OTk5OTk5LCJpYXQiOjEsImVwb2NoIjowfQ.", at(1)),
            None
        );
    }
}
