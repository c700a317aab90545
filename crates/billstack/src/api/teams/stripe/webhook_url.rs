//! `GET …/stripe/webhook-url`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::stripe_access::EVENTS;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;

/// Where Stripe should send a team's events.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookUrlAnswer {
    /// The address.
    #[schema(
        example = "https://referrals.example.com/api/webhooks/stripe/team_01kgv5r3mq7x2h9d4t8w6c0b1e"
    )]
    webhook_url: String,
    /// What to do with it, for a person.
    instructions: String,
}

/// Get the webhook address.
///
/// The address at which Stripe delivers the team's events, and what to do with it.
#[utoipa::path(
    get, path = "", operation_id = "get_stripe_webhook_url",
    responses((status = 200, description = "The address.", body = WebhookUrlAnswer)),
)]
pub async fn handle(State(app): State<Shared>, access: TeamAccess) -> Result<Response, ApiError> {
    let instructions = format!(
        "Connect the team with a secret key alone, and the endpoint is made. Or add this address as a webhook \
         endpoint in the Stripe Dashboard, for the events {}; then connect the team with the endpoint's signing \
         secret (whsec_…).",
        EVENTS.join(", ")
    );
    Ok(answer::send(answer::ok(&WebhookUrlAnswer {
        webhook_url: app.webhook_url(&access.team_id),
        instructions,
    })))
}
