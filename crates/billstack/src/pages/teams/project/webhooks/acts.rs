//! What can be done with an endpoint, one form each.

use axum::extract::State;
use axum::response::Response;
use billstack_core::time::Micros;
use billstack_store::webhooks::{Endpoint, endpoints};
use billstack_store::{Abort, Act, Place, Tx};
use serde_json::json;

use super::one::{Asked, path};
use super::{fields, path as list_path};
use crate::api::webhook_endpoints::rotate_secret::RotateSecretRequest;
use crate::api::webhook_endpoints::update::UpdateEndpointRequest;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::path::Item;
use crate::pages::form::Form;
use crate::pages::parts::pager::with_query;
use crate::pages::parts::said::saying;
use crate::pages::shown::{Kind, Whose};
use crate::pages::submit::{Submitted, submit};
use crate::pages::view::{View, see_other, see_other_with};
use crate::webhooks::out::{secret, signature};

/// Says of a form that it is the one to delete an endpoint.
pub(super) const DELETE: &str = "delete";

/// Whose secret is looked at.
pub(super) fn whose<'a>(view: &'a View, place: &'a Place) -> Whose<'a> {
    let user = view.person.as_ref().map(|person| person.user.id.as_str());
    Whose {
        team_id: &place.team_id,
        user_id: user.unwrap_or_default(),
    }
}

/// Runs what a form asks for, or shows the endpoint again with what is wrong.
macro_rules! act {
    ($(#[$doc:meta])* $name:ident, $do:ident) => {
        $(#[$doc])*
        pub async fn $name(
            State(app): State<Shared>,
            view: View,
            access: ProjectAccess,
            Item(id): Item,
            form: Form,
        ) -> Result<Response, ApiError> {
            let asked = Asked::new((&app, &view), &access, &id);
            match $do(&asked, &access, &form).await {
                Ok(answer) => Ok(answer),
                Err(error) => asked.again(&form, &error).await,
            }
        }
    };
}

act! {
    /// Changes an endpoint.
    save, saved
}
act! {
    /// Replaces the secret.
    rotate, rotated
}
act! {
    /// Tells it of events again.
    enable, enabled
}
act! {
    /// Tells it nothing any more.
    disable, disabled
}
act! {
    /// Takes it away.
    delete, deleted
}

/// Ends the showing of a secret.
pub async fn kept(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
    form: Form,
) -> Response {
    if form.is_kept() {
        return see_other(&path(&access.place, &id));
    }
    let cookie = whose(&view, &access.place).forget(&app, &form);
    see_other_with(&path(&access.place, &id), cookie)
}

/// Makes a change once, and goes where `to` says.
async fn once<T: Send + 'static>(
    asked: &Asked<'_>,
    access: &ProjectAccess,
    form: &Form,
    op: impl Fn(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Clone + Send + 'static,
    to: impl Fn(&T) -> String + Clone + Send + 'static,
) -> Result<Submitted, ApiError> {
    form.is_meant()?;
    submit(
        asked.app,
        &access.caller,
        (&asked.place.team_id, form),
        op,
        to,
    )
    .await
}

async fn saved(
    asked: &Asked<'_>,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    let found = asked.found().await?;
    form.over(&fields::filled(&found.endpoint), &fields::FILLED)?;
    let request: UpdateEndpointRequest = form.read_members(&fields::changed(form))?;
    let patch = request.into_patch(asked.app).await?;
    let (place, id, to) = (
        asked.place.clone(),
        asked.id.to_owned(),
        done(asked, "saved"),
    );
    let update =
        move |tx: &mut dyn Tx, act: &mut Act| endpoints::update(tx, act, &place, &id, &patch);
    let made = once(asked, access, form, update, move |_: &Endpoint| to.clone());
    Ok(made.await?.answer(asked.view))
}

async fn rotated(
    asked: &Asked<'_>,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    let typed = form.text("oldValidHours").parse::<i64>();
    let typed = typed.map_or(json!(form.text("oldValidHours")), |hours| json!(hours));
    let request: RotateSecretRequest = form.read_members(&json!({"oldValidHours": typed}))?;
    let (hours, fresh) = (request.hours(), signature::new_secret());
    let (place, id, to) = (
        asked.place.clone(),
        asked.id.to_owned(),
        path(asked.place, asked.id),
    );
    let sealed = secret::seal(&asked.app.cipher, &place.team_id, &id, &fresh);
    let rotate = move |tx: &mut dyn Tx, act: &mut Act| {
        endpoints::rotate(tx, act, &place, &id, &sealed, hours)
    };
    match once(asked, access, form, rotate, move |_: &Micros| to.clone()).await? {
        Submitted::Made(to) => {
            let shown = format!("{} {}", asked.id, fresh.expose());
            let cookie = whose(asked.view, asked.place).show(asked.app, Kind::Webhook, &shown);
            Ok(see_other_with(&to, cookie))
        }
        before @ Submitted::Before(_) => Ok(before.answer(asked.view)),
    }
}

async fn enabled(
    asked: &Asked<'_>,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    let (place, id, here) = (
        asked.place.clone(),
        asked.id.to_owned(),
        path(asked.place, asked.id),
    );
    let enable = move |tx: &mut dyn Tx, act: &mut Act| {
        let (_, since) = endpoints::enable(tx, act, &place, &id)?;
        Ok((since, act.at))
    };
    let to = move |(since, until): &(Option<Micros>, Micros)| match since {
        None => here.clone(),
        Some(since) => {
            let (since, until) = (rfc3339(since.0), rfc3339(until.0));
            with_query(
                &here,
                &[("done", "enabled"), ("since", &since), ("until", &until)],
            )
        }
    };
    Ok(once(asked, access, form, enable, to)
        .await?
        .answer(asked.view))
}

async fn disabled(
    asked: &Asked<'_>,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    let (place, id, to) = (
        asked.place.clone(),
        asked.id.to_owned(),
        done(asked, "disabled"),
    );
    let disable = move |tx: &mut dyn Tx, act: &mut Act| endpoints::disable(tx, act, &place, &id);
    let made = once(asked, access, form, disable, move |_: &Endpoint| to.clone());
    Ok(made.await?.answer(asked.view))
}

async fn deleted(
    asked: &Asked<'_>,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    let (place, id, to) = (
        asked.place.clone(),
        asked.id.to_owned(),
        saying(&list_path(asked.place), "deleted"),
    );
    let delete = move |tx: &mut dyn Tx, act: &mut Act| endpoints::delete(tx, act, &place, &id);
    let made = once(asked, access, form, delete, move |(): &()| to.clone());
    Ok(made.await?.answer(asked.view))
}

/// The page of the endpoint, which says what was done.
pub(super) fn done(asked: &Asked<'_>, what: &str) -> String {
    format!("{}?done={what}", path(asked.place, asked.id))
}
