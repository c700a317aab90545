//! A form is worth one change, however often it is sent: its hidden random field is claimed in the transaction of the
//! change.

use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_store::idempotency::{Answer, Keyed};
use billstack_store::{Abort, Act, Tx};
use maud::html;

use super::form::{Form, ONCE};
use super::view::View;
use crate::app::App;
use crate::error::ApiError;
use crate::http::access::Caller;
use crate::http::answer::Done;

/// What came of a form.
pub(super) enum Submitted {
    /// The change is made. This is the place of what was made.
    Made(String),
    /// It was made before, by the same form.
    Before(String),
}

impl Submitted {
    /// The place of what was made, or a page that says that it was made before.
    pub(super) fn answer(self, view: &View) -> Response {
        let place = match self {
            Submitted::Made(place) => return super::view::see_other(&place),
            Submitted::Before(place) => place,
        };
        let body = html! {
            h1 { "Already done" }
            p { "This form was sent before. What it asked for was done then, and was not done again." }
            p { a.button href=(place) { "Show what was made" } }
        };
        view.page("Already done", body)
    }
}

/// The hidden random field of a form that is meant.
pub(super) fn once_of(form: &Form) -> Result<&str, ApiError> {
    form.is_meant()?;
    let once = form.text(ONCE);
    if once.len() != 32 || !once.bytes().all(|b| b.is_ascii_hexdigit()) {
        let message = "The form is not complete; load the page again.";
        return Err(ApiError::invalid(ONCE, message));
    }
    Ok(once)
}

/// The key of a form, or of a part of it that is a change of its own.
pub(super) fn key_of(caller: &Caller, team_id: &TeamId, part: &str) -> Keyed {
    Keyed {
        team_id: team_id.clone(),
        caller: caller.actor.to_text(),
        key: format!("form {part}"),
        request_hash: "form".to_owned(),
    }
}

/// Claims a form whose change asks somebody else and cannot be in one transaction; tells whether nobody has sent it
/// before. A form that fails after that is shown again with another field.
pub(super) async fn claim(
    app: &App,
    caller: &Caller,
    (team_id, form): (&TeamId, &Form),
) -> Result<bool, ApiError> {
    let keyed = key_of(caller, team_id, once_of(form)?);
    let nothing = |_: &mut dyn Tx, _: &mut Act| Ok::<_, Abort>(());
    let kept = |(): &()| {
        Some(Answer {
            status: 303,
            body: String::new(),
            customer_id: None,
        })
    };
    match app.change(caller, Some(&keyed), nothing, kept).await? {
        Done::Fresh(..) => Ok(true),
        Done::Replayed(_) => Ok(false),
    }
}

/// Makes the change of a form, once. A form without the field, or with one that nobody makes, is a form of nobody.
pub(super) async fn submit<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    (team_id, form): (&TeamId, &Form),
    op: impl Fn(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Clone + Send + 'static,
    place: impl Fn(&T) -> String + Clone + Send + 'static,
) -> Result<Submitted, ApiError> {
    let keyed = key_of(caller, team_id, once_of(form)?);
    let kept = move |made: &T| {
        Some(Answer {
            status: 303,
            body: place(made),
            customer_id: None,
        })
    };
    match app.change(caller, Some(&keyed), op, kept).await? {
        Done::Fresh(_, answer) => Ok(Submitted::Made(answer.map(|a| a.body).unwrap_or_default())),
        Done::Replayed(answer) => Ok(Submitted::Before(answer.body)),
    }
}
