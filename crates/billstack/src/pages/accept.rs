//! `/accept`: joining a team by an invitation. Its token comes in the fragment of the address, which browsers send to
//! nobody, or is pasted; it is used by a form.

use axum::extract::State;
use axum::response::Response;
use billstack_store::sessions;
use maud::{Markup, html};

use super::form::Form;
use super::parts::form::{Field, Kind, fault, field, submit};
use super::view::{View, see_other, see_other_with};
use crate::api::auth::{accept_invitation, new_session, sign_up};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::http::visitor::Visitor;

const TITLE: &str = "Join a team";

/// The form: to join for whoever is signed in, and to sign up for everybody else.
pub async fn show(
    State(app): State<Shared>,
    visitor: Visitor,
    view: View,
) -> Result<Response, ApiError> {
    let shown = match name(&app, &visitor).await? {
        Some(name) => joining(&name, (&Form::default(), None)),
        None => signing_up((&Form::default(), None)),
    };
    Ok(view.page(TITLE, shown))
}

/// What whoever is signed in is called.
async fn name(app: &App, visitor: &Visitor) -> Result<Option<String>, ApiError> {
    let Some(hash) = visitor.token_hash.clone() else {
        return Ok(None);
    };
    let now = app.now();
    let session = app
        .store
        .point(move |tx| Ok(sessions::find(tx, &hash, now, sessions::IDLE)?));
    Ok(session.await?.map(|session| session.user.name))
}

/// Joins.
pub async fn join(
    State(app): State<Shared>,
    signed: SignedIn,
    view: View,
    form: Form,
) -> Result<Response, ApiError> {
    let name = signed.user.name.clone();
    let joined = match form.read(&["token"]) {
        Ok(request) => accept_invitation::accept(&app, signed, request).await,
        Err(error) => Err(error),
    };
    match joined {
        Ok((team, _)) => Ok(see_other(&format!("/t/{}", team.id))),
        Err(error) => Ok(view.again(&error, TITLE, joining(&name, (&form, Some(&error))))),
    }
}

/// Signs up and joins.
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
        Err(error) => Ok(view.again(&error, TITLE, signing_up((&form, Some(&error))))),
    }
}

fn token((typed, error): (&Form, Option<&ApiError>)) -> Markup {
    let of_invitation = Field {
        label: "Invitation",
        name: "token",
        hint: Some("What follows the # in the link that you were sent."),
        ..Field::default()
    };
    field(&of_invitation, typed, error)
}

fn joining(name: &str, (typed, error): (&Form, Option<&ApiError>)) -> Markup {
    html! {
        div.narrow {
            h1 { (TITLE) }
            p { "You are signed in as " b { (name) } ". An invitation is good for its own address only." }
            (fault(error, &["token"]))
            form method="post" action="/accept" data-fragment="token" {
                (token((typed, error)))
                (submit("Join the team"))
            }
        }
    }
}

fn signing_up((typed, error): (&Form, Option<&ApiError>)) -> Markup {
    html! {
        div.narrow {
            h1 { (TITLE) }
            p { "Choose a password to join. If you have an account already, " a href="/sign-in?next=/accept" data-carries { "sign in" }
                " first." }
            (fault(error, &["token", "name", "email", "password"]))
            form method="post" action="/accept/new" data-fragment="token" {
                (token((typed, error)))
                (field(&Field { label: "Your name", name: "name", kind: Kind::Text, autocomplete: "name",
                    ..Field::default() }, typed, error))
                (field(&Field { label: "E-mail address", name: "email", kind: Kind::Email, autocomplete: "username",
                    hint: Some("The one that was invited."), ..Field::default() }, typed, error))
                (field(&Field { label: "Password", name: "password", kind: Kind::Password,
                    autocomplete: "new-password", hint: Some("At least 8 characters, and not a common one."), ..Field::default() }, typed, error))
                (submit("Join the team"))
            }
        }
    }
}
