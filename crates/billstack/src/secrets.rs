//! Randomness, the cipher for secrets at rest, and tokens.
//!
//! Nobody else asks for randomness, so that nobody reaches for a generator that can be guessed:
//! [`random_bytes`] makes secrets, [`unique_bytes`] what only must not repeat.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Marks the layout of a sealed text, so that another cipher can follow one day.
const SEAL_VERSION: &str = "v1.";

/// The length that AES-GCM is made for.
const NONCE_LENGTH: usize = 12;

/// The length of a key file: 64 hex digits. A line end may follow.
const KEY_DIGITS: usize = 64;

/// Bytes from the operating system that nobody can guess.
///
/// # Panics
///
/// When the operating system has no randomness to give: no secret could be made without it.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that makes secrets"
)]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system must supply randomness");
    bytes
}

/// Bytes that do not repeat, for ids that protect nothing: the operating system is not asked for each,
/// which was 1.5 % of the processor time of a `GET`.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that makes ids without asking the system"
)]
pub fn unique_bytes<const N: usize>() -> [u8; N] {
    rand::random()
}

/// Encrypts secrets that the database keeps, with AES-256-GCM.
#[derive(Clone)]
pub struct Cipher(Aes256Gcm);

impl Cipher {
    /// A cipher with this key.
    pub fn new(key: [u8; 32]) -> Cipher {
        Cipher(Aes256Gcm::new(&key.into()))
    }

    /// Encrypts `plaintext` for one place.
    ///
    /// `context` names that place (say, the team and the column). Only the same context opens the
    /// text again, so a sealed secret cannot be moved to another row by someone who can write to
    /// the database but does not have the key.
    pub fn seal(&self, plaintext: &str, context: &str) -> String {
        let nonce = random_bytes::<NONCE_LENGTH>();
        let payload = Payload {
            msg: plaintext.as_bytes(),
            aad: context.as_bytes(),
        };
        let sealed = self.0.encrypt(&nonce.into(), payload);
        let sealed = sealed.expect("AES-GCM takes any text of less than 64 GiB");
        format!(
            "{SEAL_VERSION}{}{}",
            hex::encode(nonce),
            hex::encode(sealed)
        )
    }

    /// Decrypts what [`seal`](Cipher::seal) made under the same key and context.
    pub fn open(&self, sealed: &str, context: &str) -> Result<String, SealError> {
        let digits = sealed
            .strip_prefix(SEAL_VERSION)
            .ok_or(SealError::Malformed)?;
        let bytes = hex::decode(digits).map_err(|_| SealError::Malformed)?;
        let (nonce, sealed) = bytes
            .split_first_chunk::<NONCE_LENGTH>()
            .ok_or(SealError::Malformed)?;
        let payload = Payload {
            msg: sealed,
            aad: context.as_bytes(),
        };
        let plaintext = self.0.decrypt(&(*nonce).into(), payload);
        String::from_utf8(plaintext.map_err(|_| SealError::WrongKey)?)
            .map_err(|_| SealError::Malformed)
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(hidden)")
    }
}

/// Why a sealed text cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// It was not made by this cipher.
    Malformed,
    /// It was sealed with another key or for another place, or was altered.
    WrongKey,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SealError::Malformed => "the stored secret has no known form",
            SealError::WrongKey => {
                "the stored secret does not open: it was sealed with another secret key, or altered"
            }
        })
    }
}

impl std::error::Error for SealError {}

/// The key kept in `<database>.key` beside an SQLite database; makes one when there is none.
///
/// Safe when several processes start at once: all of them get the key that was there first. A
/// file that is malformed or that other users may read is refused rather than replaced, since the
/// secrets in the database may depend on it.
pub fn load_or_create_key(database_file: &Path) -> io::Result<[u8; 32]> {
    if let Some(key) = load_key(database_file)? {
        return Ok(key);
    }
    let path = key_path(database_file);
    create_key(&path)?;
    load_key(database_file)?.ok_or_else(|| {
        complaint(
            io::ErrorKind::NotFound,
            &path,
            "was removed while it was being made",
        )
    })
}

