//! The way through a list: by cursor, never by number.

use billstack_store::list::Cursor;
use maud::{Markup, html};
use url::form_urlencoded::Serializer;

/// Links to the newest rows and to older ones; nothing where one page holds all. `kept` are the filters, which each
/// of the links keeps.
pub(in crate::pages) fn pager(
    path: &str,
    kept: &[(&str, &str)],
    is_first: bool,
    next: Option<&Cursor>,
) -> Markup {
    let newest = with_query(path, kept);
    let older = next.map(|cursor| {
        let cursor = cursor.encode();
        let all: Vec<_> = kept.iter().copied().chain([("cursor", &*cursor)]).collect();
        with_query(path, &all)
    });
    html! {
        @if !is_first || older.is_some() {
            nav.pager aria-label="Pages" {
                @if !is_first { a href=(newest) { "Newest" } }
                @if let Some(older) = older { a href=(older) rel="next" { "Older" } }
            }
        }
    }
}

/// An address with parameters.
pub(in crate::pages) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    if pairs.is_empty() {
        return path.to_owned();
    }
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}
