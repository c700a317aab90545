//! `/sign-in`.

pub mod once;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use billstack_store::sessions;
use maud::{Markup, html};
use url::Url;

use super::form::Form;
use super::kept::KEPT;
use super::parts::form::{Field, Kind, fault, field, submit};
use super::parts::notice;
use super::view::{View, see_other, see_other_with, send_on_with};
use crate::api::auth::{new_session, sign_in};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::page::{QueryString, text};
use crate::http::visitor::Visitor;

/// Where one signs in.
pub(super) const PATH: &str = "/sign-in";

const TITLE: &str = "Sign in";

/// The longest address to go on to, in characters.
const LONGEST_NEXT: usize = 6000;

/// The form; whoever is signed in is sent on at once.
pub async fn show(
    State(app): State<Shared>,
    visitor: Visitor,
    view: View,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let next = text(&query, "next", LONGEST_NEXT).ok().flatten();
    let next = own_place(next.as_deref().unwrap_or_default());
    let now = app.now();
    let is_signed_in = app.store.point(move |tx| match &visitor.token_hash {
        Some(hash) => Ok(sessions::find(tx, hash, now, sessions::IDLE)?.is_some()),
        None => Ok(false),
    });
    match is_signed_in.await? {
        true => Ok(see_other(next)),
        false => Ok(view.page(TITLE, body(&Form::default(), next, None))),
    }
}

/// Opens a session and goes on.
pub async fn enter(
    State(app): State<Shared>,
    visitor: Visitor,
    view: View,
    form: Form,
) -> Result<Response, ApiError> {
    let next = own_place(form.text("next")).to_owned();
    let opened = match form.read(&["email", "password"]) {
        Ok(request) => sign_in::open(&app, visitor, request).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok((_, token)) => {
            let cookie = new_session(&app, &token);
            Ok(match form.text(KEPT) {
                "" => see_other_with(&next, cookie),
                _ => send_on_with(&next, cookie),
            })
        }
        Err(error) => Ok(view.again(&error, TITLE, body(&form, &next, Some(&error)))),
    }
}

/// The form in place of the page that one was sent to without a session. What was typed goes along, sealed.
pub(super) fn instead(view: &View, action: &str, sealed: &str) -> Response {
    let carried = Form::with(KEPT, sealed);
    let shown = html! {
        (notice::note("Your session has ended. Sign in, and your form comes back as you typed it; nothing was sent."))
        (body(&carried, action, None))
    };
    view.page_with(StatusCode::UNAUTHORIZED, TITLE, shown)
}

fn body(typed: &Form, next: &str, error: Option<&ApiError>) -> Markup {
    html! {
        div.narrow {
            h1 { (TITLE) }
            (fault(error, &["email", "password"]))
            form method="post" action=(PATH) data-carries {
                input type="hidden" name="next" value=(next);
                @if !typed.text(KEPT).is_empty() { input type="hidden" name=(KEPT) value=(typed.text(KEPT)); }
                (field(&Field { label: "E-mail address", name: "email", kind: Kind::Email, autocomplete: "username",
                    ..Field::default() }, typed, error))
                (field(&Field { label: "Password", name: "password", kind: Kind::Password,
                    autocomplete: "current-password", ..Field::default() }, typed, error))
                (submit(TITLE))
            }
        }
    }
}

/// An address on this server as it is, and the start instead of any other.
fn own_place(next: &str) -> &str {
    const HERE: &str = "http://here.invalid";
    let stays = || {
        let here = Url::parse(HERE).ok()?;
        let there = here.join(next).ok()?;
        Some(there.origin() == here.origin())
    };
    let is_plain = next.starts_with('/') && next.bytes().all(|b| b.is_ascii_graphic());
    match is_plain && stays() == Some(true) {
        true => next,
        false => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for here in [
            "/",
            "/account",
            "/t/team_1/p/proj_1?from=x&q=%2F%2Fa",
            "/a//b",
        ] {
            assert_eq!(own_place(here), here);
        }
        for elsewhere in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "https:evil.example",
            "/\t/evil.example",
            "/a\r\nb",
            " /account",
            "javascript:alert(1)",
            "@evil.example",
            "/\u{2028}",
        ] {
            assert_eq!(own_place(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
