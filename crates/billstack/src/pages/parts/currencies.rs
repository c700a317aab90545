//! The currencies of a project, to choose from.

use billstack_core::money::Currency;
use maud::Markup;

use super::form;

/// A choice of one of those in use; what is chosen is there, whether in use or not.
pub(in crate::pages) fn choice(known: &[Currency], chosen: &str) -> Markup {
    let lower = chosen.to_ascii_lowercase();
    let mut codes: Vec<&str> = known.iter().map(Currency::as_str).collect();
    if !lower.is_empty() && !codes.contains(&lower.as_str()) {
        codes.push(&lower);
    }
    let shown: Vec<String> = codes.iter().map(|code| code.to_ascii_uppercase()).collect();
    let choices = codes
        .iter()
        .zip(&shown)
        .map(|(code, text)| (*code, text.as_str()));
    let all = [("", "any")].into_iter().chain(choices);
    form::choice("Currency", "currency", all, &lower)
}
