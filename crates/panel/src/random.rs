//! The only place that reads the system's random source.

use mtpannel_core::user::Secret;

/// Fresh random bytes.
///
/// # Panics
/// If the system has no random source: no secret could be generated safely.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the random source")]
    getrandom::fill(&mut bytes).expect("the system's random source works");
    bytes
}

/// A fresh secret for a user.
pub fn secret() -> Secret {
    Secret::new(bytes())
}

/// A fresh password of 24 letters and digits (about 142 bits), for an administrator who did not choose one.
pub fn password() -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut password = String::new();
    while password.len() < 24 {
        // Values past the largest multiple of 62 are drawn again, so that all characters are equally likely.
        let [byte] = bytes::<1>();
        if byte < 248 {
            password.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        }
    }
    password
}
