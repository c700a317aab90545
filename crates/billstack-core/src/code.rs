//! Referral codes: what one looks like and how a typed one is read.
//!
//! A code is read aloud, written on paper and typed on phones, so new codes avoid characters that
//! look alike. Reading is wider than making: codes brought in by an import may hold any letter or
//! digit, and a code in lower case, in groups, or pasted with what no one sees is still the same code.

use unicode_normalization::UnicodeNormalization;

/// The characters of new codes: upper-case letters and digits without `0 O 1 I L`.
pub const ALPHABET: &[u8] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// The number of characters in a code.
pub const LENGTH: usize = 8;

/// The longest text that is read as a code, in bytes: room for blanks, hyphens and what no one sees.
const LONGEST_TYPED: usize = 256;

/// Reads a code as a person typed or pasted it.
///
/// Compatibility folding (NFKC) makes plain letters of those in full width. What is no letter or digit then,
/// such as blanks of every kind, hyphens, soft hyphens and zero-width characters, is dropped, and ASCII case is
/// folded. `None` unless eight characters `A-Z` or `0-9` remain: a letter of another script is another letter,
/// however much it looks alike.
pub fn normalize(text: &str) -> Option<String> {
    let code = fold(text)?;
    let well_formed = code.len() == LENGTH && code.is_ascii();
    well_formed.then_some(code)
}

/// Reduces what was typed to its letters and digits. `None` when it is longer than anything that people type.
pub(crate) fn fold(text: &str) -> Option<String> {
    if text.len() > LONGEST_TYPED {
        return None;
    }
    let kept = text.nfkc().filter(|c| c.is_alphanumeric());
    Some(kept.map(|c| c.to_ascii_uppercase()).collect())
}

/// Makes a code from a stream of random bytes.
///
/// Bytes beyond the largest multiple of the alphabet's length are thrown away, because folding
/// them in would make the first characters of the alphabet likelier than the others.
pub(crate) fn draw(mut next_byte: impl FnMut() -> u8) -> String {
    let usable = 256 - 256 % ALPHABET.len();
    let mut code = String::with_capacity(LENGTH);
    while code.len() < LENGTH {
        let byte = usize::from(next_byte());
        if byte < usable {
            code.push(char::from(ALPHABET[byte % ALPHABET.len()]));
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn alphabet_has_no_look_alikes() {
        assert!(ALPHABET.is_sorted_by(|a, b| a < b));
        assert!(
            ALPHABET
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        );
        assert!(!ALPHABET.iter().any(|byte| b"0O1IL".contains(byte)));
        assert_eq!(ALPHABET.len(), 31);
    }

    #[test]
    fn every_character_is_equally_likely() {
        // Each byte value once: a biased draw would use some character more often than another.
        let mut bytes = (0..=u8::MAX).chain(std::iter::repeat(0));
        let mut counts = [0_u32; 256];
        for _ in 0..248 / LENGTH {
            for byte in draw(|| bytes.next().unwrap()).bytes() {
                counts[usize::from(byte)] += 1;
            }
        }
        assert!(ALPHABET.iter().all(|byte| counts[usize::from(*byte)] == 8));
    }

    #[test]
    fn reads_what_people_paste() {
        assert_eq!(normalize("AB2CD3E0").as_deref(), Some("AB2CD3E0"));
        for pasted in [
            " ab2cd3ef\t\r\n",
            "AB2C-D3EF",
            "AB2C D3EF",
            "\u{ab}AB2CD3EF.\u{bb}",
            "\u{a0}AB2C\u{202f}D3EF\u{3000}",
            "\u{feff}AB2CD3EF\u{200b}",
            "AB2C\u{ad}D3\u{200d}\u{2060}EF",
            "\u{202a}AB2CD3EF\u{202c}",
            "AB2C\u{2013}D3\u{2011}EF",
            "\u{ff21}\u{ff22}\u{ff12}\u{ff23}\u{ff24}\u{ff13}\u{ff25}\u{ff46}",
            &"\u{200b}A B-2 C-D 3-E F".replace(' ', "\u{200b}\u{200b}"),
        ] {
            assert_eq!(normalize(pasted).as_deref(), Some("AB2CD3EF"), "{pasted:?}");
        }
        let long = format!("AB2CD3EF{}", " ".repeat(LONGEST_TYPED - LENGTH));
        assert_eq!(normalize(&long).as_deref(), Some("AB2CD3EF"));
        // The byte lengths of some would fit; the characters do not.
        for bad in [
            "",
            "ABC",
            "AB2CD3EFG",
            "AB2 CD3E",
            "AB2CD3E\0",
            "\u{a0}AB2CD3",
            "\u{410}B2CD3EF",
            "\u{410}B2CD3E",
            "AB2CD3E\u{c9}",
            "AB2CD3EE\u{301}",
            "\u{661}B2CD3EF",
            &format!("{long} "),
        ] {
            assert_eq!(normalize(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn drawn_codes_read_back(bytes in prop::collection::vec(any::<u8>(), 64)) {
            let mut bytes = bytes.into_iter().chain(0..=u8::MAX);
            let code = draw(|| bytes.next().unwrap());
            prop_assert_eq!(normalize(&code), Some(code.clone()));
            prop_assert_eq!(normalize(&format!(" {} ", code.to_ascii_lowercase())), Some(code));
        }

        #[test]
        fn normalizing_twice_changes_nothing(text in any::<String>()) {
            if let Some(code) = normalize(&text) {
                prop_assert_eq!(normalize(&code), Some(code));
            }
        }
    }
}
