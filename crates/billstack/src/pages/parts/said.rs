//! What a page says of a form that led to it: a word in the query, of which this knows the sentence. Any other says
//! nothing.

use axum::http::Uri;
use url::form_urlencoded;

/// The parameter.
const DONE: &str = "done";

/// Each word and its sentence.
const SAID: [(&str, &str); 16] = [
    (
        "erased",
        "The person is erased. Ids, referrals and amounts stay.",
    ),
    (
        "checked",
        "Looked again at all that Stripe has told: what stands here is how it is now.",
    ),
    ("changed", "The customer is saved."),
    ("moved", "It is moved. The newest booking says so."),
    (
        "revoked",
        "The key is revoked: it is refused from its next call on.",
    ),
    (
        "role",
        "The role is changed. It holds from their next click on.",
    ),
    (
        "removed",
        "They are removed, and see nothing of the team any more.",
    ),
    (
        "uninvited",
        "The invitation is taken back: its link lets nobody in.",
    ),
    ("left", "You have left the team."),
    ("connected", "Stripe is connected."),
    ("rolled", "The new signing secret is in use."),
    (
        "disconnected",
        "Stripe is disconnected: its events are refused from now on.",
    ),
    (
        "deleted",
        "The endpoint is deleted: nothing is sent to it any more.",
    ),
    ("dismissed", "Dismissed for 7 days."),
    (
        "renamed",
        "The code has the new name. Those before go on working.",
    ),
    (
        "deactivated",
        "The code is deactivated: nobody can apply it any more.",
    ),
];

/// A place that says so.
pub(in crate::pages) fn saying(place: &str, word: &str) -> String {
    debug_assert!(SAID.iter().any(|(known, _)| *known == word), "{word}");
    format!("{place}?{DONE}={word}")
}

/// What is to be said at this address.
pub(in crate::pages) fn said(uri: &Uri) -> Option<&'static str> {
    let query = uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, word) = pairs.find(|(name, _)| name == DONE)?;
    let found = SAID.iter().find(|(known, _)| *known == word);
    found.map(|(_, sentence)| *sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_are_said() {
        let said = |place: &str| said(&place.parse().expect("an address"));
        for (word, sentence) in SAID {
            assert_eq!(said(&saying("/t/x", word)), Some(sentence));
        }
        for place in ["/t", "/t?done", "/t?done=Anything", "/t?x=erased"] {
            assert_eq!(said(place), None, "{place}");
        }
    }
}
