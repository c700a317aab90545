//! What stands in the chart's place while nothing has happened yet: what to do next.

use maud::{Markup, html};

use super::Told;

/// The next step.
pub(super) fn step(path: &str, told: &Told) -> Markup {
    let (what, place, button) = match (told.program.enabled, told.ever.codes) {
        (false, _) => (
            "Nothing has happened here yet, and the program is off: say what it promises, and switch it on.",
            "program",
            "Switch the program on",
        ),
        (true, 0) => (
            "The program is on, and nobody has a code yet. Your backend makes one for each customer, or you make the first here.",
            "codes",
            "Make a code",
        ),
        (true, _) => (
            "The program is on, and there are codes. The first figure comes when somebody follows a link or applies a code.",
            "codes",
            "Share a code",
        ),
    };
    html! {
        div.empty {
            p { (what) }
            p { a.button href={ (path) "/" (place) } { (button) } }
            p { a href={ (path) "/start" } { "All steps from here to the first conversion" } }
        }
    }
}
