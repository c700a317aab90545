//! Vanity codes: names that people give to their codes.
//!
//! A vanity code is another name of a code and works wherever the code does. It is written with hyphens and
//! underscores for the eye, and judged and compared without them, as a typed code is.

mod words;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::click::Key;
use crate::code;

/// The fewest and the most characters.
pub const LENGTH: std::ops::RangeInclusive<usize> = 3..=24;

/// The name of a code, in the two forms in which it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vanity {
    shown: String,
    folded: String,
}

/// Why a text cannot be the name of a code.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It has too few or too many characters, or others than letters `A` to `Z`, digits, `-` and `_`; or fewer than
    /// three letters and digits.
    Shape,
    /// It looks like a code, and could be somebody else's.
    LikeACode,
    /// It is a word that means something to software or promises something in the name of the product.
    Reserved,
    /// It is, or holds, a word that nobody wants in a link to their product.
    Rude,
}

impl Vanity {
    /// Reads a name as its owner wrote it.
    pub fn parse(text: &str) -> Result<Vanity, Unfit> {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !LENGTH.contains(&text.len()) || !text.chars().all(is_fit) {
            return Err(Unfit::Shape);
        }
        let shown = text.to_ascii_uppercase();
        let folded = fold(&shown);
        if folded.len() < *LENGTH.start() {
            return Err(Unfit::Shape);
        }
        if code::normalize(&folded).is_some() {
            return Err(Unfit::LikeACode);
        }
        if words::is_reserved(&folded) {
            return Err(Unfit::Reserved);
        }
        if words::is_rude(&shown) {
            return Err(Unfit::Rude);
        }
        Ok(Vanity { shown, folded })
    }

    /// As people see it: in capital letters, with its hyphens and underscores.
    pub fn as_shown(&self) -> &str {
        &self.shown
    }

    /// As it is compared: letters and digits only. Two names of the same form are one.
    pub fn as_folded(&self) -> &str {
        &self.folded
    }
}

/// What is kept of a name once its owner was erased: enough to refuse it to anybody else, too little to read it. No
/// name begins as it does.
pub fn erased(folded: &str, key: &Key) -> Option<String> {
    let signer = Hmac::<Sha256>::new_from_slice(key).ok()?;
    let tag = signer.chain_update(folded).finalize().into_bytes();
    Some(format!("#{}", hex::encode(&tag[..16])))
}

fn fold(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Reads what may be a code or a name of one, as a person typed or pasted it, in the form in which both are compared.
/// A code has eight characters, so no name is mistaken for one.
pub fn read_any(text: &str) -> Option<String> {
    let read = code::fold(text)?;
    let could_be = LENGTH.contains(&read.len()) && read.is_ascii();
    could_be.then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> Result<String, Unfit> {
        Vanity::parse(text).map(|vanity| vanity.as_folded().to_owned())
    }

    #[test]
    fn a_name_is_shown_as_written_and_compared_without_signs() {
        let vanity = Vanity::parse("ada_l-24").unwrap();
        assert_eq!(vanity.as_shown(), "ADA_L-24");
        assert_eq!(vanity.as_folded(), "ADAL24");
        for same in ["ADAL24", "a-d-a-l-2-4", "_ADAL24_"] {
            assert_eq!(folded(same).as_deref(), Ok("ADAL24"), "{same}");
        }
        assert_eq!(folded("ADA").as_deref(), Ok("ADA"));
        let longest = "A".repeat(24);
        assert_eq!(folded(&longest), Ok(longest.clone()));
    }

    #[test]
    fn a_name_has_letters_and_digits() {
        let long = "A".repeat(25);
        for bad in [
            "",
            "AD",
            "A-",
            "A--B",
            "---",
            "AD A",
            "ADÄ",
            "АДА",
            "A.DA",
            "ADA!",
            "AD\u{200b}A",
            long.as_str(),
        ] {
            assert_eq!(folded(bad), Err(Unfit::Shape), "{bad}");
        }
    }

    #[test]
    fn a_name_is_not_like_a_code() {
        for bad in ["K7M2QX9D", "LOVELACE", "love-lace", "A-B-C-D-E-F-G-H"] {
            assert_eq!(folded(bad), Err(Unfit::LikeACode), "{bad}");
        }
        assert!(folded("LOVELACES").is_ok());
    }

    #[test]
    fn some_words_are_nobodys() {
        for (bad, why) in [
            ("admin", Unfit::Reserved),
            ("a-d-m-i-n", Unfit::Reserved),
            ("null", Unfit::Reserved),
            ("FUCK", Unfit::Rude),
            ("what-the-fuck", Unfit::Rude),
            ("f_u_c_k", Unfit::Rude),
            ("5h1t-happens", Unfit::Rude),
            ("ass", Unfit::Rude),
            ("my-ass", Unfit::Rude),
            ("puta", Unfit::Rude),
        ] {
            assert_eq!(folded(bad), Err(why), "{bad}");
        }
        // Names and places that hold such a word.
        for good in [
            "cassandra",
            "scunthorpe",
            "assam-teas",
            "dickens-fan",
            "essex",
            "putanga",
            "conrad",
            "administrators",
        ] {
            assert!(folded(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn whatever_is_typed_is_read_in_the_form_that_is_compared() {
        for (typed, read) in [
            (" ada-l ", Some("ADAL")),
            ("K7M2-QX9D", Some("K7M2QX9D")),
            ("\u{ff41}da", Some("ADA")),
            ("ad", None),
            ("адa", None),
            ("", None),
        ] {
            assert_eq!(read_any(typed).as_deref(), read, "{typed:?}");
        }
    }

    #[test]
    fn of_an_erased_name_a_keyed_hash_is_left() {
        let left = erased("ADAL", &[1; 32]).unwrap();
        assert_eq!(left.len(), 33);
        assert_eq!(erased("ADAL", &[1; 32]).as_ref(), Some(&left));
        assert_ne!(erased("ADAL", &[2; 32]).as_ref(), Some(&left));
        assert_ne!(erased("ADAM", &[1; 32]).as_ref(), Some(&left));
        assert_eq!(folded(&left), Err(Unfit::Shape));
    }

    proptest! {
        #[test]
        fn every_name_is_found_by_what_is_typed(text in "[A-Za-z0-9_-]{3,24}") {
            if let Ok(vanity) = Vanity::parse(&text) {
                for typed in [text.as_str(), vanity.as_shown(), vanity.as_folded()] {
                    let read = read_any(typed);
                    prop_assert_eq!(read.as_deref(), Some(vanity.as_folded()));
                }
                prop_assert_eq!(code::normalize(vanity.as_folded()), None);
            }
        }

        #[test]
        fn every_code_is_read_as_before(text: String) {
            if let Some(read) = code::normalize(&text) {
                prop_assert_eq!(read_any(&text), Some(read));
            }
        }
    }
}
