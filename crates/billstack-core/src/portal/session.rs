//! Portal sessions: what lets a customer see their own page for a while.
//!
//! A session is kept nowhere. Its token says whose it is and until when, and nobody but us can have written it; the
//! customer and the epoch of the project are looked up at each use, so that erasing the one or raising the other ends
//! it at once.
//!
//! It is `bp_` and the URL-safe base 64 of:
//!
//! | Bytes | What |
//! |---|---|
//! | 1 | the version, 1 |
//! | 1 + n each | the length of an id, and the id: of the team, the project, the customer |
//! | 1 | flags: 1 for one that may only read |
//! | 1 + n | the length of the language, and the language; empty for none |
//! | 5 | when it was made, in seconds since 1970 |
//! | 5 | when it ends |
//! | 8 | the epoch of the project |
//! | 32 | the HMAC-SHA256 of all of that, under a key derived from the server's secret key |

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Locale;
use crate::click::{Rest, put, put_seconds};
use crate::ids::{ProjectId, TeamId};
use crate::time::Micros;

/// What every token begins with.
const PREFIX: &str = "bp_";

/// The layout that is written.
const VERSION: u8 = 1;

/// Bytes of the HMAC.
const TAG: usize = 32;

/// The longest id, in bytes.
const LONGEST_ID: usize = 64;

/// The longest token that is looked at, in bytes; none that we write is longer.
const LONGEST: usize = 400;

/// Set for a session that may only read.
const READ_ONLY: u8 = 1;

/// For what the key is derived.
const PURPOSE: &[u8] = b"billstack portal sessions 1";

/// The key under which sessions are written.
pub type Key = [u8; 32];

/// Derives the key of sessions from the secret key of the server. `None` never: HMAC takes a key of any length.
pub fn key(secret: &[u8; 32]) -> Option<Key> {
    let derived = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    let derived = derived.chain_update(PURPOSE).finalize().into_bytes();
    Some(derived.into())
}

/// Somebody's leave to see the page of one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub team_id: TeamId,
    pub project_id: ProjectId,
    pub customer_id: String,
    /// Whether nothing can be changed with it.
    pub read_only: bool,
    /// The language that it was made for.
    pub locale: Option<Locale>,
    /// When it was made, to the second.
    pub issued_at: Micros,
    /// When it ends, to the second.
    pub expires_at: Micros,
    /// What the epoch of the project was then.
    pub epoch: i64,
}

impl Session {
    /// Writes the token. `None` when a member does not fit into it.
    pub fn token(&self, key: &Key) -> Option<String> {
        let mut bytes = vec![VERSION];
        for id in [
            self.team_id.as_str(),
            self.project_id.as_str(),
            &self.customer_id,
        ] {
            put(&mut bytes, id, LONGEST_ID)?;
        }
        bytes.push(if self.read_only { READ_ONLY } else { 0 });
        let locale = self.locale.as_ref().map_or("", Locale::as_str);
        put(&mut bytes, locale, LONGEST_ID)?;
        put_seconds(&mut bytes, self.issued_at)?;
        put_seconds(&mut bytes, self.expires_at)?;
        bytes.extend(self.epoch.to_be_bytes());
        let tag = signer(key)?.chain_update(&bytes).finalize().into_bytes();
        bytes.extend(tag);
        Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a token. `None` for whatever we have not written, and whether it is over is another question.
    pub fn read(token: &str, key: &Key) -> Option<Session> {
        let encoded = token.strip_prefix(PREFIX)?;
        if token.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let signer = signer(key)?.chain_update(signed);
        signer.verify_slice(tag).ok()?;
        decode(signed)
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: Micros) -> bool {
        now >= self.expires_at
    }
}

fn signer(key: &Key) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(key).ok()
}

