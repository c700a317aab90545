//! The frame around every page.

use maud::{DOCTYPE, Markup, html};

use crate::pages::assets;
use crate::pages::parts::tabs::tabs;
use crate::pages::teams::project::address;
use crate::pages::theme::Theme;
use crate::pages::view::View;

/// A whole document.
pub(in crate::pages) fn document(view: &View, title: &str, body: &Markup) -> Markup {
    let theme = (view.theme != Theme::System).then(|| view.theme.as_str());
    html! {
        (DOCTYPE)
        html lang="en" data-theme=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (full_title(view, title)) }
                link rel="stylesheet" href=(assets::address("app.css"));
                link rel="icon" href=(assets::address("icon.svg")) type="image/svg+xml";
                script type="module" src=(assets::address("app.js")) {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                (bar(view))
                @if let (Some(team), Some(project)) = (&view.team, &view.project) { (tabs(team, project, title)) }
                main #main tabindex="-1" { (body) }
                p #said.hidden role="status" aria-live="polite" {}
            }
        }
    }
}

/// The thing, then what it belongs to.
fn full_title(view: &View, title: &str) -> String {
    let of = view.project.as_ref().map(|project| project.name.as_str());
    let of = of.or(view.team.as_ref().map(|team| team.name.as_str()));
    match of {
        Some(of) => format!("{title} · {of} · BillStack"),
        None => format!("{title} · BillStack"),
    }
}

fn bar(view: &View) -> Markup {
    html! {
        header.bar {
            nav.crumbs aria-label="Where you are" {
                a.brand href="/" aria-label="BillStack, start" { img src=(assets::address("icon.svg")) alt="" width="20" height="20"; }
                @if view.person.is_some() && view.team.is_none() { a href="/t" { "Teams" } }
                @if let Some(team) = &view.team {
                    a href={ "/t/" (team.id) } { (team.name) }
                    @if let Some(project) = &view.project {
                        span aria-hidden="true" { "/" }
                        a href=(address(&team.id, &project.id)) { (project.name) }
                    }
                }
            }
            @if let Some(person) = &view.person {
                details.menu {
                    summary { span { (person.user.name) } }
                    div {
                        a href="/t" { "All teams" }
                        a href="/account" { "Account" }
                        form method="post" action="/sign-out" { button.plain { "Sign out" } }
                    }
                }
            }
        }
    }
}
