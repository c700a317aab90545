//! Referral codes: what one looks like and how a typed one is read.
//!
//! A code is read aloud, written on paper and typed on phones, so new codes avoid characters that
//! look alike. Reading is wider than making: codes brought in by an import may hold any letter or
//! digit, and a code typed in lower case or with spaces around it is still the same code.

/// The characters of new codes: upper-case letters and digits without `0 O 1 I L`.
pub const ALPHABET: &[u8] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// The number of characters in a code.
pub const LENGTH: usize = 8;

/// Reads a code as a person typed it: trims ASCII white space and folds ASCII case.
///
/// `None` unless eight characters `A-Z` or `0-9` remain. Only ASCII is folded: under Unicode rules
/// `ſ` becomes `S`, and two different inputs would name one code.
pub fn normalize(text: &str) -> Option<String> {
    let trimmed = text.trim_ascii();
    let well_formed =
        trimmed.len() == LENGTH && trimmed.bytes().all(|byte| byte.is_ascii_alphanumeric());
    well_formed.then(|| trimmed.to_ascii_uppercase())
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
    fn folds_ascii_only() {
        assert_eq!(normalize(" ab2cd3ef\t\r\n").as_deref(), Some("AB2CD3EF"));
        assert_eq!(normalize("AB2CD3E0").as_deref(), Some("AB2CD3E0"));
        // The byte lengths of these would fit; the characters do not.
        for bad in [
            "ſAB2CD3",
            "ſſſſ",
            "",
            "ABC",
            "AB2CD3EFG",
            "AB2 CD3E",
            "AB2CD3E\0",
            "\u{a0}AB2CD3",
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
