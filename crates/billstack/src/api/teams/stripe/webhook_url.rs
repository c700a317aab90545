//! `GET …/stripe/webhook-url`.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;

/// The types of event that have an effect here.
const EVENTS: &str = "checkout.session.completed, checkout.session.async_payment_succeeded, \
    customer.subscription.created, customer.subscription.updated and \
    customer.subscription.deleted";

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
        "In the Stripe Dashboard, add this address as a webhook endpoint for the events {EVENTS}; \
         then connect the team with the endpoint's signing secret (whsec_…)."
    );
    Ok(answer::send(answer::ok(&WebhookUrlAnswer {
        webhook_url: app.webhook_url(&access.team_id),
        instructions,
    })))
}
