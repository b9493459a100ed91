//! Password hashing: argon2id, in a blocking thread, a few at a time.

use std::sync::LazyLock;

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use mtpannel_core::fault::FieldError;
use secrecy::{ExposeSecret, SecretString};

use super::queue::{Overloaded, Place, Queue, Turn};
use crate::random;

/// Length of an administrator's password, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 10..=128;

/// Argon2id with the parameters that OWASP recommends first: 19 MiB, 2 passes, 1 lane.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// The hash that the password of an unknown name is compared with, so that it costs the same as that of a known one.
static UNKNOWN_NAME_HASH: LazyLock<String> = LazyLock::new(|| hash_now(&random::password()));

fn hash_now(password: &str) -> String {
    argon2()
        .hash_password_with_salt(password.as_bytes(), &random::bytes::<16>())
        .expect("the parameters and a salt of 16 bytes are valid")
        .to_string()
}

/// Result of a comparison of a password with a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is another one.
    Wrong,
    /// It is the one.
    Right,
    /// It is the one, but its hash is of a weaker kind; this is a better one.
    RightWithBetterHash(String),
}

/// Hashes and compares passwords.
#[derive(Debug, Clone, Default)]
pub struct Passwords(Queue);

/// Refuses passwords that are too short or too long.
pub fn check(password: &SecretString) -> Result<(), FieldError> {
    if LENGTH.contains(&password.expose_secret().chars().count()) {
        Ok(())
    } else {
        Err(FieldError::new("password", format!("must have {} to {} characters", LENGTH.start(), LENGTH.end())))
    }
}

/// Whether this is a hash with which a password can be compared.
pub fn is_hash(hash: &str) -> bool {
    let is_bcrypt = hash.starts_with("$2") && hash.parse::<bcrypt::HashParts>().is_ok();
    is_bcrypt || PasswordHash::new(hash).is_ok_and(|hash| hash.algorithm.as_str() == "argon2id")
}

impl Passwords {
    /// The argon2id hash of a password.
    pub async fn hash(&self, password: SecretString) -> String {
        self.0.run(self.0.place(Turn::Known), move || hash_now(password.expose_secret())).await
    }

    /// Compares a password with a stored hash, argon2id or bcrypt; `None` is that of an unknown name. Whichever it is, the
    /// work is one argon2id and, as long as there is `bcrypt`, any hash of that kind, one bcrypt.
    pub async fn verify(&self, password: SecretString, hash: Option<String>, bcrypt: Option<String>) -> Verdict {
        self.compare(self.0.place(Turn::Known), password, hash, bcrypt).await
    }

    /// The same for a login, unless too many wait already.
    pub(crate) async fn verify_login(
        &self,
        turn: Turn,
        password: SecretString,
        hash: Option<String>,
        bcrypt: Option<String>,
    ) -> Result<Verdict, Overloaded> {
        let place = self.0.enter(turn)?;
        Ok(self.compare(place, password, hash, bcrypt).await)
    }

    async fn compare(
        &self,
        place: Place,
        password: SecretString,
        hash: Option<String>,
        bcrypt: Option<String>,
    ) -> Verdict {
        let work = move || verify_now(password.expose_secret(), hash.as_deref(), bcrypt.as_deref());
        self.0.run(place, work).await
    }
}

fn verify_now(password: &str, hash: Option<&str>, any_bcrypt: Option<&str>) -> Verdict {
    let (bcrypt, argon) =
        hash.map_or((None, None), |hash| if hash.starts_with("$2") { (Some(hash), None) } else { (None, Some(hash)) });
    // Both are compared in any case, so that the time does not tell what kind of hash a name has, or whether it has one.
    let bcrypt_fits = bcrypt.or(any_bcrypt).is_some_and(|hash| bcrypt::verify(password, hash).unwrap_or_default());
    let argon_fits = PasswordHash::new(argon.unwrap_or(&UNKNOWN_NAME_HASH))
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok());
    if argon.is_some() && argon_fits {
        Verdict::Right
    } else if bcrypt.is_some() && bcrypt_fits {
        Verdict::RightWithBetterHash(hash_now(password))
    } else {
        Verdict::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(password: &str, hash: &str) -> Verdict {
        verify_now(password, Some(hash), None)
    }

    #[test]
    fn a_password_is_recognised_by_its_argon2id_hash() {
        let hash = hash_now("correct horse");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(compare("correct horse", &hash), Verdict::Right);
        assert_eq!(compare("wrong horse", &hash), Verdict::Wrong);
    }

    #[test]
    fn a_bcrypt_hash_is_accepted_and_replaced() {
        let hash = bcrypt::hash("correct horse", 4).unwrap();
        let Verdict::RightWithBetterHash(better) = compare("correct horse", &hash) else { panic!("not accepted") };
        assert_eq!(compare("correct horse", &better), Verdict::Right);
        assert_eq!(compare("wrong horse", &hash), Verdict::Wrong);
    }

    #[test]
    fn the_hash_that_only_costs_time_lets_nobody_in() {
        let others = bcrypt::hash("correct horse", 4).unwrap();
        assert_eq!(verify_now("correct horse", None, Some(&others)), Verdict::Wrong);
        assert_eq!(verify_now("correct horse", Some(&hash_now("mine")), Some(&others)), Verdict::Wrong);
        assert_eq!(verify_now("mine", Some(&hash_now("mine")), Some(&others)), Verdict::Right);
    }

    #[test]
    fn what_is_no_hash_matches_nothing() {
        assert_eq!(compare("", ""), Verdict::Wrong);
        assert_eq!(compare("x", "$2b$zz"), Verdict::Wrong);
    }
}
