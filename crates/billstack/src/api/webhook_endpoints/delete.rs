//! `DELETE …/webhook-endpoints/{endpointId}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::webhooks::endpoints;
use billstack_store::{Act, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;

/// The endpoint that is no more.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletedWebhookEndpoint)]
pub struct DeletedEndpointJson {
    /// Its id.
    #[schema(example = "whe_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// Always true.
    deleted: bool,
}

/// What was taken away.
#[derive(Serialize, ToSchema)]
#[schema(as = DeleteWebhookEndpointAnswer)]
pub struct DeleteEndpointAnswer {
    /// The endpoint.
    endpoint: DeletedEndpointJson,
}

/// Delete a webhook endpoint.
///
/// Nothing is sent to it any more, not even what waits for it, and its log and its secret are gone.
#[utoipa::path(
    delete, path = "", operation_id = "delete_webhook_endpoint",
    responses((status = 200, description = "The endpoint is gone.", body = DeleteEndpointAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(id): Item,
    input: NoInput,
) -> Result<Response, ApiError> {
    let (place, gone) = (access.place, id.clone());
    let delete = move |tx: &mut dyn Tx, act: &mut Act| endpoints::delete(tx, act, &place, &id);
    let answer = move |(): &()| {
        let endpoint = DeletedEndpointJson {
            id: gone.clone(),
            deleted: true,
        };
        answer::ok(&DeleteEndpointAnswer { endpoint })
    };
    app.write_answer(&access.caller, input.keyed, delete, answer)
        .await
}
