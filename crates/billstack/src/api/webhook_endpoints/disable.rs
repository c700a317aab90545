//! `POST …/webhook-endpoints/{endpointId}/disable`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::webhooks::endpoints;
use billstack_store::{Act, Tx};

use super::EndpointAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;

/// Disable a webhook endpoint.
///
/// Nothing is sent to it until it is enabled, but what somebody asks for. What waits for it is given up when it is due.
#[utoipa::path(
    post, path = "", operation_id = "disable_webhook_endpoint",
    responses((status = 200, description = "The endpoint as it is now.", body = EndpointAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(id): Item,
    input: NoInput,
) -> Result<Response, ApiError> {
    let place = access.place;
    let disable = move |tx: &mut dyn Tx, act: &mut Act| endpoints::disable(tx, act, &place, &id);
    let answer = |endpoint: &_| answer::ok(&EndpointAnswer::new(endpoint));
    app.write_answer(&access.caller, input.keyed, disable, answer)
        .await
}
