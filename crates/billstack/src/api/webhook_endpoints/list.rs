//! `GET …/webhook-endpoints`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::webhooks;
use serde::Serialize;
use utoipa::ToSchema;

use super::EndpointJson;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;

/// The endpoints of a project.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointsAnswer)]
pub struct EndpointsAnswer {
    /// The oldest first; ten at most.
    endpoints: Vec<EndpointJson>,
}

/// List webhook endpoints.
///
/// All of the project, the oldest first.
#[utoipa::path(
    get, path = "", operation_id = "list_webhook_endpoints",
    responses((status = 200, description = "The endpoints.", body = EndpointsAnswer)),
)]
pub async fn handle(State(app): State<Shared>, access: ProjectRead) -> Result<Response, ApiError> {
    let read = access.point(&app, |tx, place| Ok(webhooks::of_project(tx, place)?));
    let endpoints = read.await?.iter().map(EndpointJson::new).collect();
    Ok(answer::send(answer::ok(&EndpointsAnswer { endpoints })))
}
