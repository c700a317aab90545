//! Sentences that tell times, each kept as the time it is: whoever shows a sentence says its times as they say any other.

use std::fmt;

use crate::time::Micros;

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Words(String),
    /// A time.
    At(Micros),
}

/// One sentence or more. As a text its times are minutes of UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence(Vec<Part>);

impl Sentence {
    /// Its parts, in their order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Goes on with words.
    #[must_use]
    pub(super) fn and(mut self, words: impl Into<String>) -> Sentence {
        self.0.push(Part::Words(words.into()));
        self
    }

    /// Goes on with a time.
    #[must_use]
    pub(super) fn at(mut self, at: Micros) -> Sentence {
        self.0.push(Part::At(at));
        self
    }

    /// Goes on with all of another.
    #[must_use]
    pub(super) fn with(mut self, other: Sentence) -> Sentence {
        self.0.extend(other.0);
        self
    }
}

impl<T: Into<String>> From<T> for Sentence {
    fn from(words: T) -> Sentence {
        Sentence::default().and(words)
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Words(words) => f.write_str(words),
            Part::At(at) => f.write_str(&at.minute_text()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_keeps_its_times() {
        let at = Micros::from_secs(1_762_164_720);
        let sentence = Sentence::from("It came on ").at(at);
        let sentence = sentence.with(Sentence::from(".").and(" It went."));
        assert_eq!(
            sentence.to_string(),
            "It came on 2025-11-03 10:12 UTC. It went."
        );
        assert_eq!(sentence.parts()[1], Part::At(at));
    }
}
