//! `GET …/webhook-endpoints/{endpointId}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::webhooks::endpoints;

use super::EndpointAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::path::Item;

/// Get a webhook endpoint.
///
/// How it is, but for its secret.
#[utoipa::path(
    get, path = "", operation_id = "get_webhook_endpoint",
    responses((status = 200, description = "The endpoint.", body = EndpointAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let read = access.point(&app, move |tx, place| endpoints::get(tx, place, &id));
    Ok(answer::send(answer::ok(&EndpointAnswer::new(&read.await?))))
}
