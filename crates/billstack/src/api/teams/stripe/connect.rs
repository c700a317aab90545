//! `POST …/stripe/connect`.

mod request;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_store::stripe_connection::{self, NewConnection};
use serde::Serialize;
use utoipa::ToSchema;

use super::{LONGEST_SECRET, SyncStatusJson, webhook_secret};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::JsonObject;
use crate::settings::SecretText;
use crate::stripe::{self, Mode, SecretField};

struct Keys {
    secret: Option<(SecretText, Mode)>,
    publishable: Option<(String, Mode)>,
    webhook_secret: SecretText,
}

impl Keys {
    fn read(body: &JsonObject) -> Result<Keys, ApiError> {
        let secret = match body.optional_str("secretKey", LONGEST_SECRET)? {
            Some(text) => Some(stripe::secret_key(&text).ok_or_else(|| {
                let message =
                    "`secretKey` must begin with sk_test_, sk_live_, rk_test_ or rk_live_.";
                ApiError::invalid("secretKey", message)
            })?),
            None => None,
        };
        let publishable = match body.optional_str("publishableKey", LONGEST_SECRET)? {
            Some(text) => Some(stripe::publishable_key(&text).ok_or_else(|| {
                let message = "`publishableKey` must begin with pk_test_ or pk_live_.";
                ApiError::invalid("publishableKey", message)
            })?),
            None => None,
        };
        if let (Some((_, mode)), Some((_, other))) = (&secret, &publishable)
            && mode != other
        {
            let message =
                "`publishableKey` and `secretKey` must be of the same mode, test or live.";
            return Err(ApiError::invalid("publishableKey", message));
        }
        Ok(Keys {
            secret,
            publishable,
            webhook_secret: webhook_secret(body)?,
        })
    }

    /// Asks Stripe about the secret key, and seals what must be sealed.
    async fn verify(self, app: &App, team_id: &TeamId) -> Result<NewConnection, ApiError> {
        let modes = [self.secret.as_ref().map(|(_, mode)| *mode)];
        let modes = modes
            .into_iter()
            .chain([self.publishable.as_ref().map(|(_, mode)| *mode)]);
        let livemode = modes.flatten().next().map(|mode| mode == Mode::Live);
        let secret = self.secret.map(|(key, _)| key);
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
            publishable_key: self.publishable.map(|(key, _)| key),
            webhook_secret: seal(SecretField::WebhookSecret, &self.webhook_secret),
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
    request_body = request::ConnectRequest,
    responses((status = 200, description = "The team is connected.", body = ConnectAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    input: Input,
) -> Result<Response, ApiError> {
    let keys = Keys::read(&input.body)?;
    let new = keys.verify(&app, &access.team_id).await?;
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