/// Where the key of an SQLite database is kept.
pub fn key_path(database_file: &Path) -> PathBuf {
    let mut path = OsString::from(database_file);
    path.push(".key");
    path.into()
}

fn complaint(kind: io::ErrorKind, path: &Path, what: &str) -> io::Error {
    io::Error::new(kind, format!("the key file {} {what}", path.display()))
}

/// The key kept beside an SQLite database, if there is one.
pub fn load_key(database_file: &Path) -> io::Result<Option<[u8; 32]>> {
    let path = &key_path(database_file);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(complaint(
                error.kind(),
                path,
                &format!("cannot be read: {error}"),
            ));
        }
    };
    refuse_shared(&file, path)?;
    let mut text = String::new();
    let limit = u64::try_from(KEY_DIGITS + 3).unwrap_or(u64::MAX);
    let read = file.take(limit).read_to_string(&mut text);
    let digits = text.trim_end_matches(['\r', '\n']);
    match key_of(digits) {
        Some(key) if read.is_ok() => Ok(Some(key)),
        _ => Err(complaint(
            io::ErrorKind::InvalidData,
            path,
            "does not hold exactly 64 hex digits; restore it from a backup, since without it the \
             Stripe secrets in the database cannot be read",
        )),
    }
}

/// The secret key that is written as exactly 64 hex digits.
pub(crate) fn key_of(digits: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    // The library would also take fewer digits after `0x`.
    let is_whole = digits.len() == KEY_DIGITS && hex::decode_to_slice(digits, &mut key).is_ok();
    is_whole.then_some(key)
}

fn refuse_shared(file: &File, path: &Path) -> io::Result<()> {
    match shared(file, path)? {
        None => Ok(()),
        Some(advice) => Err(complaint(io::ErrorKind::PermissionDenied, path, &advice)),
    }
}

/// What to say of a file that others than its owner can do something with. It is asked of the open file, so that nobody
/// can swap it between the question and the reading.
#[cfg(unix)]
pub(crate) fn shared(file: &File, path: &Path) -> io::Result<Option<String>> {
    use std::os::unix::fs::PermissionsExt as _;
    let is_shared = file.metadata()?.permissions().mode() & 0o077 != 0;
    let path = path.display();
    Ok(is_shared.then(|| format!("can be read by other users; run: chmod 600 {path}")))
}

#[cfg(not(unix))]
pub(crate) fn shared(_file: &File, _path: &Path) -> io::Result<Option<String>> {
    Ok(None)
}

/// Puts a new key in place whole and at once, and leaves alone one that another process put there.
fn create_key(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let fail =
        |error: io::Error| complaint(error.kind(), path, &format!("cannot be made: {error}"));
    // `tempfile` makes the file readable by its owner alone.
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(fail)?;
    writeln!(file, "{}", hex::encode(random_bytes::<32>())).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(fail(error.error)),
    }
    // The name must be on the disk before a secret sealed with the key is.
    sync_directory(directory).map_err(fail)
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// A new token of 64 hex digits, for sessions and invitations.
pub fn new_token() -> String {
    hex::encode(random_bytes::<32>())
}