fn decode(bytes: &[u8]) -> Option<Session> {
    let mut rest = Rest(bytes);
    if rest.take(1)? != [VERSION] {
        return None;
    }
    let session = Session {
        team_id: TeamId::from(rest.text()?),
        project_id: ProjectId::from(rest.text()?),
        customer_id: rest.text()?,
        read_only: rest.take(1)?.first()? & READ_ONLY != 0,
        locale: Locale::parse(&rest.text()?),
        issued_at: Micros::from_secs(rest.seconds()?),
        expires_at: Micros::from_secs(rest.seconds()?),
        epoch: i64::from_be_bytes(rest.array()?),
    };
    rest.0.is_empty().then_some(session)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: Key = [7; 32];

    fn session() -> Session {
        Session {
            team_id: "team_01kgv5r3mq7x2h9d4t8w6c0b1e".into(),
            project_id: "proj_01kgv5r3mq7x2h9d4t8w6c0b1e".into(),
            customer_id: "pc_01kgv5r3mq7x2h9d4t8w6c0b1e".to_owned(),
            read_only: false,
            locale: Some(Locale::German),
            issued_at: Micros::from_secs(1_774_872_000),
            expires_at: Micros::from_secs(1_774_872_900),
            epoch: 3,
        }
    }

    #[test]
    fn a_token_fits_into_a_cookie() {
        let token = session().token(&KEY).unwrap();
        assert!(token.len() <= 256, "{}", token.len());
    }

    #[test]
    fn a_session_ends_on_time() {
        let session = session();
        assert!(!session.is_over(session.expires_at.plus(-1)));
        assert!(session.is_over(session.expires_at));
    }

    #[test]
    fn the_key_is_not_the_secret() {
        let derived = key(&KEY).unwrap();
        assert_ne!(derived, KEY);
        assert_ne!(key(&[8; 32]), Some(derived));
        let token = session().token(&derived).unwrap();
        assert_eq!(Session::read(&token, &KEY), None);
    }

    #[test]
    fn what_we_have_not_written_is_nothing() {
        let token = session().token(&KEY).unwrap();
        let ct = token.replacen("bp_", "ct_", 1);
        for bad in [
            "",
            "bp_",
            "bp_AAAA",
            &ct,
            &format!("{token}A"),
            &format!("{token}="),
        ] {
            assert_eq!(Session::read(bad, &KEY), None, "{bad}");
        }
        let long = Session {
            customer_id: "x".repeat(65),
            ..session()
        };
        assert_eq!(long.token(&KEY), None);
    }

    fn any_session() -> impl Strategy<Value = Session> {
        let ids = ("[a-z0-9_]{1,64}", "[a-z0-9_]{1,64}", "[a-z0-9_]{1,64}");
        let locale = prop::option::of(prop::sample::select(Locale::ALL));
        let times = (0_i64..1 << 40, 0_i64..1 << 40, any::<i64>());
        (ids, any::<bool>(), locale, times).prop_map(|(ids, read_only, locale, times)| Session {
            team_id: ids.0.into(),
            project_id: ids.1.into(),
            customer_id: ids.2,
            read_only,
            locale,
            issued_at: Micros::from_secs(times.0),
            expires_at: Micros::from_secs(times.1),
            epoch: times.2,
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(session in any_session()) {
            let token = session.token(&KEY).unwrap();
            prop_assert_eq!(Session::read(&token, &KEY), Some(session));
        }

        #[test]
        fn one_changed_bit_never_passes(session in any_session(), at: prop::sample::Index, bit in 0_u8..8) {
            let token = session.token(&KEY).unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(&token[3..]).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let forged = format!("bp_{}", URL_SAFE_NO_PAD.encode(bytes));
            prop_assert_eq!(Session::read(&forged, &KEY), None);
        }

        #[test]
        fn one_changed_letter_never_passes(session in any_session(), at: prop::sample::Index, to in "[A-Za-z0-9_-]") {
            let token = session.token(&KEY).unwrap();
            let at = at.index(token.len());
            let forged = format!("{}{to}{}", &token[..at], &token[at + 1..]);
            prop_assume!(forged != token);
            prop_assert_eq!(Session::read(&forged, &KEY), None);
        }

        #[test]
        fn no_text_is_a_token_or_a_panic(text in "(bp_)?\\PC{0,400}") {
            prop_assert_eq!(Session::read(&text, &KEY), None);
        }
    }
}
