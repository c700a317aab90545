//! `POST …/webhook-endpoints/{endpointId}/enable`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::time::Micros;
use billstack_store::webhooks::{Endpoint, endpoints};
use billstack_store::{Act, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use super::EndpointJson;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;

/// An endpoint that is told of events again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EnableWebhookEndpointAnswer)]
pub struct EnableAnswer {
    /// The endpoint.
    endpoint: EndpointJson,
    /// The time of the first event that it has missed since it last took one, whether it failed or was disabled then: what
    /// it missed can be sent by `replay` with this as `since`. Null if it was not disabled.
    #[schema(format = DateTime)]
    missed_since: Option<String>,
}

/// Enable a webhook endpoint.
///
/// Events that happen from now on are sent to it again, and its failures so far do not count any more. What happened
/// while it was disabled is sent on request: see `replay`.
#[utoipa::path(
    post, path = "", operation_id = "enable_webhook_endpoint",
    responses((status = 200, description = "The endpoint as it is now.", body = EnableAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(id): Item,
    input: NoInput,
) -> Result<Response, ApiError> {
    let place = access.place;
    let enable = move |tx: &mut dyn Tx, act: &mut Act| endpoints::enable(tx, act, &place, &id);
    let answer = |(endpoint, since): &(Endpoint, Option<Micros>)| {
        answer::ok(&EnableAnswer {
            endpoint: EndpointJson::new(endpoint),
            missed_since: since.map(|at| rfc3339(at.0)),
        })
    };
    app.write_answer(&access.caller, input.keyed, enable, answer)
        .await
}
