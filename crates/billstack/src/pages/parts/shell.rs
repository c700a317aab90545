//! The frame around every page.

use maud::{DOCTYPE, Markup, html};

use super::keys;
use super::notice;
use super::switch::switch;
use super::tabs::{self, tabs};
use super::time::moment;
use crate::pages::assets;
use crate::pages::teams::project::address;
use crate::pages::theme::Theme;
use crate::pages::view::View;

/// A whole document.
pub(in crate::pages) fn document(view: &View, title: &str, body: &Markup) -> Markup {
    let theme = (view.theme != Theme::System).then(|| view.theme.as_str());
    let person = view.person.as_ref();
    let keys_off = person
        .is_some_and(|person| !person.user.single_keys)
        .then_some("off");
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
            body data-keys=[keys_off] {
                a.skip href="#main" { "Skip to the content" }
                (bar(view))
                (tabs(view, title))
                main #main tabindex="-1" {
                    @if let Some(said) = view.said { (notice::done(said)) }
                    (body)
                }
                @if let Some(at) = view.at {
                    footer { "As of " (moment(at)) " · Request " code { (view.request_id) } }
                }
                @if person.is_some() { (keys::dialog()) }
                p #said.hidden role="status" aria-live="polite" {}
            }
        }
    }
}

/// The thing, then what it belongs to.
fn full_title(view: &View, title: &str) -> String {
    let of = view.project.as_ref().map(|project| project.name.as_str());
    let of = of.or(view.team.as_ref().map(|team| team.name.as_str()));
    format!("{title} · {}", of.unwrap_or("BillStack"))
}

/// Where somebody is, what they look for, what waits for them, and who they are.
fn bar(view: &View) -> Markup {
    html! {
        header.bar {
            nav.crumbs aria-label="Where you are" {
                a.brand href="/" aria-label="BillStack, start" { img src=(assets::address("icon.svg")) alt="" width="20" height="20"; }
                (switch(view))
            }
            @if let Some(person) = &view.person {
                @if tabs::is_there("/find") {
                    form.find action="/find" role="search" {
                        input #find name="q" type="search" required maxlength="255" autocomplete="off" spellcheck="false"
                            aria-label="Find an id, a code or an address" placeholder="Id, code or address";
                    }
                }
                (attention(view))
                details.menu.person {
                    summary { span { (person.user.name) } }
                    div {
                        a href="/t" { "All teams" }
                        a href="/account" { "Account" }
                        a href="/account#shortcuts" { "Shortcuts" }
                        form method="post" action="/sign-out" { button.plain { "Sign out" } }
                    }
                }
            }
        }
    }
}

/// The way to what needs somebody, and how much of it there is.
fn attention(view: &View) -> Markup {
    let path = "/t/{teamId}/p/{projectId}/attention";
    let place = view.team.as_ref().zip(view.project.as_ref());
    let place = place.filter(|_| tabs::is_there(path));
    let waiting = view.attention.as_ref().map(|seen| seen.shown.len());
    let waiting = waiting.filter(|waiting| *waiting > 0);
    html! {
        @if let Some((team, project)) = place {
            a.attention href={ (address(&team.id, &project.id)) "/attention" } {
                "Attention" @if let Some(waiting) = waiting { " " b { (waiting) } }
            }
        }
    }
}
