//! `POST /t/{teamId}/stripe/roll`: replaces the signing secret.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::{TITLE, Wrong, body, path};
use crate::api::teams::stripe::WebhookSecret;
use crate::api::teams::stripe::roll_webhook_secret::roll;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::pages::form::Form;
use crate::pages::parts::form::{choice, fault, once, submit as button};
use crate::pages::parts::said::saying;
use crate::pages::submit::{Submitted, claim};
use crate::pages::view::View;

/// How long the old secret may stay good, in hours, and what that is called.
const OVERLAPS: [(&str, &str); 4] = [
    ("24", "24 hours"),
    ("1", "one hour"),
    ("168", "a week"),
    ("0", "not at all"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rolled {
    webhook_secret: WebhookSecret,
}

/// Replaces the secret.
pub async fn handle(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    match rolled(&app, &access, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let wrong = Wrong {
                roll: Some((&form, &error)),
                ..Wrong::default()
            };
            let shown = body(&app, &access.team_id, wrong).await?;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn rolled(app: &App, access: &TeamAccess, form: &Form) -> Result<Submitted, ApiError> {
    let Rolled { webhook_secret } = form.read(&["webhookSecret"])?;
    let hours = form.text("oldValidHours");
    let hours = OVERLAPS.iter().find(|(value, _)| *value == hours);
    let hours = hours.and_then(|(value, _)| value.parse().ok());
    let hours = hours.ok_or_else(|| ApiError::invalid("oldValidHours", "Choose how long."))?;
    let back = saying(&path(&access.team_id), "rolled");
    if !claim(app, &access.caller, (&access.team_id, form)).await? {
        return Ok(Submitted::Before(back));
    }
    roll(app, access, webhook_secret, hours).await?;
    Ok(Submitted::Made(back))
}

/// The form, open where something is wrong about it.
pub(super) fn form(base: &str, wrong: Option<(&Form, &ApiError)>) -> Markup {
    let empty = Form::default();
    let (typed, error) = wrong.map_or((&empty, None), |(form, error)| (form, Some(error)));
    // The page has another field of this name.
    let shown = error.filter(|error| error.field.as_deref() != Some("webhookSecret"));
    let about = error.filter(|error| error.field.as_deref() == Some("webhookSecret"));
    html! {
        details open[wrong.is_some()] {
            summary { "Roll the signing secret" }
            section {
                p.quiet { "Roll it in Stripe first. The old secret stays good for a while, so that no event is refused meanwhile." }
                (fault(shown, &[]))
                @if let Some(error) = about { p.notice.bad role="alert" { "New signing secret: " (error.message.replace("`webhookSecret`", "it")) } }
                form method="post" action={ (base) "/roll" } {
                    (once())
                    div.field {
                        label for="newSecret" { "New signing secret" }
                        input id="newSecret" name="webhookSecret" type="password" required maxlength="300" autocomplete="off"
                            aria-invalid=[about.map(|_| "true")];
                    }
                    (choice("The old one stays good for", "oldValidHours", OVERLAPS, typed.text("oldValidHours")))
                    (button("Roll the secret"))
                }
            }
        }
    }
}
