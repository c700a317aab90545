//! `POST …/webhook-endpoints/{endpointId}/deliveries/{id}/replay`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::webhooks::log::Shown;
use billstack_store::webhooks::replay;
use billstack_store::{Act, Tx};

use super::DeliveryAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Inner;

/// Send a delivery again.
///
/// Makes a delivery of the same event, with the same `webhook-id`, signed with the present secret. It is sent at once,
/// tried once, and not counted for the endpoint's state; also while that is disabled.
#[utoipa::path(
    post, path = "", operation_id = "replay_webhook_delivery",
    responses((status = 201, description = "The new delivery, which waits to be sent.", body = DeliveryAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Inner(endpoint_id, id): Inner,
    input: NoInput,
) -> Result<Response, ApiError> {
    let place = access.place;
    let again =
        move |tx: &mut dyn Tx, act: &mut Act| replay::one(tx, act, &place, &endpoint_id, &id);
    let answer = |shown: &Shown| answer::created(&DeliveryAnswer::new(shown));
    app.write_answer(&access.caller, input.keyed, again, answer)
        .await
}
