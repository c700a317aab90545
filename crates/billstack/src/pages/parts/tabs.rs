//! The pages of a project, and those of a team.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::Method;
use billstack_core::access::Role;
use maud::{Markup, html};

use crate::http::access::Right;
use crate::pages::teams::project::address;
use crate::pages::view::View;
use crate::routes::for_people;

/// Each page by the last part of its address: what a project brings, and how it is set up.
const OF_PROJECT: [&[(&str, &str)]; 2] = [
    &[
        ("", "Overview"),
        ("/referrals", "Referrals"),
        ("/codes", "Codes"),
        ("/customers", "Customers"),
        ("/credits", "Credits"),
        ("/reports", "Reports"),
    ],
    &[
        ("/program", "Program"),
        ("/links", "Links"),
        ("/portal", "Portal"),
        ("/webhooks", "Webhooks"),
    ],
];

const OF_TEAM: [&[(&str, &str)]; 1] = [&[
    ("", "Projects"),
    ("/members", "Members"),
    ("/keys", "Keys"),
    ("/stripe", "Stripe"),
    ("/activity", "Activity"),
    ("/status", "Status"),
]];

/// Every page that can be looked at, with the right that it asks for.
static PAGES: LazyLock<HashMap<&str, Option<Right>>> = LazyLock::new(|| {
    let pages = for_people().into_iter();
    let pages = pages.filter(|route| route.method == Method::GET);
    pages.map(|route| (route.path, route.right)).collect()
});

/// Whether there is such a page, by its path in the table of routes.
pub(super) fn is_there(path: &str) -> bool {
    PAGES.contains_key(path)
}

/// Whether a role opens a page; nobody opens one that is not there.
fn opens(role: Option<Role>, path: &str) -> bool {
    match PAGES.get(path) {
        Some(Some(Right::TeamAdmin | Right::ProjectAdmin(_))) => {
            role.is_some_and(Role::can_administer)
        }
        Some(_) => true,
        None => false,
    }
}

/// The way to each page that whoever looks may open, with a mark at the one that is looked at.
pub(in crate::pages) fn tabs(view: &View, title: &str) -> Markup {
    match (&view.team, &view.project) {
        (Some(team), Some(project)) => {
            let base = address(&team.id, &project.id);
            let route = "/t/{teamId}/p/{projectId}";
            let beginning: &[(&str, &str)] = match view.is_starting {
                true => &[("/start", "Start")],
                false => &[],
            };
            let groups = [beginning, OF_PROJECT[0], OF_PROJECT[1]];
            row("Pages of the project", view, (&base, route), &groups, title)
        }
        (Some(team), None) => {
            let base = format!("/t/{}", team.id);
            row(
                "Pages of the team",
                view,
                (&base, "/t/{teamId}"),
                &OF_TEAM,
                title,
            )
        }
        _ => html! {},
    }
}

fn row(
    label: &str,
    view: &View,
    (base, route): (&str, &str),
    groups: &[&[(&str, &str)]],
    title: &str,
) -> Markup {
    let role = view.person.as_ref().and_then(|person| person.role);
    // A page of one thing is called by it, and then by its list.
    let is_here = |name: &str| title.rsplit(" · ").next() == Some(name);
    html! {
        nav.tabs aria-label=(label) {
            @for group in groups {
                @let open: Vec<_> = group.iter().filter(|(path, _)| opens(role, &format!("{route}{path}"))).collect();
                @if !open.is_empty() {
                    div {
                        @for (path, name) in open {
                            a href={ (base) (path) } aria-current=[is_here(name).then_some("page")] { (name) }
                        }
                    }
                }
            }
        }
    }
}
