//! A word from the database that this version of the program does not know.

use std::fmt;

/// The most bytes a word may have.
const MOST: usize = 31;

/// A word that a newer version wrote.
///
/// While nodes are upgraded one by one, the version before reads what the new one wrote: a status, a
/// kind, a role. It must show such a word and leave the row alone, never fail on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word {
    bytes: [u8; MOST],
    length: u8,
}

impl Word {
    /// Keeps a word of 1 to 31 bytes.
    pub fn new(text: &str) -> Option<Word> {
        let length = u8::try_from(text.len()).ok()?;
        let mut bytes = [0; MOST];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        (length > 0).then_some(Word { bytes, length })
    }

    /// The word as it was read.
    pub fn as_str(&self) -> &str {
        let bytes = &self.bytes[..usize::from(self.length)];
        // The bytes come from a `str`, so this never fails.
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_word_is_read_back(text in ".{0,12}") {
            let fits = (1..=MOST).contains(&text.len());
            let read = Word::new(&text);
            prop_assert_eq!(read.as_ref().map(Word::as_str), fits.then_some(text.as_str()));
        }
    }
}
