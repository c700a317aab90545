//! The pages of a project.

use billstack_store::projects::Project;
use billstack_store::teams::Team;
use maud::{Markup, html};

use crate::pages::teams::project::address;

/// Each page by the last part of its address.
const PAGES: [(&str, &str); 3] = [
    ("", "Overview"),
    ("/referrals", "Referrals"),
    ("/customers", "Customers"),
];

/// The way to each, with a mark at the one that is looked at.
pub(in crate::pages) fn tabs(team: &Team, project: &Project, title: &str) -> Markup {
    let base = address(&team.id, &project.id);
    // A page of one thing is called by it, and then by its list.
    let is_here = |name: &str| title.rsplit(" · ").next() == Some(name);
    html! {
        nav.tabs aria-label="Pages of the project" {
            @for (path, name) in PAGES {
                a href={ (base) (path) } aria-current=[is_here(name).then_some("page")] { (name) }
            }
        }
    }
}
