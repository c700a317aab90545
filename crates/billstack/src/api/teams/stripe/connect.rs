//! `POST …/stripe/connect`.

mod request;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_store::stripe_connection::{self, NewConnection};
use serde::Serialize;
use utoipa::ToSchema;

use super::SyncStatusJson;
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::settings::SecretText;
use crate::stripe::{self, Mode, SecretField};
use request::{ConnectRequest, Members};

impl Members {
    fn check_modes(&self) -> Result<(), ApiError> {
        if let (Some(secret), Some(publishable)) = (&self.secret_key, &self.publishable_key)
            && secret.mode != publishable.mode
        {
            let message =
                "`publishableKey` and `secretKey` must be of the same mode, test or live.";
            return Err(ApiError::invalid("publishableKey", message));
        }
        Ok(())
    }

    /// Asks Stripe about the secret key, and seals what must be sealed.
    async fn verify(self, app: &App, team_id: &TeamId) -> Result<NewConnection, ApiError> {
        let secret_mode = self.secret_key.as_ref().map(|key| key.mode);
        let publishable_mode = self.publishable_key.as_ref().map(|key| key.mode);
        let livemode = secret_mode
            .or(publishable_mode)
            .map(|mode| mode == Mode::Live);
        let secret = self.secret_key.map(|key| key.text);
        let account = match &secret {
            Some(key) => {
                let account = app.stripe.account(key).await;
                account.map_err(stripe::StripeError::of_new_key)?
            }
            None => None,
        };
        let seal = |field, secret: &SecretText| stripe::seal(&app.cipher, team_id, field, secret);
        Ok(NewConnection {
            secret_key: secret.map(|key| seal(SecretField::SecretKey, &key)),
            publishable_key: self.publishable_key.map(|key| key.text),
            webhook_secret: seal(SecretField::WebhookSecret, &self.webhook_secret.0),
            livemode,
            account_id: account.as_ref().map(|account| account.id.clone()),
            account_name: account.and_then(|account| account.name),
        })
    }
}

/// The team is connected.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectAnswer {
    /// Always true.
    success: bool,
    /// Where Stripe should send events.
    #[schema(
        example = "https://referrals.example.com/api/webhooks/stripe/team_01kgv5r3mq7x2h9d4t8w6c0b1e"
    )]
    webhook_url: String,
    /// Whether events come in.
    sync_status: SyncStatusJson,
}

/// Connect a team to Stripe.
///
/// Replaces an earlier connection as a whole. A secret key is tried first, and nothing is stored when
/// Stripe refuses it or cannot be reached. Keys and secrets are stored encrypted and never shown.
#[utoipa::path(
    post, path = "", operation_id = "connect_stripe",
    request_body = ConnectRequest,
    responses((status = 200, description = "The team is connected.", body = ConnectAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    input: Input<ConnectRequest>,
) -> Result<Response, ApiError> {
    let ConnectRequest(members) = input.body;
    members.check_modes()?;
    let new = members.verify(&app, &access.team_id).await?;
    let team_id = access.team_id.clone();
    let connected = app.write(&access.caller, move |tx, act| {
        stripe_connection::connect(tx, act, &team_id, &new)?;
        Ok(SyncStatusJson::of(tx, &team_id)?)
    });
    let sync_status = connected.await?;
    app.known_connections.remove(&access.team_id);
    Ok(answer::send(answer::ok(&ConnectAnswer {
        success: true,
        webhook_url: app.webhook_url(&access.team_id),
        sync_status,
    })))
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[Reason::StripeKeyInvalid, Reason::StripeUnavailable];
