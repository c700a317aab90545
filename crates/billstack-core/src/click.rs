//! Click tokens: what a share link leaves with the visitor.
//!
//! A token says which code was clicked, when, and by what way, and nobody but us can have written it. It is the only
//! record of the click: nothing is stored when a link is followed, so a redirect waits for no write, and no click
//! can be lost by us. It holds nothing of the visitor.
//!
//! It is `ct_` and the URL-safe base 64 of:
//!
//! | Bytes | What |
//! |---|---|
//! | 1 | the version, 1 |
//! | 8 | the number of the project |
//! | 5 | when, in seconds since 1970 |
//! | 10 | chance, so that no two tokens are the same |
//! | 1 + n | the length of the code, and the code |
//! | 1 + n | the length of the channel, and the channel |
//! | 16 | the first half of the HMAC-SHA256 of all of that, under the link key of the project |

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::time::{DAY, Micros};

/// What every token begins with.
const PREFIX: &str = "ct_";

/// The layout that is written.
const VERSION: u8 = 1;

/// Bytes of the HMAC that are kept: 128 bits.
const TAG: usize = 16;

/// Bytes of a time: 40 bits of seconds last until the year 36812.
const TIME: usize = 5;

/// The longest code or other name of one, in bytes.
const LONGEST_CODE: usize = 24;

/// The longest token that is looked at, in bytes; none that we write is longer than 140.
const LONGEST: usize = 200;

/// The longest channel, in bytes.
pub const LONGEST_CHANNEL: usize = 32;

/// The key under which the tokens of a project are written.
pub type Key = [u8; 32];

/// A click on a share link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Click {
    /// The number of the project.
    pub project: i64,
    /// The code, or whatever other name of it was in the link, in the form in which they are compared.
    pub code: String,
    /// When, to the second.
    pub at: Micros,
    /// By what way the link reached the visitor.
    pub channel: String,
    /// Makes the token of each click another.
    pub chance: [u8; 10],
}

impl Click {
    /// Writes the token. `None` when a member does not fit into it.
    pub fn token(&self, key: &Key) -> Option<String> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.project.to_be_bytes());
        put_seconds(&mut bytes, self.at)?;
        bytes.extend(self.chance);
        put(&mut bytes, &self.code, LONGEST_CODE)?;
        put(&mut bytes, &self.channel, LONGEST_CHANNEL)?;
        let tag = signer(key)?.chain_update(&bytes).finalize().into_bytes();
        bytes.extend(&tag[..TAG]);
        Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a token of a project. `None` for whatever we have not written for it, whether malformed, forged or
    /// written for another project: nobody learns which.
    pub fn read(token: &str, project: i64, key: &Key) -> Option<Click> {
        let encoded = token.strip_prefix(PREFIX)?;
        if token.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let signer = signer(key)?.chain_update(signed);
        signer.verify_truncated_left(tag).ok()?;
        let click = decode(signed)?;
        (click.project == project).then_some(click)
    }

    /// Whether the click was too long before `now` to count. One that lies ahead counts: the clocks of two nodes
    /// differ a little.
    pub fn is_over(&self, now: Micros, window_days: i64) -> bool {
        now.since(self.at) > window_days.saturating_mul(DAY)
    }
}

fn signer(key: &Key) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(key).ok()
}

/// Appends a time, to the second.
pub(crate) fn put_seconds(bytes: &mut Vec<u8>, at: Micros) -> Option<()> {
    let seconds = u64::try_from(at.as_secs()).ok()?.to_be_bytes();
    let (too_large, seconds) = seconds.split_at(8 - TIME);
    bytes.extend(seconds);
    too_large.iter().all(|byte| *byte == 0).then_some(())
}

/// Appends a text after its length.
pub(crate) fn put(bytes: &mut Vec<u8>, text: &str, longest: usize) -> Option<()> {
    let length = u8::try_from(text.len()).ok()?;
    bytes.push(length);
    bytes.extend(text.as_bytes());
    (text.len() <= longest).then_some(())
}

