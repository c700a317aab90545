//! `POST …/webhook-endpoints/{endpointId}/rotate-secret`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::webhooks::endpoints;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::Int;
use crate::http::path::Item;
use crate::webhooks::out::{secret, signature};

/// The longest time that the old secret can stay good, in hours.
const LONGEST_OVERLAP: i64 = 168;

/// How long it stays good when the caller does not say.
const DEFAULT_OVERLAP: i64 = 24;

/// How the secret is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RotateWebhookSecretRequest)]
pub struct RotateSecretRequest {
    /// How long what is sent is signed with the old secret too; with 0 it is not any more.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 168, default = 24)]
    old_valid_hours: Option<Int<0, LONGEST_OVERLAP>>,
}

impl RotateSecretRequest {
    /// For how many hours the old secret stays good.
    pub(crate) fn hours(&self) -> i64 {
        let hours = self.old_valid_hours.as_ref();
        hours.map_or(DEFAULT_OVERLAP, |Int(hours)| *hours)
    }
}

/// A new secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RotateWebhookSecretAnswer)]
pub struct RotateSecretAnswer {
    /// The secret that signatures are checked with; it is shown this once.
    #[schema(
        pattern = "^whsec_[A-Za-z0-9+/]{43}=$",
        example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
    )]
    secret: String,
    /// Until when the one before is good too.
    #[schema(format = DateTime)]
    old_valid_until: String,
}

/// Replace the secret of a webhook endpoint.
///
/// What is sent is signed with both secrets until the old one ends, so that nothing is refused while the receiver
/// changes over. The secret is in this answer only, which is never kept under an `Idempotency-Key`: repeated, the call
/// makes another secret, and the one before the last is good no longer.
#[utoipa::path(
    post, path = "", operation_id = "rotate_webhook_secret",
    request_body = RotateSecretRequest,
    responses((status = 200, description = "The new secret.", body = RotateSecretAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(id): Item,
    input: Input<RotateSecretRequest>,
) -> Result<Response, ApiError> {
    let hours = input.body.hours();
    let (place, fresh) = (access.place, signature::new_secret());
    let sealed = secret::seal(&app.cipher, &place.team_id, &id, &fresh);
    let rotated = app.write(&access.caller, move |tx, act| {
        endpoints::rotate(tx, act, &place, &id, &sealed, hours)
    });
    Ok(answer::send(answer::ok(&RotateSecretAnswer {
        old_valid_until: rfc3339(rotated.await?.0),
        secret: fresh.expose().to_owned(),
    })))
}
