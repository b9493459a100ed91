//! Access tokens, and refresh tokens of browsers: JWT, HS256 and nothing else (specification section 6, design section 9).

use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use mtpannel_core::user::CLOCKS_DIFFER;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

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
    refresh_validation: Validation,
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
        let mut refresh_validation = validation.clone();
        refresh_validation.set_required_spec_claims(&["sub"]);
        let (encoding, decoding) = (EncodingKey::from_secret(key), DecodingKey::from_secret(key));
        Self { encoding, decoding, validation, refresh_validation, lifetime }
    }

    /// A token for the administrator with this row id and token epoch.
    pub fn issue(&self, admin_id: i64, epoch: i64, now: DateTime<Utc>) -> SecretString {
        let iat = now.timestamp();
        let exp = iat.saturating_add(self.lifetime.as_secs().try_into().unwrap_or(i64::MAX));
        let claims = Claims { sub: admin_id.to_string(), iat, exp, epoch };
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
        Some(jsonwebtoken::decode(token, &self.decoding, &self.refresh_validation).ok()?.claims)
    }

    /// Row id and token epoch that a token vouches for; `None` if it is not ours or its time is over.
    pub fn check(&self, token: &str, now: DateTime<Utc>) -> Option<(i64, i64)> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?.claims;
        // One that was given far ahead of now was given by a wrong clock, and would be valid for too long.
        let in_time =
            now.timestamp() < claims.exp && claims.iat <= now.timestamp().saturating_add(CLOCKS_DIFFER.num_seconds());
        if in_time { Some((claims.sub.parse().ok()?, claims.epoch)) } else { None }
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

    #[test]
    fn a_token_is_valid_until_its_time_is_over() {
        let tokens = tokens("a key of at least thirty-two bytes!!");
        let token = tokens.issue(7, 3, at(1_000));
        assert_eq!(tokens.check(token.expose_secret(), at(1_059)), Some((7, 3)));
        assert_eq!(tokens.check(token.expose_secret(), at(1_060)), None);
    }

    #[test]
    fn a_token_that_a_clock_far_ahead_has_given_is_void_when_time_is_right_again() {
        let tokens = tokens("a key of at least thirty-two bytes!!");
        let token = tokens.issue(7, 3, at(40_000_000));
        assert_eq!(tokens.check(token.expose_secret(), at(40_000_000)), Some((7, 3)));
        assert_eq!(tokens.check(token.expose_secret(), at(40_000_000 - 60)), Some((7, 3)));
        assert_eq!(tokens.check(token.expose_secret(), at(40_000_000 - 61)), None);
        assert_eq!(tokens.check(token.expose_secret(), at(1_000)), None);
    }

    #[test]
    fn a_refresh_token_is_the_same_each_time_and_neither_kind_passes_for_the_other() {
        let ours = tokens("a key of at least thirty-two bytes!!");
        let family = Family { family: "7".into(), generation: 3 };
        let refresh = ours.issue_refresh(&family);
        assert_eq!(ours.issue_refresh(&family), refresh);
        assert_eq!(ours.check(&refresh, at(0)), None);
        assert_eq!(ours.check_refresh(ours.issue(7, 3, at(0)).expose_secret()), None);
        assert_eq!(tokens("another key of at least thirty-two bytes").check_refresh(&refresh), None);
        assert_eq!(ours.check_refresh(&refresh), Some(family));
    }

    #[test]
    fn a_token_of_another_key_or_algorithm_is_not_ours() {
        let ours = tokens("a key of at least thirty-two bytes!!");
        let theirs = tokens("another key of at least thirty-two bytes").issue(7, 3, at(1_000));
        assert_eq!(ours.check(theirs.expose_secret(), at(1_001)), None);
        let claims = Claims { sub: "7".into(), iat: 1, exp: i64::MAX, epoch: 0 };
        let key = EncodingKey::from_secret(b"a key of at least thirty-two bytes!!");
        let hs512 = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap();
        assert_eq!(ours.check(&hs512, at(1)), None);
        assert_eq!(
            ours.check("eyJhbGciOiJub25lIn0.eyJzdWIiOiI3IiwiZXhwIjo5OTk5OTk5OTk5LCJpYXQiOjEsImVwb2NoIjowfQ.", at(1)),
            None
        );
    }
}