fn decode(bytes: &[u8]) -> Option<Click> {
    let mut rest = Rest(bytes);
    if rest.take(1)? != [VERSION] {
        return None;
    }
    let click = Click {
        project: i64::from_be_bytes(rest.array()?),
        at: Micros::from_secs(rest.seconds()?),
        chance: rest.array()?,
        code: rest.text()?,
        channel: rest.text()?,
    };
    rest.0.is_empty().then_some(click)
}

/// What of a token has not been read.
pub(crate) struct Rest<'a>(pub(crate) &'a [u8]);

impl<'a> Rest<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn seconds(&mut self) -> Option<i64> {
        let mut all = [0; 8];
        all[8 - TIME..].copy_from_slice(self.take(TIME)?);
        Some(i64::from_be_bytes(all))
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        let length = usize::from(*self.take(1)?.first()?);
        let bytes = self.take(length)?.to_vec();
        String::from_utf8(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: Key = [7; 32];

    fn click() -> Click {
        Click {
            project: -5,
            code: "AB2CD3EF".to_owned(),
            at: Micros::from_secs(1_795_900_000),
            channel: "whatsapp".to_owned(),
            chance: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        }
    }

    #[test]
    fn a_token_keeps_its_form_for_ever() {
        // Made once by other code (Python's hmac and base64): links that were made once work for ever.
        let token =
            "ct_Af_________7AGsLQmABAgMEBQYHCAkKCEFCMkNEM0VGCHdoYXRzYXBwY8otrPj08v70_Uf7QTRQAg";
        assert_eq!(click().token(&KEY).as_deref(), Some(token));
        assert_eq!(Click::read(token, -5, &KEY), Some(click()));
    }

    #[test]
    fn another_project_or_key_reads_nothing() {
        let token = click().token(&KEY).unwrap();
        assert_eq!(Click::read(&token, -6, &KEY), None);
        assert_eq!(Click::read(&token, -5, &[8; 32]), None);
        for not_one in [
            "",
            "ct_",
            "ct_AAAA",
            "ct_%",
            &token[3..],
            &token.to_lowercase(),
        ] {
            assert_eq!(Click::read(not_one, -5, &KEY), None, "{not_one}");
        }
        let long = format!("ct_{}", "A".repeat(LONGEST));
        assert_eq!(Click::read(&long, -5, &KEY), None);
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let code = "A".repeat(LONGEST_CODE + 1);
        let channel = "a".repeat(LONGEST_CHANNEL + 1);
        let (long, far) = (click(), Micros::from_secs(1 << 40));
        assert_eq!(
            Click {
                code,
                ..long.clone()
            }
            .token(&KEY),
            None
        );
        assert_eq!(
            Click {
                channel,
                ..long.clone()
            }
            .token(&KEY),
            None
        );
        for at in [far, Micros(-1)] {
            assert_eq!(Click { at, ..long.clone() }.token(&KEY), None);
        }
    }

    #[test]
    fn a_click_counts_to_the_end_of_its_window() {
        let click = click();
        let end = click.at.plus(60 * DAY);
        assert!(!click.is_over(end, 60));
        assert!(click.is_over(end.plus(1), 60));
        assert!(!click.is_over(Micros(0), 60));
    }

    proptest! {
        #[test]
        fn a_token_reads_back_and_no_other_does(
            project: i64,
            code in "[A-Z0-9]{1,24}",
            seconds in 0_i64..1 << 40,
            channel in "[a-z]{1,32}",
            chance: [u8; 10],
            key: [u8; 32],
            at in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let at_time = Micros::from_secs(seconds);
            let click = Click { project, code, at: at_time, channel, chance };
            let token = click.token(&key).unwrap();
            prop_assert!(token.len() <= LONGEST);
            prop_assert_eq!(Click::read(&token, project, &key), Some(click));
            let mut bytes = URL_SAFE_NO_PAD.decode(&token[3..]).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let forged = format!("ct_{}", URL_SAFE_NO_PAD.encode(&bytes));
            prop_assert_eq!(Click::read(&forged, project, &key), None);
        }

        #[test]
        fn nothing_that_is_sent_makes_it_fail(text: String, bytes: Vec<u8>) {
            prop_assert_eq!(Click::read(&text, 1, &KEY), None);
            let token = format!("ct_{}", URL_SAFE_NO_PAD.encode(bytes));
            prop_assert_eq!(Click::read(&token, 1, &KEY), None);
        }
    }
}
