//! `GET …/webhook-endpoints/{endpointId}/deliveries/{id}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::webhooks::log;

use super::DeliveryAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::path::Inner;

/// Get a delivery to a webhook endpoint.
///
/// How far it has come, and how it went each time.
#[utoipa::path(
    get, path = "", operation_id = "get_webhook_delivery",
    responses((status = 200, description = "The delivery.", body = DeliveryAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Inner(endpoint_id, id): Inner,
) -> Result<Response, ApiError> {
    let read = access.point(&app, move |tx, place| {
        log::get(tx, place, &endpoint_id, &id)
    });
    Ok(answer::send(answer::ok(&DeliveryAnswer::new(&read.await?))))
}
