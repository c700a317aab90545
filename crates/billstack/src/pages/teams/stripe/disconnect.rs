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
use crate::pages::parts::form::{once, submit as button};
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
            let shown = body(&app, &access.team_id, Wrong::default()).await?;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn disconnected(app: &App, access: &TeamAccess, form: &Form) -> Result<Submitted, ApiError> {
    let Nothing {} = form.read(&[])?;
    let back = path(&access.team_id);
    if !claim(app, &access.caller, (&access.team_id, form)).await? {
        return Ok(Submitted::Before(back));
    }
    disconnect(app, access).await?;
    Ok(Submitted::Made(back))
}

/// The form, behind what happens.
pub(super) fn form(base: &str) -> Markup {
    html! {
        details {
            summary { "Disconnect" }
            section {
                p { "From then on events of Stripe are refused, so nothing converts; credits that wait do not reach Stripe; keys and "
                    "secrets are gone. Customers, referrals, credits and past events stay. An endpoint that was made here is deleted in Stripe." }
                form method="post" action={ (base) "/disconnect" } { (once()) (button("Disconnect now")) }
            }
        }
    }
}
