//! Passwords: which are accepted, and how they are hashed.
//!
//! A hash is meant to be slow and to fill memory. So it runs off the async workers, and only few
//! run at once: a burst of sign-ins may wait, but it cannot exhaust the machine.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::secrets::random_bytes;

/// The fewest characters of a password, counted as Unicode scalar values.
pub const MIN_LENGTH: usize = 8;

/// The most characters of a password, counted as Unicode scalar values.
pub const MAX_LENGTH: usize = 256;

/// A password that an attacker would find within this many guesses counts as common. The throttle
/// on sign-in keeps anyone from making so many against one account in a reasonable time.
const FEWEST_GUESSES: u64 = 5_000;

/// Memory of one hash in KiB: 19 MiB, with [`PASSES`] the smallest cost that OWASP advises.
const MEMORY_KIB: u32 = 19 * 1_024;

/// Passes over that memory.
const PASSES: u32 = 2;

/// Hashes that may run at once; each takes a processor and [`MEMORY_KIB`].
const CONCURRENT_HASHES: usize = 2;

/// Why a password is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It has fewer than [`MIN_LENGTH`] characters.
    TooShort,
    /// It has more than [`MAX_LENGTH`] characters.
    TooLong,
    /// It is a common password, a simple pattern, or close to one.
    Common,
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Weakness::TooShort => write!(f, "The password needs at least {MIN_LENGTH} characters."),
            Weakness::TooLong => {
                write!(f, "The password may have at most {MAX_LENGTH} characters.")
            }
            Weakness::Common => f.write_str("The password is too easy to guess."),
        }
    }
}

impl std::error::Error for Weakness {}

/// Whether a new password may be used.
pub fn check_strength(password: &str) -> Result<(), Weakness> {
    // One character past the limit is enough to know, however long the text is.
    let length = password.chars().take(MAX_LENGTH + 1).count();
    if length < MIN_LENGTH {
        return Err(Weakness::TooShort);
    }
    if length > MAX_LENGTH {
        return Err(Weakness::TooLong);
    }
    if zxcvbn::zxcvbn(password, &[]).guesses() < FEWEST_GUESSES {
        return Err(Weakness::Common);
    }
    Ok(())
}

/// The hash could not be made because the server is stopping or a thread died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingFailed;

impl fmt::Display for HashingFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the password could not be hashed")
    }
}

impl std::error::Error for HashingFailed {}

/// Why a new password has no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotHashed {
    /// It is not accepted.
    Weak(Weakness),
    /// The hash could not be made.
    Failed,
}

/// Hashes and verifies passwords with Argon2id, a few at a time; clones share the limit.
#[derive(Clone, Debug)]
pub struct PasswordHasher {
    permits: Arc<Semaphore>,
}

impl Default for PasswordHasher {
    fn default() -> PasswordHasher {
        PasswordHasher::new()
    }
}

impl PasswordHasher {
    /// A hasher with a limit of its own.
    pub fn new() -> PasswordHasher {
        PasswordHasher {
            permits: Arc::new(Semaphore::new(CONCURRENT_HASHES)),
        }
    }

    /// Hashes a password with a new salt, as a PHC string.
    pub async fn hash(&self, password: String) -> Result<String, HashingFailed> {
        self.run(move || hash_now(&password)).await
    }

    /// Hashes a password that may be used as a new one. Judging it takes time as well, so it is
    /// done off the async workers too.
    pub async fn hash_new(&self, password: String) -> Result<String, NotHashed> {
        let work = move || match check_strength(&password) {
            Ok(()) => Ok(hash_now(&password)),
            Err(weakness) => Err(NotHashed::Weak(weakness)),
        };
        self.run(work).await.unwrap_or(Err(NotHashed::Failed))
    }

