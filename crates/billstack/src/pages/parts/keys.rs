//! The keys that do something on every page, and what they do.

use maud::{Markup, html};

/// Keys, and what they do.
const KEYS: [(&[&str], &str); 7] = [
    (&["Ctrl K", "⌘ K"], "Find anything"),
    (&["/"], "Find anything"),
    (&["g r"], "Go to referrals"),
    (&["g c"], "Go to customers"),
    (&["g o"], "Go to codes"),
    (&["?"], "Show these keys"),
    (&["Esc"], "Close what is open, then clear the filters"),
];

/// The keys as a list.
pub(in crate::pages) fn keys() -> Markup {
    html! {
        dl.facts.keys {
            @for (keys, does) in KEYS {
                div { dt { @for key in keys { kbd { (key) } " " } } dd { (does) } }
            }
        }
    }
}

/// The same, to be opened by a script.
pub(super) fn dialog() -> Markup {
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys" }
            (keys())
            form method="dialog" { button autofocus { "Close" } " " a href="/account#shortcuts" { "Switch single keys off" } }
        }
    }
}
