//! What is done from the list: Stripe is connected, a key is made, a step is skipped.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use billstack_core::time::HOUR;
use billstack_store::stripe_connection::{self, NewConnection};
use billstack_store::{Abort, Act, Place, Tx};
use serde::Deserialize;

use super::facts::Step;
use super::{TITLE, body, skip_cookie, skipped};
use crate::api::teams::stripe::WebhookSecret;
use crate::api::teams::stripe::roll_webhook_secret::{DEFAULT_OVERLAP, Rolling};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::{ProjectAccess, Right};
use crate::pages::form::Form;
use crate::pages::shown::{Kind, Whose};
use crate::pages::submit::{Submitted, submit};
use crate::pages::teams::keys;
use crate::pages::teams::project::address;
use crate::pages::view::{View, see_other, see_other_with};

/// The secret of an endpoint.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Secret {
    webhook_secret: WebhookSecret,
}

/// Keeps the signing secret of the webhook endpoint: that of a new connection, or in place of the one before.
pub async fn connect(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, ApiError> {
    match connected(&app, &access, &form).await {
        Ok(submitted) => {
            app.known_connections.remove(&access.place.team_id);
            Ok(submitted.answer(&view))
        }
        Err(error) => again(&app, (&view, &access), &headers, (&form, &error)).await,
    }
}

async fn connected(app: &App, access: &ProjectAccess, form: &Form) -> Result<Submitted, ApiError> {
    let Secret { webhook_secret } = form.read(&["webhookSecret"])?;
    let caller = access.caller.also(app, Right::TeamAdmin).await?;
    let team_id = access.place.team_id.clone();
    let rolling = Rolling::new(app, &team_id, webhook_secret.0, DEFAULT_OVERLAP * HOUR);
    let op = move |tx: &mut dyn Tx, act: &mut Act| -> Result<(), Abort> {
        let before = stripe_connection::get(tx, &team_id)?;
        if before.is_some_and(|before| before.is_active && before.webhook_secret.is_some()) {
            rolling.run(tx, act)?;
            return Ok(());
        }
        let new = NewConnection {
            webhook_secret: Some(rolling.sealed.clone()),
            ..NewConnection::default()
        };
        stripe_connection::connect(tx, act, &team_id, &new)?;
        Ok(())
    };
    let place = path(&access.place);
    let form = (&access.place.team_id, form);
    submit(app, &caller, form, op, move |()| place.clone()).await
}

/// Makes a key for the project, which is then shown, and put into the commands.
pub async fn make_key(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, ApiError> {
    let place = path(&access.place);
    let made = match access.caller.also(&app, Right::TeamAdmin).await {
        Ok(caller) => keys::made(&app, (&caller, &access.place.team_id), &form, &place).await,
        Err(error) => Err(error),
    };
    match (made, whose(&view, &access.place)) {
        (Ok((Submitted::Made(place), raw_key)), Some(whose)) => Ok(see_other_with(
            &place,
            whose.show(&app, Kind::Key, &raw_key),
        )),
        (Ok((submitted, _)), _) => Ok(submitted.answer(&view)),
        (Err(error), _) => again(&app, (&view, &access), &headers, (&form, &error)).await,
    }
}

/// Ends the showing of a key.
pub async fn kept(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Response {
    let place = path(&access.place);
    if form.is_kept() {
        return see_other(&place);
    }
    match whose(&view, &access.place) {
        Some(whose) => see_other_with(&place, whose.forget(&app, &form)),
        None => see_other(&place),
    }
}

/// Skips a step, or brings it back, in this browser.
pub async fn skip(
    State(app): State<Shared>,
    access: ProjectAccess,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let mut steps = skipped(&headers);
    if form.is_kept() {
        return see_other(&path(&access.place));
    }
    if let Some(step) = Step::parse(form.text("step")) {
        let is_new = !steps.contains(&step);
        steps.retain(|other| *other != step);
        if is_new {
            steps.push(step);
        }
    }
    let cookie = skip_cookie(&app, &access.place, &steps);
    see_other_with(&path(&access.place), cookie)
}

async fn again(
    app: &App,
    page: (&View, &ProjectAccess),
    headers: &HeaderMap,
    (form, error): (&Form, &ApiError),
) -> Result<Response, ApiError> {
    let shown = body(app, page, headers, (form, Some(error))).await?;
    Ok(page.0.again(error, TITLE, shown))
}

/// Whose secrets are shown here.
pub(super) fn whose<'v>(view: &'v View, place: &'v Place) -> Option<Whose<'v>> {
    let person = view.person.as_ref()?;
    Some(Whose {
        team_id: &place.team_id,
        user_id: &person.user.id,
    })
}

pub(super) fn path(place: &Place) -> String {
    format!("{}/start", address(&place.team_id, &place.project_id))
}
