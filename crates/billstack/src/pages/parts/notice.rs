//! What a page says by the way, and texts to take along.

use maud::{Markup, html};

/// That something has been done.
pub(in crate::pages) fn done(text: &str) -> Markup {
    html! { p.notice.good role="status" { (text) } }
}

/// Something worth knowing.
pub(in crate::pages) fn note(text: &str) -> Markup {
    html! { p.notice { (text) } }
}

/// An id, a code or a link: plain text, and a button that copies it where there are scripts.
pub(in crate::pages) fn copyable(text: &str) -> Markup {
    html! {
        span.copy { code { (text) } button.plain type="button" data-copy=(text) hidden aria-label={ "Copy " (text) } { "Copy" } }
    }
}

/// What shows an id, a code or a link, and beside it a small button that copies the text.
pub(in crate::pages) fn beside(shown: Markup, text: &str) -> Markup {
    html! {
        span.copy { (shown) button.plain.icon type="button" data-copy=(text) hidden aria-label={ "Copy " (text) } {} }
    }
}

/// A text of more than a line to take along.
pub(in crate::pages) fn copyable_block(text: &str, what: &str) -> Markup {
    html! {
        div.block { pre { (text) } button.plain type="button" data-copy=(text) hidden aria-label={ "Copy the " (what) } { "Copy" } }
    }
}
