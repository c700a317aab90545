//! `POST /t/{teamId}/stripe/disconnect`: disconnects the team.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::{TITLE, Wrong, body, path};
use crate::api::teams::stripe::disconnect::disconnect;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::pages::form::Form;
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::said::saying;
use crate::pages::submit::{Submitted, claim};
use crate::pages::view::View;

#[derive(Deserialize)]
struct Nothing {}

/// Disconnects.
pub async fn handle(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    match disconnected(&app, &access, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let wrong = Wrong {
                disconnect: Some(&error),
                ..Wrong::default()
            };
            let shown = body(&app, &access.team_id, wrong).await?;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn disconnected(app: &App, access: &TeamAccess, form: &Form) -> Result<Submitted, ApiError> {
    let Nothing {} = form.read(&[])?;
    let back = saying(&path(&access.team_id), "disconnected");
    if !claim(app, &access.caller, (&access.team_id, form)).await? {
        return Ok(Submitted::Before(back));
    }
    disconnect(app, access).await?;
    Ok(Submitted::Made(back))
}

/// The form, behind what happens.
pub(super) fn form(base: &str, wrong: Option<&ApiError>) -> Markup {
    html! {
        details open[wrong.is_some()] {
            summary { "Disconnect" }
            section {
                (fault(wrong, &[]))
                p { "From then on events of Stripe are refused, so nothing converts; credits that wait do not reach Stripe; keys and "
                    "secrets are gone. Customers, referrals, credits and past events stay. An endpoint that was made here is deleted in Stripe." }
                form method="post" action={ (base) "/disconnect" } { (once()) (button("Disconnect now")) }
            }
        }
    }
}
