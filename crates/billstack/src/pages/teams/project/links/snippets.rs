//! What a server does with what a link brings: the snippets of the documentation, with the names of the project.

use maud::{Markup, html};

use crate::pages::parts::notice::copyable_block;

const GUIDE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/integrators/share-links.md"
));

/// What the guide calls the parameter.
const PARAMETER: &str = "ref_click";

/// Each snippet with what it is for: a bold line, and the block below it.
fn snippets() -> impl Iterator<Item = (&'static str, &'static str)> {
    GUIDE.split("\n**").skip(1).filter_map(|part| {
        let (name, rest) = part.split_once("**")?;
        let (before, block) = rest.split_once("\n```")?;
        let is_below = !before.contains("\n\n\n") && before.lines().count() < 3;
        let (_, code) = block.split_once('\n')?;
        let (code, _) = code.split_once("\n```")?;
        is_below.then_some((name, code))
    })
}

/// The section of the page.
pub(super) fn section(parameter: &str) -> Markup {
    html! {
        section {
            h2 { "For your server" }
            p { "It keeps what a link brings in a cookie of its own, takes it out of the address, and sends it as "
                code { "clickToken" } " when the account is made: " code { "POST …/referrals/apply" } "." }
            @for (name, code) in snippets() {
                details { summary { (name) } (copyable_block(&code.replace(PARAMETER, parameter), "snippet")) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_has_a_snippet_for_each_framework() {
        let all: Vec<_> = snippets().collect();
        let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["Express", "Next.js", "Rails", "Laravel", "Django"]);
        assert!(all.iter().all(|(_, code)| code.contains(PARAMETER)));
        let shown = section("via").into_string();
        assert!(shown.contains("searchParams.get(&quot;via&quot;)") && !shown.contains(PARAMETER));
    }
}
