//! The way through a list: by cursor, never by number.

use billstack_store::list::Cursor;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Links to the newest rows and to older ones; nothing where one page holds all.
pub(in crate::pages) fn pager(path: &str, is_first: bool, next: Option<&Cursor>) -> Markup {
    let older = next.map(|cursor| {
        let cursor = cursor.encode();
        format!(
            "{path}?cursor={}",
            utf8_percent_encode(&cursor, NON_ALPHANUMERIC)
        )
    });
    html! {
        @if !is_first || older.is_some() {
            nav.pager aria-label="Pages" {
                @if !is_first { a href=(path) { "Newest" } }
                @if let Some(older) = older { a href=(older) rel="next" { "Older" } }
            }
        }
    }
}
