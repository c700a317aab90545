//! `POST /t/{teamId}/stripe`: connects the team.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::{TITLE, Wrong, body, path};
use crate::api::teams::stripe::connect::{ConnectRequest, connect};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::pages::form::Form;
use crate::pages::parts::form::{Field, Kind, fault, field, once, submit as button};
use crate::pages::parts::notice::copyable;
use crate::pages::parts::said::saying;
use crate::pages::submit::{Submitted, claim};
use crate::pages::view::View;

const FIELDS: [&str; 3] = ["secretKey", "webhookSecret", "publishableKey"];

/// What came of the form.
enum Came {
    Submitted(Submitted),
    /// The team is connected, and a person has to make the endpoint: why.
    ByHand(String),
}

/// Connects, and says what a person has to do, if anything.
pub async fn handle(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    match connected(&app, &access, &form).await {
        Ok(Came::Submitted(submitted)) => Ok(submitted.answer(&view)),
        Ok(Came::ByHand(why)) => Ok(view.page(TITLE, by_hand(&app, &access, &why))),
        Err(error) => {
            let wrong = Wrong {
                connect: Some((&form, &error)),
                ..Wrong::default()
            };
            let shown = body(&app, &access.team_id, wrong).await?;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn connected(app: &App, access: &TeamAccess, form: &Form) -> Result<Came, ApiError> {
    let request: ConnectRequest = form.read(&FIELDS)?;
    let back = saying(&path(&access.team_id), "connected");
    if !claim(app, &access.caller, (&access.team_id, form)).await? {
        return Ok(Came::Submitted(Submitted::Before(back)));
    }
    let (_, webhook) = connect(app, access, request).await?;
    let obstacle = webhook.and_then(|webhook| webhook.message);
    Ok(match obstacle {
        Some(why) => Came::ByHand(why),
        None => Came::Submitted(Submitted::Made(back)),
    })
}

fn by_hand(app: &App, access: &TeamAccess, why: &str) -> Markup {
    html! {
        h1 { "Connected, but for the endpoint" }
        p { "The key is kept and in use. The webhook endpoint could not be made: " (why) }
        p { "Make one in Stripe at " (copyable(&app.webhook_url(&access.team_id)))
            ", and connect again with its signing secret." }
        p { a.button href=(path(&access.team_id)) { "Back to the connection" } }
    }
}

/// The form: open where there is no connection yet, or something is wrong about it.
pub(super) fn form(base: &str, is_connected: bool, wrong: Option<(&Form, &ApiError)>) -> Markup {
    let empty = Form::default();
    let (typed, error) = wrong.map_or((&empty, None), |(form, error)| (form, Some(error)));
    let secret = |label, name, hint| Field {
        label,
        name,
        kind: Kind::Password,
        hint: Some(hint),
        is_optional: true,
        longest: 300,
        ..Field::default()
    };
    let title = match is_connected {
        true => "Connect again",
        false => "Connect",
    };
    let fields = html! {
        form method="post" action=(base) {
            (fault(error, &FIELDS))
            (once())
            (field(&secret("Secret key", "secretKey", "sk_… or rk_…. A restricted key needs write access to customers and webhook endpoints, and read access to what is listed under permissions."), typed, error))
            (field(&secret("Signing secret", "webhookSecret", "whsec_…. Leave it empty to have the endpoint made with the secret key."), typed, error))
            (field(&Field { label: "Publishable key", name: "publishableKey", hint: Some("pk_…. Not needed."),
                is_optional: true, longest: 300, ..Field::default() }, typed, error))
            (button("Connect"))
        }
    };
    html! {
        @if is_connected {
            details open[wrong.is_some()] {
                summary { (title) }
                section {
                    p.quiet { "Replaces the connection as a whole: keys and secrets that are left out are gone afterwards." }
                    (fields)
                }
            }
        } @else {
            section { h2 { (title) } (fields) }
        }
    }
}
