//! `POST …/stripe/roll-webhook-secret`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_core::time::{HOUR, Micros};
use billstack_store::stripe_connection::{self, Connection};
use billstack_store::{Abort, Act, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::WebhookSecret;
use crate::app::{App, Shared};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::Int;
use crate::secrets::{Cipher, constant_time_eq};
use crate::settings::SecretText;
use crate::stripe::{SecretField, seal, unsealed};

/// The longest time that the old secret can stay valid, in hours.
const LONGEST_OVERLAP: i64 = 168;

/// How long it stays valid when the caller does not say: as long as Stripe signs with both at most.
pub(crate) const DEFAULT_OVERLAP: i64 = 24;

/// The new signing secret.
#[derive(Deserialize, ToSchema)]
#[schema(as = RollWebhookSecretRequest)]
#[serde(rename_all = "camelCase")]
pub struct RollRequest {
    /// The new signing secret of the webhook endpoint.
    #[schema(value_type = String, min_length = 7, max_length = 300, pattern = "^[\\t\\n\\f\\r ]*whsec_[!-~]{1,255}[\\t\\n\\f\\r ]*$")]
    webhook_secret: WebhookSecret,
    /// How long the old one stays valid beside it.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 168, default = 24)]
    old_valid_hours: Option<Int<0, LONGEST_OVERLAP>>,
}

/// The secret is replaced.
#[derive(Serialize, ToSchema)]
#[schema(as = RollWebhookSecretAnswer)]
#[serde(rename_all = "camelCase")]
pub struct RollAnswer {
    /// Always true.
    success: bool,
    /// Until when the old secret is valid too; null when there is none.
    #[schema(format = DateTime)]
    old_valid_until: Option<String>,
}

/// Replace the webhook signing secret.
///
/// Both secrets are valid until the old one ends, so that no event is lost while Stripe changes over.
/// Sending the secret that is in use already changes nothing, so a repeated call is safe.
#[utoipa::path(
    post, path = "", operation_id = "roll_stripe_webhook_secret",
    request_body = RollRequest,
    responses((status = 200, description = "The new secret is in use.", body = RollAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    input: Input<RollRequest>,
) -> Result<Response, ApiError> {
    let hours = input.body.old_valid_hours;
    let hours = hours.map_or(DEFAULT_OVERLAP, |Int(hours)| hours);
    let until = roll(&app, &access, input.body.webhook_secret, hours).await?;
    Ok(answer::send(answer::ok(&RollAnswer {
        success: true,
        old_valid_until: until.map(|at| rfc3339(at.0)),
    })))
}

/// Replaces the secret; tells until when the old one is valid too.
pub(crate) async fn roll(
    app: &App,
    access: &TeamAccess,
    WebhookSecret(secret): WebhookSecret,
    old_valid_hours: i64,
) -> Result<Option<Micros>, ApiError> {
    let rolling = Rolling::new(app, &access.team_id, secret, old_valid_hours * HOUR);
    let rolled = app.write(&access.caller, move |tx, act| rolling.run(tx, act));
    let until = rolled.await?.old_valid_until;
    app.known_connections.remove(&access.team_id);
    Ok(until)
}

/// A secret that takes the place of the one in use.
#[derive(Clone)]
pub(crate) struct Rolling {
    cipher: Cipher,
    team_id: TeamId,
    secret: SecretText,
    pub(crate) sealed: String,
    overlap: i64,
}

impl Rolling {
    pub(crate) fn new(app: &App, team_id: &TeamId, secret: SecretText, overlap: i64) -> Rolling {
        Rolling {
            cipher: app.cipher.clone(),
            team_id: team_id.clone(),
            sealed: seal(&app.cipher, team_id, SecretField::WebhookSecret, &secret),
            secret,
            overlap,
        }
    }

    pub(crate) fn run(&self, tx: &mut dyn Tx, act: &mut Act) -> Result<Connection, Abort> {
        if let Some(connection) = stripe_connection::get(tx, &self.team_id)?
            && is_in_use(&self.cipher, &self.team_id, &connection, &self.secret)
        {
            return Ok(connection);
        }
        let until = act.at.plus(self.overlap);
        stripe_connection::roll(tx, act, &self.team_id, &self.sealed, until)
    }
}

/// Whether the secret is the newest one of a connection already. Rolling it again would put it in
/// the place of the old one, which Stripe may still sign with.
fn is_in_use(
    cipher: &Cipher,
    team_id: &TeamId,
    connection: &Connection,
    secret: &SecretText,
) -> bool {
    let sealed = connection.webhook_secret.as_deref();
    let current = sealed
        .filter(|_| connection.is_active)
        .and_then(|sealed| unsealed(cipher, team_id, SecretField::WebhookSecret, sealed).ok());
    current.is_some_and(|current| {
        constant_time_eq(current.expose().as_bytes(), secret.expose().as_bytes())
    })
}
