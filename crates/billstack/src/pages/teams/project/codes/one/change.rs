//! Another name for a code, and its end.

use billstack_store::codes::{self, Code};
use billstack_store::{Act, Tx};
use maud::{Markup, html};
use serde::Deserialize;

use crate::api::referrals::codes::name;
use crate::app::App;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::json::Text;
use crate::pages::form::Form;
use crate::pages::parts::entry::{Entry, entry};
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::parts::said::saying;
use crate::pages::submit::{Submitted, submit};
use crate::pages::teams::project::address;
use crate::pages::view::View;

/// The field that tells the two forms of the page apart.
const WHAT: &str = "what";
const DEACTIVATE: &str = "deactivate";

#[derive(Deserialize)]
struct Name {
    vanity: Text<3, 24>,
}

/// Whether a form is the one that switches a code off.
pub(super) fn is_deactivation(form: &Form) -> bool {
    form.text(WHAT) == DEACTIVATE
}

/// Does what a form asks for, as the calls do.
pub(super) async fn make(
    app: &App,
    access: &ProjectAccess,
    code: &Code,
    form: &Form,
) -> Result<Submitted, ApiError> {
    let (place, text) = (access.place.clone(), code.code.clone());
    let there = format!(
        "{}/codes/{text}",
        address(&place.team_id, &place.project_id)
    );
    let team_id = place.team_id.clone();
    let of_form = (&team_id, form);
    let word = match is_deactivation(form) {
        true => "deactivated",
        false => "renamed",
    };
    let there = saying(&there, word);
    let made = move |_: &Code| there.clone();
    if is_deactivation(form) {
        // Nothing is asked for that could be wrong, but it may have come back to be looked at.
        form.read::<Nothing>(&[])?;
        let op = move |tx: &mut dyn Tx, act: &mut Act| codes::deactivate(tx, act, &place, &text);
        return submit(app, &access.caller, of_form, op, made).await;
    }
    let Name { vanity } = form.read(&["vanity"])?;
    let vanity = name(&vanity.0)?;
    let op =
        move |tx: &mut dyn Tx, act: &mut Act| codes::names::rename(tx, act, &place, &text, &vanity);
    submit(app, &access.caller, of_form, op, made).await
}

#[derive(Deserialize)]
struct Nothing {}

/// The form for another name, and the way to the question whether it shall end.
pub(super) fn forms(
    view: &View,
    path: &str,
    code: &Code,
    (typed, error): (&Form, Option<&ApiError>),
) -> Markup {
    let may = view.can_write();
    html! {
        @if code.is_active {
            section {
                h2 { "Another name" }
                (fault(error, &["vanity"]))
                form.row method="post" action=(path) {
                    (view.lock(Need::Writer).around(html! {
                    (once())
                    (entry(&Entry { label: "Name", name: "vanity", required: true, most: 24,
                        hint: Some("3 to 24 letters, digits, - and _. The names before go on working."), ..Entry::default() }, typed, error))
                    (button("Rename"))
                    }))
                }
                @if may { p { a href={ (path) "?ask=" (DEACTIVATE) } { "Deactivate this code" } } }
            }
        }
    }
}

/// Whether the code shall end, and what that means.
pub(super) fn question(
    view: &View,
    path: &str,
    code: &Code,
    (_, error): (&Form, Option<&ApiError>),
) -> Markup {
    html! {
        section {
            h2 { "Deactivate " (code.code) "?" }
            (fault(error, &[]))
            p { "Nobody can apply it any more, by none of its names, and it does not come back. Its links lead on without it." }
            p { "Referrals that wait keep what they were promised, and the customer can be given a new code." }
            form method="post" action=(path) {
                (view.lock(Need::Writer).around(html! {
                    (once())
                    input type="hidden" name=(WHAT) value=(DEACTIVATE);
                    (button("Deactivate the code"))
                }))
            }
            p { a href=(path) { "Keep it" } }
        }
    }
}
