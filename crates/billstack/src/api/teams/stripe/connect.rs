//! `POST …/stripe/connect`.

mod one_step;
mod request;

pub(crate) use request::ConnectRequest;

use std::time::Duration;

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
use crate::stripe::{self, Account, Mode, Obstacle, Probed, SecretField};
use request::Members;

/// How long finding out what a key may do may take here; if it takes longer, the queue does it.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Keys that Stripe takes.
struct Tried {
    secret_key: Option<SecretText>,
    publishable_key: Option<String>,
    mode: Option<Mode>,
    account: Option<Account>,
}

impl Members {
    fn check(&self) -> Result<(), ApiError> {
        if let (Some(secret), Some(publishable)) = (&self.secret_key, &self.publishable_key)
            && secret.mode != publishable.mode
        {
            let message =
                "`publishableKey` and `secretKey` must be of the same mode, test or live.";
            return Err(ApiError::invalid("publishableKey", message));
        }
        if self.webhook_secret.is_none() && self.secret_key.is_none() {
            let message = "Send `webhookSecret`, or a `secretKey` to make an endpoint with.";
            return Err(ApiError::invalid("webhookSecret", message));
        }
        Ok(())
    }

    /// Asks Stripe about the secret key.
    async fn tried(self, app: &App) -> Result<Tried, ApiError> {
        let secret_mode = self.secret_key.as_ref().map(|key| key.mode);
        let publishable_mode = self.publishable_key.as_ref().map(|key| key.mode);
        let secret_key = self.secret_key.map(|key| key.text);
        let account = match &secret_key {
            Some(key) => {
                let account = app.stripe.account(key).await;
                account.map_err(stripe::StripeError::of_new_key)?
            }
            None => None,
        };
        Ok(Tried {
            secret_key,
            publishable_key: self.publishable_key.map(|key| key.text),
            mode: secret_mode.or(publishable_mode),
            account,
        })
    }
}

impl Tried {
    /// What the key may do. `None` without a key, or when Stripe does not tell in time.
    async fn probe(&self, app: &App, team_id: &TeamId, endpoint: Option<&str>) -> Option<Probed> {
        let key = self.secret_key.as_ref()?;
        let asking = app.probe_key(team_id, key, self.account.is_some(), endpoint);
        let told = tokio::time::timeout(PROBE_TIMEOUT, asking).await;
        told.ok()?.ok()
    }

    /// The connection, with everything sealed that must be.
    fn sealed(&self, app: &App, team_id: &TeamId, probed: Option<&Probed>) -> NewConnection {
        let seal = |secret| stripe::seal(&app.cipher, team_id, SecretField::SecretKey, secret);
        NewConnection {
            secret_key: self.secret_key.as_ref().map(seal),
            publishable_key: self.publishable_key.clone(),
            webhook_secret: None,
            livemode: self.mode.map(|mode| mode == Mode::Live),
            account_id: self.account.as_ref().map(|account| account.id.clone()),
            account_name: self.account.as_ref().and_then(|one| one.name.clone()),
            endpoint_id: None,
            probe: probed.map(Probed::to_text),
        }
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
    /// The webhook endpoint that was made, or why a person has to make it; null with a `webhookSecret`.
    webhook: Option<MadeWebhookJson>,
}

/// The webhook endpoint in Stripe.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeWebhook)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeWebhookJson {
    /// Whether there is an endpoint that we made, and whose secret is kept.
    created: bool,
    /// Its id; null when there is none.
    #[schema(example = "we_1QXabcDEFghiJKLmnoPQRstu")]
    id: Option<String>,
    /// Why there is none. The team is connected nevertheless: make one with these events at this address, and connect
    /// again with its secret.
    reason: Option<ObstacleJson>,
    /// The same for a person.
    pub(crate) message: Option<String>,
    /// The events that it sends, or should send.
    #[schema(example = json!(["customer.subscription.created", "invoice.paid"]))]
    events: Vec<&'static str>,
    /// Where it sends them, or should.
    #[schema(
        example = "https://referrals.example.com/api/webhooks/stripe/team_01kgv5r3mq7x2h9d4t8w6c0b1e"
    )]
    url: String,
}

/// Why no webhook endpoint could be made.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = WebhookObstacle)]
#[serde(rename_all = "snake_case")]
enum ObstacleJson {
    /// The key lacks `rak_webhook_write`.
    StripePermissionMissing,
    /// The account has 16 endpoints already.
    TooManyEndpoints,
    /// Stripe sends no events to the address of this server.
    AddressNotPublic,
    /// Stripe said no for another reason.
    StripeRefused,
}

impl From<Obstacle> for ObstacleJson {
    fn from(obstacle: Obstacle) -> ObstacleJson {
        match obstacle {
            Obstacle::PermissionMissing => ObstacleJson::StripePermissionMissing,
            Obstacle::TooManyEndpoints => ObstacleJson::TooManyEndpoints,
            Obstacle::AddressNotPublic => ObstacleJson::AddressNotPublic,
            Obstacle::Refused => ObstacleJson::StripeRefused,
        }
    }
}

/// Connect a team to Stripe.
///
/// Replaces an earlier connection as a whole. A secret key is tried first, and nothing is stored when
/// Stripe refuses it or cannot be reached. Keys and secrets are stored encrypted and never shown.
///
/// With a secret key and no signing secret, the webhook endpoint is made in Stripe, or kept if it is there already.
/// Where that cannot be, the team is connected without one, or with the signing secret it had; `webhook` tells why.
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
    let (sync_status, webhook) = connect(&app, &access, input.body).await?;
    Ok(answer::send(answer::ok(&ConnectAnswer {
        success: true,
        webhook_url: app.webhook_url(&access.team_id),
        sync_status,
        webhook,
    })))
}

/// Connects the team: tells whether events come in, and what became of the webhook endpoint where we were to make it.
pub(crate) async fn connect(
    app: &App,
    access: &TeamAccess,
    ConnectRequest(mut members): ConnectRequest,
) -> Result<(SyncStatusJson, Option<MadeWebhookJson>), ApiError> {
    members.check()?;
    let webhook_secret = members.webhook_secret.take();
    let tried = members.tried(app).await?;
    let (sync_status, webhook) = match webhook_secret {
        Some(secret) => (by_hand(app, access, &tried, &secret.0).await?, None),
        None => {
            let (sync_status, webhook) = one_step::connect(app, access, &tried).await?;
            (sync_status, Some(webhook))
        }
    };
    app.known_connections.remove(&access.team_id);
    Ok((sync_status, webhook))
}

/// Connects with the secret of an endpoint that somebody made.
async fn by_hand(
    app: &App,
    access: &TeamAccess,
    tried: &Tried,
    webhook_secret: &SecretText,
) -> Result<SyncStatusJson, ApiError> {
    let team_id = access.team_id.clone();
    let probed = tried.probe(app, &team_id, None).await;
    let secret = stripe::seal(
        &app.cipher,
        &team_id,
        SecretField::WebhookSecret,
        webhook_secret,
    );
    let new = NewConnection {
        webhook_secret: Some(secret),
        ..tried.sealed(app, &team_id, probed.as_ref())
    };
    let connected = app.write(&access.caller, move |tx, act| {
        stripe_connection::connect(tx, act, &team_id, &new)?;
        Ok(SyncStatusJson::of(tx, &team_id)?)
    });
    connected.await
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[Reason::StripeKeyInvalid, Reason::StripeUnavailable];
