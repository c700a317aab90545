//! `GET …/stripe/events/{id}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::{Refusal, Thing, readers};

use super::StripeEventAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::Reading;
use crate::http::answer;
use crate::http::path::Item;

/// Get an event from Stripe, with its body.
///
/// With the body as Stripe sent it, as long as it is kept. An API key gets it without the body, and one of a project only
/// if it concerns a customer there.
#[utoipa::path(
    get, path = "", operation_id = "get_stripe_event",
    responses((status = 200, description = "The event.", body = StripeEventAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: Reading,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let read = app.store.scan(move |tx| {
        let found = readers::stripe_event(tx, &access.reader, &access.team_id, &id)?;
        Ok(found.ok_or(Refusal::NotFound(Thing::StripeEvent))?)
    });
    Ok(answer::send(answer::ok(&StripeEventAnswer::new(
        read.await?,
    ))))
}