    /// Whether the password is the one that `stored` was made from.
    ///
    /// None stands for an unknown user: the answer is no, after the same work as for a known one,
    /// so that the time does not tell whether an account exists.
    pub async fn verify(&self, password: String, stored: Option<String>) -> bool {
        self.run(move || verify_now(&password, stored.as_deref()))
            .await
            .unwrap_or(false)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingFailed> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| HashingFailed)?;
        // The permit moves into the thread: a caller that hangs up drops the future but not the thread, which
        // must still count.
        let task = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        task.await.map_err(|_| HashingFailed)
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None);
    let params = params.expect("the constants above are within the limits of Argon2");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash_now(password: &str) -> String {
    let salt = random_bytes::<16>();
    argon2::PasswordHasher::hash_password_with_salt(&argon2(), password.as_bytes(), &salt)
        .expect("Argon2 takes any password with a salt of 16 bytes")
        .to_string()
}

fn verify_now(password: &str, stored: Option<&str>) -> bool {
    let stored = stored.and_then(|text| PasswordHash::new(text).ok());
    let Some(stored) = stored else {
        // Verifying is hashing and comparing, so a hash that is thrown away costs the same.
        std::hint::black_box(hash_now(password));
        return false;
    };
    // The costs come from the stored string, so older hashes still verify after a change here.
    argon2()
        .verify_password(password.as_bytes(), &stored)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(check_strength("7 chars"), Err(Weakness::TooShort));
        assert_eq!(check_strength("ßüöä"), Err(Weakness::TooShort));
        assert_eq!(check_strength("zöqüväxß"), Ok(()));
        let long: String = "rk7!vq-Ü".repeat(32);
        assert_eq!(long.chars().count(), MAX_LENGTH);
        assert_eq!(check_strength(&long), Ok(()));
        assert_eq!(check_strength(&format!("{long}x")), Err(Weakness::TooLong));
    }

    #[test]
    fn common_passwords_are_refused() {
        for common in [
            "password",
            "Password1",
            "12345678",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "letmein1",
            "P@ssw0rd",
        ] {
            assert_eq!(check_strength(common), Err(Weakness::Common), "{common}");
        }
        for fine in [
            "correct horse battery staple",
            "tR4-kelp-Onion",
            "sommerregen am mittwoch",
        ] {
            assert_eq!(check_strength(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn a_very_long_password_is_judged_quickly() {
        let start = Instant::now();
        for hard in ["a1".repeat(128), "0".repeat(256), "password".repeat(32)] {
            let _ = check_strength(&hard);
        }
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "took {:?}",
            start.elapsed()
        );
    }

    #[tokio::test]
    async fn verifies_what_it_hashed() {
        let hasher = PasswordHasher::new();
        let hash = hasher.hash("correct horse".into()).await.expect("a hash");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_ne!(
            Ok(&hash),
            hasher.hash("correct horse".into()).await.as_ref()
        );
        assert!(
            hasher
                .verify("correct horse".into(), Some(hash.clone()))
                .await
        );
        assert!(!hasher.verify("correct horsf".into(), Some(hash)).await);
        assert!(!hasher.verify("correct horse".into(), None).await);
        assert!(
            !hasher
                .verify("correct horse".into(), Some("not a hash".into()))
                .await
        );
    }

    #[tokio::test]
    async fn a_new_password_must_be_strong() {
        let hasher = PasswordHasher::new();
        let weak = hasher.hash_new("password".into()).await;
        assert_eq!(weak, Err(NotHashed::Weak(Weakness::Common)));
        let hash = hasher.hash_new("correct horse".into()).await.ok();
        assert!(hasher.verify("correct horse".into(), hash).await);
    }

    #[tokio::test]
    async fn only_a_few_run_at_once_even_when_callers_hang_up() {
        let hasher = PasswordHasher::new();
        for _ in 0..8 {
            let gone = hasher.verify("correct horse".into(), None);
            let _ = tokio::time::timeout(Duration::from_millis(1), gone).await;
        }
        assert_eq!(
            hasher.permits.available_permits(),
            0,
            "the threads still hold their permits"
        );
        assert!(!hasher.verify("correct horse".into(), None).await);
    }
}
