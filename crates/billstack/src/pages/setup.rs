//! `/setup`: the first account of a server, for whoever runs it.

use axum::extract::State;
use axum::response::Response;
use billstack_store::users;
use maud::{Markup, html};

use super::form::Form;
use super::parts::form::{Field, Kind, fault, field, submit};
use super::view::{View, see_other, see_other_with};
use crate::api::auth::{new_session, sign_up};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::visitor::Visitor;

const TITLE: &str = "Set up this server";

/// The form, while there is no user.
pub async fn show(State(app): State<Shared>, view: View) -> Result<Response, ApiError> {
    match app.store.point(|tx| Ok(users::any(tx)?)).await? {
        true => Ok(see_other("/")),
        false => Ok(view.page(TITLE, body(&Form::default(), None))),
    }
}

/// Makes the account and signs in; a form that is wrong makes nothing and comes back as typed.
pub async fn enter(
    State(app): State<Shared>,
    visitor: Visitor,
    view: View,
    form: Form,
) -> Result<Response, ApiError> {
    let made = match form.read(&["token", "name", "email", "password"]) {
        Ok(request) => sign_up::enter(&app, visitor, request).await,
        Err(error) => Err(error),
    };
    match made {
        Ok((_, token)) => Ok(see_other_with("/", new_session(&app, &token))),
        Err(error) => Ok(view.again(&error, TITLE, body(&form, Some(&error)))),
    }
}

fn body(typed: &Form, error: Option<&ApiError>) -> Markup {
    html! {
        div.narrow {
            h1 { (TITLE) }
            p { "This server has no user yet. The first one needs the one-time token that it printed when it started." }
            details {
                summary { "Where is the token?" }
                ul {
                    li { "In the terminal where " code { "billstack serve" } " runs." }
                    li { "Under systemd: " code { "journalctl -u billstack" } "." }
                    li { "In a container: its log, such as " code { "docker logs billstack" } "." }
                }
                p { "Every start prints a new one. On the machine itself, " code { "billstack init" }
                    " makes the first user without a token." }
            }
            (fault(error, &["token", "name", "email", "password"]))
            form method="post" action="/setup" {
                (field(&Field { label: "Token", name: "token", kind: Kind::Text, autocomplete: "off",
                    hint: Some("It begins with setup."), ..Field::default() }, typed, error))
                (field(&Field { label: "Your name", name: "name", kind: Kind::Text, autocomplete: "name",
                    ..Field::default() }, typed, error))
                (field(&Field { label: "E-mail address", name: "email", kind: Kind::Email, autocomplete: "username",
                    ..Field::default() }, typed, error))
                (field(&Field { label: "Password", name: "password", kind: Kind::Password,
                    autocomplete: "new-password", hint: Some("At least 8 characters, and not a common one."), ..Field::default() }, typed, error))
                (submit("Make the account"))
            }
        }
    }
}
