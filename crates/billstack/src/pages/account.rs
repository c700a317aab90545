//! `/account`: what somebody may change about themselves.

pub mod password;
pub mod sessions;
pub mod single_keys;
pub mod theme;

use axum::response::Response;
use maud::{Markup, html};

use super::form::Form;
use super::parts::form::{Field, Kind, choice, fault, field, submit};
use super::parts::time::day;
use super::parts::{keys, notice};
use super::view::View;
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::http::page::{QueryString, text};

const TITLE: &str = "Account";

/// The forms.
pub async fn show(view: View, signed: SignedIn, QueryString(query): QueryString) -> Response {
    let done = text(&query, "done", 16).ok().flatten();
    let said = match done.as_deref() {
        Some("theme") => Some("The theme is saved in this browser."),
        Some("keys") => Some("The shortcuts are saved."),
        Some("password") => Some("The password is changed. You are signed out everywhere else."),
        Some("sessions") => Some("You are signed out everywhere else."),
        _ => None,
    };
    view.page(TITLE, body(&view, &signed, (&Form::default(), None), said))
}

/// The page with one of its forms as it was typed.
fn body(
    view: &View,
    signed: &SignedIn,
    (typed, error): (&Form, Option<&ApiError>),
    said: Option<&str>,
) -> Markup {
    let user = &signed.user;
    html! {
        h1 { (TITLE) }
        @if let Some(said) = said { (notice::done(said)) }
        section {
            h2 { "You" }
            dl.facts {
                div { dt { "Name" } dd { (user.name) } }
                div { dt { "E-mail address" } dd { (user.email) } }
                div { dt { "Signed up" } dd { (day(user.created_at)) } }
            }
        }
        section {
            h2 { "Theme" }
            form.row method="post" action="/account/theme" {
                (choice("Colours", "theme", super::theme::Theme::ALL.map(|(theme, name)| (theme.as_str(), name)),
                    view.theme.as_str()))
                (submit("Save"))
            }
        }
        section {
            h2 #shortcuts { "Shortcuts" }
            (keys::keys())
            form method="post" action="/account/keys" {
                label.check { input type="checkbox" name="singleKeys" value="yes" checked[user.single_keys]; "Single keys act" }
                p.quiet { "Switch them off if you speak to your computer, or press keys by mistake. " kbd { "Ctrl K" } " works in any case." }
                (submit("Save"))
            }
        }
        section {
            h2 { "Password" }
            (fault(error, &["currentPassword", "newPassword"]))
            form method="post" action="/account/password" {
                input type="hidden" name="username" autocomplete="username" value=(user.email);
                (field(&Field { label: "Password now", name: "currentPassword", kind: Kind::Password,
                    autocomplete: "current-password", ..Field::default() }, typed, error))
                (field(&Field { label: "New password", name: "newPassword", kind: Kind::Password,
                    autocomplete: "new-password", hint: Some("At least 8 characters, and not a common one."), ..Field::default() }, typed, error))
                (submit("Change the password"))
            }
            p.quiet { "This signs you out everywhere else." }
        }
        section {
            h2 { "Sessions" }
            p { "A session ends after twelve hours without use, and after two weeks in any case." }
            form method="post" action="/account/sessions" { (submit("Sign out everywhere else")) }
        }
    }
}