/// How a token or an API key is stored: SHA-256 in hex.
///
/// A fast hash is enough for them, unlike for passwords: what has 160 random bits or more cannot
/// be tried out.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// Compares secrets in a time that depends on their lengths alone.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let database = directory.path().join("billstack.db");
        let options = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(directory.path())?;
            file.write_all(text.as_bytes())?;
            file.persist(key_path(&database))?;
            Ok(())
        };
        options().expect("a key file");
        (directory, database)
    }

    #[test]
    fn what_was_sealed_opens_again() {
        let cipher = Cipher::new([7; 32]);
        for text in ["", "whsec_abc", "grüße"] {
            let sealed = cipher.seal(text, "team_1");
            assert!(sealed.starts_with("v1."));
            assert_eq!(cipher.open(&sealed, "team_1").as_deref(), Ok(text));
            assert_ne!(
                sealed,
                cipher.seal(text, "team_1"),
                "a nonce is never used twice"
            );
        }
    }

    #[test]
    fn another_key_or_context_opens_nothing() {
        let sealed = Cipher::new([7; 32]).seal("whsec_abc", "team_1");
        assert_eq!(
            Cipher::new([7; 32]).open(&sealed, "team_2"),
            Err(SealError::WrongKey)
        );
        assert_eq!(
            Cipher::new([8; 32]).open(&sealed, "team_1"),
            Err(SealError::WrongKey)
        );
    }

    #[test]
    fn an_altered_text_opens_nothing() {
        let cipher = Cipher::new([7; 32]);
        let sealed = cipher.seal("whsec_abc", "team_1");
        for at in SEAL_VERSION.len()..sealed.len() {
            let other = if sealed.as_bytes()[at] == b'0' {
                "1"
            } else {
                "0"
            };
            let mut altered = sealed.clone();
            altered.replace_range(at..=at, other);
            assert_eq!(cipher.open(&altered, "team_1"), Err(SealError::WrongKey));
        }
        for malformed in ["", "v1.", "v1.00", "v1.zz", "v2.00", &sealed[3..]] {
            assert_eq!(cipher.open(malformed, "team_1"), Err(SealError::Malformed));
        }
        assert_eq!(
            cipher.open(&sealed[..sealed.len() - 2], "team_1"),
            Err(SealError::WrongKey)
        );
    }

    #[test]
    fn the_cipher_does_not_show_its_key() {
        assert_eq!(format!("{:?}", Cipher::new([7; 32])), "Cipher(hidden)");
    }

    #[test]
    fn a_key_is_made_once_and_then_kept() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let database = directory.path().join("billstack.db");
        let first = load_or_create_key(&database).expect("a new key");
        assert_eq!(load_or_create_key(&database).expect("the kept key"), first);
        assert_ne!(first, [0; 32]);
        let names: Vec<_> = directory.path().read_dir().expect("a listing").collect();
        assert_eq!(names.len(), 1, "nothing else is left behind");
    }

    #[test]
    fn racing_starts_agree_on_one_key() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let database = directory.path().join("billstack.db");
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| load_or_create_key(&database)))
                .collect();
            starts
                .into_iter()
                .map(|start| start.join().expect("no panic").expect("a key"))
                .collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[cfg(unix)]
    #[test]
    fn the_key_file_is_for_its_owner_alone() {
        use std::fs::{Permissions, metadata, set_permissions};
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let database = directory.path().join("billstack.db");
        load_or_create_key(&database).expect("a new key");
        let path = key_path(&database);
        assert_eq!(
            metadata(&path).expect("its data").permissions().mode() & 0o777,
            0o600
        );
        for mode in [0o640, 0o604, 0o620] {
            set_permissions(&path, Permissions::from_mode(mode)).expect("it is ours");
            let error = load_or_create_key(&database).expect_err("others could read it");
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn a_malformed_key_file_is_refused_and_kept() {
        let digits = "0f".repeat(32);
        for text in [
            "",
            "abc",
            &digits[1..],
            &format!("{digits}0"),
            &digits.replace('f', "x"),
            &format!("0x{digits}"),
        ] {
            let (_directory, database) = key_file(text);
            let error = load_or_create_key(&database).expect_err("this is no key");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            let kept = std::fs::read_to_string(key_path(&database)).expect("it is still there");
            assert_eq!(kept, text);
        }
        let (_directory, database) = key_file(&format!("{digits}\r\n"));
        assert_eq!(
            load_or_create_key(&database).expect("a line end may follow"),
            [0x0f; 32]
        );
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = load_or_create_key(Path::new("/nonexistent/billstack.db"));
        let error = error.expect_err("there is no such place").to_string();
        assert!(
            error.contains("/nonexistent/billstack.db.key cannot be made"),
            "{error}"
        );
    }

    #[test]
    fn tokens_are_long_new_and_stored_as_a_hash() {
        let token = new_token();
        assert_eq!(token.len(), 64);
        assert_ne!(token, new_token());
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(token_hash("abc"), of_abc);
    }

    #[test]
    fn comparison_sees_every_byte() {
        assert!(constant_time_eq(b"same", b"same"));
        assert!(!constant_time_eq(b"same", b"samf"));
        assert!(!constant_time_eq(b"same", b"sam"));
    }
}
